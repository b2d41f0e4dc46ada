/** A corpus of hostile layers, in both drivers and through the image file's fallback: refused or contained, seen from outside the root (needs root). */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLayerStore, type LayerStore } from '../../daemon/layers/index.ts';
import { Database } from '../../daemon/state/index.ts';
import { createLog } from '../../daemon/system/log.ts';
import { getXattr, listXattrs } from '../../daemon/system/syscalls.ts';
import { isRoot } from '../fixtures/engine.ts';
import { hostileTars } from '../fixtures/hostile-tars.ts';

const sha = (data: Buffer) => `sha256:${createHash('sha256').update(data).digest('hex')}`;
/** The name of each run's folder must be known before the tests are listed. */
const folder = isRoot ? mkdtempSync(path.join(os.tmpdir(), 'gh-')) : '';
const outside = path.join(folder, 'outside');
const corpus = hostileTars(outside);

describe.skipIf(!isRoot).each(['erofs', 'dirs'] as const)('hostile layers, %s (needs root)', (driver) => {
  const dataRoot = path.join(folder, driver);
  let db: Database;
  let store: LayerStore;

  beforeAll(() => {
    mkdirSync(outside, { recursive: true });
    mkdirSync(dataRoot);
    writeFileSync(path.join(outside, 'victim'), 'untouched', { mode: 0o640 });
    db = new Database(path.join(dataRoot, 'galley.db'));
    store = createLayerStore({ db, dataRoot, log: createLog('error'), driver });
  });
  afterAll(async () => {
    await store.close();
    db.close();
    if (driver === 'dirs') rmSync(folder, { recursive: true, force: true });
  });

  /** What a layer must not change: everything around the data root, with modes, owners, times and attributes. */
  const around = () => {
    const describe = (file: string) => {
      const { mode, uid, gid, mtimeMs, nlink } = lstatSync(file);
      return [file, mode, uid, gid, mtimeMs, nlink, listXattrs(file)];
    };
    const victim = path.join(outside, 'victim');
    return JSON.stringify([
      readdirSync(folder),
      readdirSync(outside),
      readdirSync(dataRoot).sort(),
      readFileSync(victim, 'utf8'),
      describe(outside),
      describe(victim),
      readdirSync('/').sort(),
      ['/evil', '/tmp/evil', '/etc/evil'].map((file) => lstatSync(file, { throwIfNoEntry: false }) !== undefined),
    ]);
  };

  it('has at least 60 kinds, each by a name of its own', () => {
    expect(new Set(corpus.map((one) => one.what)).size).toBe(corpus.length);
    expect(corpus.length).toBeGreaterThanOrEqual(60);
  });

  it.each(corpus)('$what', async ({ tar, outcome }) => {
    const before = around();
    const blob = path.join(dataRoot, 'blob.gz');
    writeFileSync(blob, gzipSync(tar, { level: 1 }));
    const diffId = sha(tar);
    let refusal = '';
    try {
      await store.unpack({ chainId: diffId, parent: null, diffId, tar: { file: blob, compression: 'gzip' } });
    } catch (error) {
      refusal = (error as Error).message;
    }
    rmSync(blob);
    expect(around()).toBe(before);
    if (outcome instanceof RegExp) expect(refusal).toMatch(outcome);
    if (outcome === 'contained') expect(refusal).toBe('');
    if (refusal) {
      expect(refusal).toMatch(/^failed to register layer: /);
      expect(store.all()).toEqual([]);
    } else {
      try {
        await store.createRoot('c', diffId);
        readdirSync(await store.mountRoot('c'));
        const layer = path.join(dataRoot, 'layers', readdirSync(path.join(dataRoot, 'layers'))[0] as string, 'fs');
        const inside = (readdirSync(layer, { encoding: 'latin1' }) as string[]).map((one) =>
          Buffer.from(`${layer}/${one}`, 'latin1'),
        );
        for (const name of ['redirect', 'metacopy'])
          for (const at of [Buffer.from(layer), ...inside])
            expect(getXattr(at, `trusted.overlay.${name}`)).toBeUndefined();
      } finally {
        await store.removeRoot('c');
        await store.remove(diffId);
      }
      expect(around()).toBe(before);
    }
    expect(readdirSync(path.join(dataRoot, 'layers'))).toEqual([]);
  });
});
