import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TarEntry, TarError, TarReader } from '../../../daemon/layers/tar-reader.ts';

interface Read extends Pick<TarEntry, 'name' | 'link' | 'type' | 'size' | 'mode' | 'mtime'> {
  content: Buffer;
}

/** Reads a tar in pieces of `step` bytes. */
function read(tar: Buffer, step: number): Read[] {
  const entries: Read[] = [];
  let pieces: Buffer[] = [];
  const reader = new TarReader({
    entry: ({ name, link, type, size, mode, mtime }) => {
      entries.push({ name, link, type, size, mode, mtime, content: Buffer.alloc(0) });
      pieces = [];
    },
    data: (chunk) => pieces.push(Buffer.from(chunk)),
    endFile: () => {
      (entries.at(-1) as Read).content = Buffer.concat(pieces);
    },
  });
  for (let at = 0; at < tar.length; at += step) reader.push(tar.subarray(at, at + step));
  reader.end();
  return entries;
}

describe('the tar reader', () => {
  let folder: string;
  const tars = new Map<string, Buffer>();
  const deep = `${'long-name-of-a-folder/'.repeat(9)}and-a-file-with-quite-a-name`;

  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'galley-tar-'));
    const source = path.join(folder, 's');
    mkdirSync(path.join(source, path.dirname(deep)), { recursive: true });
    writeFileSync(path.join(source, deep), 'deep');
    writeFileSync(path.join(source, 'exact'), Buffer.alloc(1024, 'x'));
    writeFileSync(path.join(source, 'odd'), Buffer.alloc(777, 'y'));
    writeFileSync(path.join(source, 'empty'), '');
    writeFileSync(Buffer.from(`${source}/not-utf8-\xff`, 'latin1'), 'bytes');
    symlinkSync(`${'t'.repeat(150)}`, path.join(source, 'long-link'));
    for (const format of ['pax', 'gnu'])
      tars.set(
        format,
        execFileSync('tar', [`--format=${format}`, '--sort=name', '-C', source, '-c', '.'], { maxBuffer: 1 << 26 }),
      );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(['pax', 'gnu'])('reads what GNU tar writes as %s, wherever it is cut', (format) => {
    const tar = tars.get(format) as Buffer;
    const whole = read(tar, tar.length);
    const by = new Map(whole.map((entry) => [entry.name.replace(/^\.\//, ''), entry]));
    expect(by.get(deep)?.content.toString()).toBe('deep');
    expect(by.get('exact')?.content).toEqual(Buffer.alloc(1024, 'x'));
    expect(by.get('odd')?.content).toEqual(Buffer.alloc(777, 'y'));
    expect(by.get('empty')).toMatchObject({ type: 'file', size: 0 });
    expect(by.get('long-link')).toMatchObject({ type: 'symlink', link: 't'.repeat(150) });
    expect(by.has('not-utf8-\xff')).toBe(true);
    for (const step of [1, 7, 511, 512, 513, 4096]) expect(read(tar, step)).toEqual(whole);
  });

  it('takes base-256 sizes and times before 1970', () => {
    const header = Buffer.from((tars.get('gnu') as Buffer).subarray(0, 512));
    header.fill(0, 124, 136);
    header[124] = 0x80;
    header.fill(0xff, 136, 148); // -1
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    expect(read(Buffer.concat([header, Buffer.alloc(1024)]), 512)[0]).toMatchObject({ size: 0, mtime: -1 });
  });

  it('throws nothing but TarError, whatever bytes are damaged, and never hands out more than the tar holds', () => {
    let seed = 20261127;
    const random = (n: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
    for (let round = 0; round < 3000; round += 1) {
      const tar = Buffer.from(tars.get(round % 2 ? 'pax' : 'gnu') as Buffer);
      for (let flips = random(6) + 1; flips > 0; flips -= 1) {
        const at = random(tar.length);
        tar[at] = random(256);
        // Damage that the checksum would catch is made to pass it, so that what lies behind is met.
        const block = at - (at % 512);
        if (round % 3 === 0 && tar.toString('latin1', block + 257, block + 262) === 'ustar') {
          tar.fill(0x20, block + 148, block + 156);
          const sum = tar.subarray(block, block + 512).reduce((total, byte) => total + byte, 0);
          tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, block + 148);
        }
      }
      const cut = random(4) === 0 ? tar.subarray(0, random(tar.length)) : tar;
      try {
        const total = read(cut, random(2000) + 1).reduce((sum, entry) => sum + entry.content.length, 0);
        expect(total).toBeLessThanOrEqual(cut.length);
      } catch (error) {
        expect(error).toBeInstanceOf(TarError);
      }
    }
  });
});
