/** docker cp against hostile roots and archives, with the real thread, overlay and kernel: nothing leaves the container, nothing stays behind. */
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TarEntry, TarReader } from '../../daemon/layers/tar-reader.ts';
import { padding, TAR_END, type TarHeader, tarHeader } from '../../daemon/layers/tar-writer.ts';
import { isRoot } from '../fixtures/engine.ts';
import { waitFor } from '../fixtures/exec.ts';
import { createKit, type Kit } from './containers-kit.ts';

function tarOf(...entries: (TarHeader & { content?: string })[]): Readable {
  const pieces = entries.flatMap(({ content = '', ...header }) => [
    tarHeader({ ...header, size: content.length }),
    Buffer.from(content),
    padding(content.length),
  ]);
  return Readable.from([Buffer.concat([...pieces, TAR_END])]);
}

function entriesOf(tar: Buffer): (TarEntry & { content: string })[] {
  const entries: (TarEntry & { content: string })[] = [];
  const reader = new TarReader({
    entry: (entry) => entries.push({ ...entry, content: '' }),
    data: (chunk) => {
      const last = entries.at(-1);
      if (last) last.content += chunk.toString('latin1');
    },
    endFile: () => {},
  });
  reader.push(tar);
  reader.end();
  return entries;
}

const openFiles = () => readdirSync('/proc/self/fd').length;
const mounts = (folder: string) =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${folder}/roots`)).length;

describe.skipIf(!isRoot)('files in and out of containers (needs root)', () => {
  let kit: Kit;
  let outside: string;
  beforeAll(async () => {
    if (!isRoot) return;
    kit = await createKit();
    outside = mkdtempSync(path.join(tmpdir(), 'galley-outside-'));
  });
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]();
    if (outside) rmSync(outside, { recursive: true, force: true });
  });
  const put = (name: string, folder: string, tar: Readable, noOverwriteDirNonDir = false) =>
    kit.containers.extract(name, folder, tar, { noOverwriteDirNonDir, copyUidGid: false });
  const get = async (name: string, file: string) =>
    entriesOf(await buffer((await kit.containers.pack(name, file)).tar));

  it('keeps owners, modes, times, links and attributes, both ways, and leaves no mount and no descriptor', async () => {
    await kit.containers.create('keeper', undefined, kit.body({ Image: 'busybox' }));
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    const before = openFiles();
    await put(
      'keeper',
      '/home',
      tarOf(
        { name: 'd', type: 'directory', mode: 0o2750, uid: 7, gid: 8, mtime: 1_000_000 },
        {
          name: 'd/f',
          type: 'file',
          mode: 0o4755,
          uid: 9,
          gid: 10,
          mtime: 2_000_000,
          content: 'words',
          xattrs: new Map([['security.capability', capability]]),
        },
        { name: 'd/again', type: 'hardlink', mode: 0o4755, link: 'd/f' },
        { name: 'd/link', type: 'symlink', mode: 0o777, uid: 3, gid: 4, link: '/etc/passwd' },
        { name: 'd/pipe', type: 'fifo', mode: 0o600 },
        { name: 'd/null', type: 'char', mode: 0o666, major: 1, minor: 3 },
        { name: `d/${'long'.repeat(60)}`, type: 'file', mode: 0o644, content: 'x' },
      ),
    );
    const found = await get('keeper', '/home/d');
    const by = (name: string) => found.find((entry) => entry.name === name);
    expect(by('d/')).toMatchObject({ type: 'directory', mode: 0o2750, uid: 7, gid: 8, mtime: 1_000_000 });
    const [first, second] = [by('d/again'), by('d/f')];
    expect([first?.type, second?.type].sort()).toEqual(['file', 'hardlink']);
    const file = first?.type === 'file' ? first : second;
    expect(file).toMatchObject({ mode: 0o4755, uid: 9, gid: 10, mtime: 2_000_000, content: 'words' });
    expect(file?.xattrs.get('security.capability')).toEqual(capability);
    expect(by('d/link')).toMatchObject({ type: 'symlink', link: '/etc/passwd', uid: 3, gid: 4 });
    expect(by('d/pipe')?.type).toBe('fifo');
    expect(by('d/null')).toMatchObject({ type: 'char', major: 1, minor: 3 });
    expect(by(`d/${'long'.repeat(60)}`)?.content).toBe('x');
    expect(await kit.containers.statPath('keeper', '/home/d/link')).toMatchObject({
      name: 'link',
      linkTarget: '/etc/passwd',
      mode: 2 ** 27 + 0o777,
    });
    await waitFor('the root to be given back', () => mounts(kit.folder) === 0);
    await waitFor('descriptors to be closed', () => openFiles() <= before);
  });

  it('a root full of links to the host leads nowhere', async () => {
    await kit.containers.create('trap', undefined, kit.body({ Image: 'busybox' }));
    const secret = path.join(outside, 'secret');
    writeFileSync(secret, 'of the host');
    await put(
      'trap',
      '/',
      tarOf(
        { name: 'abs', type: 'symlink', mode: 0o777, link: outside },
        { name: 'up', type: 'symlink', mode: 0o777, link: `../../../../../../..${outside}` },
        { name: 'proc-root', type: 'symlink', mode: 0o777, link: '/proc/self/root' },
        { name: 'loop', type: 'symlink', mode: 0o777, link: 'loop' },
      ),
    );
    for (const link of ['abs', 'up']) {
      await expect(kit.containers.pack('trap', `/${link}/secret`)).rejects.toThrow('Could not find the file');
      await expect(put('trap', `/${link}`, tarOf({ name: 'x', type: 'file', mode: 0o644 }))).rejects.toThrow(
        'Could not find the file',
      );
      // Through a link in the archive's own names, too.
      await put('trap', '/', tarOf({ name: `${link}/planted`, type: 'file', mode: 0o644, content: 'y' })).catch(
        () => {},
      );
    }
    await expect(kit.containers.pack('trap', `/proc-root${secret}`)).rejects.toThrow('Could not find');
    await expect(put('trap', '/loop', tarOf())).rejects.toThrow(/ELOOP|too many/i);
    await expect(put('trap', '/tmp', tarOf({ name: '../../escaped', type: 'file', mode: 0o644 }))).rejects.toThrow(
      'is outside of',
    );
    await expect(
      put('trap', '/tmp', tarOf({ name: 'hard', type: 'hardlink', mode: 0o644, link: '../../etc/passwd' })),
    ).rejects.toThrow('is outside of');
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(existsSync('/escaped')).toBe(false);
  });

  it('a folder never takes the place of a file where that is not wanted; else it does', async () => {
    await kit.containers.create('kinds', undefined, kit.body({ Image: 'busybox' }));
    const folder = () => tarOf({ name: 'passwd', type: 'directory', mode: 0o755 });
    await expect(put('kinds', '/etc', folder(), true)).rejects.toThrow('cannot overwrite non-directory');
    await put('kinds', '/etc', folder());
    expect((await kit.containers.statPath('kinds', '/etc/passwd')).mode).toBe(2 ** 31 + 0o755);
    await expect(put('kinds', '/', tarOf({ name: 'etc', type: 'file', mode: 0o644 }), true)).rejects.toThrow(
      'cannot overwrite directory',
    );
    await expect(put('kinds', '/bin/sh', tarOf())).rejects.toThrow('extraction point is not a directory');
  });

  it('takes a packed archive, refuses a damaged one, and a client that breaks off leaves nothing open', async () => {
    await kit.containers.create('packed', undefined, kit.body({ Image: 'busybox' }));
    const plain = await buffer(tarOf({ name: 'z', type: 'file', mode: 0o600, content: 'zipped' }));
    await put('packed', '/tmp', Readable.from([gzipSync(plain)]));
    expect((await get('packed', '/tmp/z')).map(({ content }) => content)).toEqual(['zipped']);
    await expect(put('packed', '/tmp', Readable.from([plain.subarray(0, 515)]))).rejects.toThrow('middle of an entry');
    await expect(put('packed', '/tmp', Readable.from([Buffer.from('BZh9xxxx')]))).rejects.toThrow('bzip2');
    const before = openFiles();
    const half = new Readable({ read() {} });
    half.push(plain.subarray(0, 600));
    const copy = put('packed', '/tmp', half);
    setTimeout(() => half.destroy(), 300);
    await expect(copy).rejects.toThrow();
    const { tar } = await kit.containers.pack('packed', '/bin');
    tar.once('data', () => tar.destroy());
    await waitFor('the root to be given back', () => mounts(kit.folder) === 0);
    await waitFor('descriptors to be closed', () => openFiles() <= before);
  });

  it('copies out of a running container that changes under it, and a start meanwhile keeps its root', async () => {
    const script = 'mkdir /w; i=0; while :; do ln -sfn /etc /w/x; rm -rf /w/x; mkdir /w/x; rmdir /w/x; done';
    await kit.containers.create('racer', undefined, kit.body({ Image: 'busybox', Cmd: ['sh', '-c', script] }));
    await kit.containers.start('racer');
    for (let round = 0; round < 5; round += 1) {
      const names = (await get('racer', '/w')).map(({ name }) => name);
      expect(names[0]).toBe('w/');
      expect(names.some((name) => name.includes('passwd'))).toBe(false);
    }
    await kit.containers.kill('racer', 'KILL');
    // The copy begins while it is down and ends while it runs.
    const { tar } = await kit.containers.pack('racer', null);
    await kit.containers.start('racer');
    const exported = entriesOf(await buffer(tar));
    expect(exported.some(({ name }) => name === '.dockerenv')).toBe(true);
    expect((await kit.containers.inspect('racer', { size: false })).State.Running).toBe(true);
    expect((await get('racer', '/etc/group'))[0]?.content).toContain('root:x:0:');
    await kit.containers.remove('racer', { force: true, volumes: true, link: false });
    expect(lstatSync(kit.folder).isDirectory()).toBe(true);
  });
});
