/** Both layer drivers and GNU tar must show the same files, to the nanosecond and the last attribute (issue 4). Needs root. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLayerStore, type LayerStore } from '../../daemon/layers/index.ts';
import { Database } from '../../daemon/state/index.ts';
import { createLog } from '../../daemon/system/log.ts';
import { getXattr, listXattrs, makeNode, setTimes, setXattr } from '../../daemon/system/syscalls.ts';
import { isRoot } from '../fixtures/engine.ts';
import { blobPath } from '../fixtures/image-builder.ts';
import { nginxImage } from '../fixtures/images.ts';

const sha = (data: Buffer | string) => `sha256:${createHash('sha256').update(data).digest('hex')}`;
const raw = (latin1: string) => Buffer.from(latin1, 'latin1');
type Driver = 'erofs' | 'dirs';
const DRIVERS: readonly Driver[] = ['erofs', 'dirs'];

/** Everything that can be seen of a tree, a line for each path; hard links by the first path that shows the inode. */
function listing(root: string): string[] {
  const lines: string[] = [];
  const inodes = new Map<string, string>();
  const walk = (relative: string): void => {
    const file = raw(`${root}/${relative}`);
    const stat = lstatSync(file, { bigint: true });
    const folder = stat.isDirectory();
    const inode = `${stat.dev}:${stat.ino}`;
    const first = inodes.get(inode) ?? relative;
    inodes.set(inode, first);
    const content = stat.isFile()
      ? createHash('sha256').update(readFileSync(file)).digest('hex')
      : stat.isSymbolicLink()
        ? readlinkSync(file, { encoding: 'latin1' })
        : '';
    const attributes = listXattrs(file)
      .sort()
      .map((name) => `${name}=${getXattr(file, name)?.toString('hex')}`);
    lines.push(
      [
        relative,
        stat.mode.toString(8),
        `${stat.uid}:${stat.gid}`,
        `links ${stat.nlink}`,
        `size ${folder ? '-' : stat.size}`,
        // The top of a tar without "./" has no time of its own.
        relative === '' ? '' : `time ${stat.mtimeNs}`,
        `device ${stat.rdev}`,
        first === relative ? '' : `same as ${first}`,
        ...attributes,
        content,
      ].join(' | '),
    );
    if (folder)
      for (const name of (readdirSync(file, { encoding: 'latin1' }) as string[]).sort())
        walk(relative === '' ? name : `${relative}/${name}`);
  };
  walk('');
  return lines;
}

/** Whatever is hard to keep: sizes around block borders, names, links, devices, owners, times, attributes. */
function torture(root: string): void {
  const file = (name: string) => raw(`${root}/${name}`);
  mkdirSync(file('sizes'), { recursive: true });
  for (const edge of [0, 512, 1024, 4096, 8192, 65536])
    for (const size of [edge - 1, edge, edge + 1].filter((n) => n >= 0))
      writeFileSync(file(`sizes/${size}`), Buffer.alloc(size, `${size},`));
  mkdirSync(file('many'));
  for (let i = 0; i < 5000; i += 1) writeFileSync(file(`many/${i}-${'x'.repeat(i % 40)}`), '');
  for (const length of [1, 100, 101, 255]) writeFileSync(file('n'.repeat(length)), String(length));
  const deep = Array.from({ length: 12 }, (_, i) => `${i}-${'d'.repeat(97)}`).join('/');
  mkdirSync(file(deep), { recursive: true });
  writeFileSync(file(`${deep}/bottom`), 'deep');
  writeFileSync(file('not-utf8-\xff\xfe'), 'bytes');
  setXattr(file('not-utf8-\xff\xfe'), 'user.galley', Buffer.from('bytes'));
  for (const length of [1, 440, 448, 449, 600, 4000]) symlinkSync(raw('t'.repeat(length)), file(`link-${length}`));
  writeFileSync(file('linked'), 'three names');
  linkSync(file('linked'), file('linked-2'));
  linkSync(file('linked'), file('sizes/linked-3'));
  linkSync(file('link-600'), file('link-600-again'));
  makeNode(file('null'), 0o020666, 1, 3);
  makeNode(file('far-minor'), 0o060600, 259, 0xfffff);
  makeNode(file('pipe'), 0o010622, 0, 0);
  for (const [index, id] of [1, 65534, 65536, 3_000_000, 4_000_000_000].entries()) {
    writeFileSync(file(`owner-${index}`), '');
    chownSync(file(`owner-${index}`), id, id - 1);
  }
  for (const mode of [0o4755, 0o2711, 0o1777, 0o000]) {
    writeFileSync(file(`mode-${mode.toString(8)}`), '');
    chmodSync(file(`mode-${mode.toString(8)}`), mode);
  }
  for (const [index, [seconds, nanos]] of (
    [
      [-1, 500_000_000],
      [-86400, 0],
      [0, 1],
      [1_700_000_000, 999_999_999],
      [4_102_444_800, 123],
    ] as const
  ).entries()) {
    writeFileSync(file(`time-${index}`), '');
    setTimes(file(`time-${index}`), seconds, nanos);
  }
  writeFileSync(file('attributes'), 'a');
  setXattr(file('attributes'), 'user.small', Buffer.from('v'));
  setXattr(file('attributes'), 'user.empty', Buffer.alloc(0));
  setXattr(file('attributes'), 'user.large', Buffer.alloc(2000, 'L'));
  setXattr(file('attributes'), 'trusted.galley', Buffer.from([0, 1, 2, 255]));
  setXattr(file('attributes'), `user.${'k'.repeat(200)}`, Buffer.from('long key'));
  writeFileSync(file('capable'), '');
  // cap_net_raw+ep, version 2, as setcap writes it.
  setXattr(file('capable'), 'security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex'));
  mkdirSync(file('attributed-folder'));
  setXattr(file('attributed-folder'), 'user.folder', Buffer.alloc(300, 'f'));
  for (let i = 0; i < 30; i += 1) writeFileSync(file(`attributed-folder/${'e'.repeat(i + 1)}`), '');
}

describe.skipIf(!isRoot)('layers look the same in both drivers and in GNU tar (needs root)', () => {
  let folder: string;
  let stores: Record<Driver, { store: LayerStore; db: Database }>;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'gf-'));
    const open = (driver: Driver) => {
      const dataRoot = path.join(folder, driver);
      mkdirSync(dataRoot);
      const db = new Database(path.join(dataRoot, 'galley.db'));
      return { db, store: createLayerStore({ db, dataRoot, log: createLog('error'), driver }) };
    };
    stores = { erofs: open('erofs'), dirs: open('dirs') };
  });
  afterEach(async () => {
    for (const { store, db } of Object.values(stores)) {
      for (const id of await store.roots()) await store.removeRoot(id);
      await store.close();
      db.close();
    }
    rmSync(folder, { recursive: true, force: true });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(folder);
  });

  const layerOf = (driver: Driver, index = 0): string => {
    const names = readdirSync(path.join(folder, driver, 'layers')).sort((a, b) => Number(a) - Number(b));
    return path.join(folder, driver, 'layers', names[index] as string, 'fs');
  };
  async function add(driver: Driver, tar: Buffer, parent: string | null = null): Promise<string> {
    const diffId = sha(tar);
    const chainId = parent === null ? diffId : sha(`${parent} ${diffId}`);
    // Cut where no boundary is.
    const pieces = Array.from({ length: Math.ceil(tar.length / 77_777) }, (_, i) =>
      Buffer.from(tar.subarray(i * 77_777, (i + 1) * 77_777)),
    );
    const record = await stores[driver].store.unpack({ chainId, parent, diffId, tar: Readable.from(pieces) });
    expect(record.driver).toBe(driver);
    return chainId;
  }
  async function merged(driver: Driver, chainId: string): Promise<string> {
    await stores[driver].store.createRoot('c', chainId);
    return stores[driver].store.mountRoot('c');
  }
  function byGnuTar(tar: Buffer): string {
    const target = path.join(folder, 'gnu');
    mkdirSync(target, { mode: 0o755 });
    execFileSync('tar', ['-xpf', '-', '--xattrs', '--xattrs-include=*', '--numeric-owner', '-C', target], {
      input: tar,
      stdio: ['pipe', 'pipe', 'pipe'], // it warns of times that are far away
    });
    return target;
  }
  function cutOut(chainId: string): string {
    const range = stores.erofs.store.tar(chainId);
    if (!range) throw new Error('the erofs layer gives no tar back');
    const bytes = Buffer.alloc(range.size);
    readSync(openSync(range.file, 'r'), bytes, 0, range.size, range.offset);
    return sha(bytes);
  }

  it('a torture tree packed by GNU tar', async () => {
    const source = path.join(folder, 'source');
    torture(source);
    const pack = ['--format=pax', '--xattrs', '--xattrs-include=*', '--numeric-owner', '-C', source, '-c', '.'];
    const tar = execFileSync('tar', pack, { maxBuffer: 1 << 28 });
    const wanted = listing(source);
    expect(wanted.length).toBeGreaterThan(5000);
    expect(listing(byGnuTar(tar))).toEqual(wanted);
    for (const driver of DRIVERS) {
      const chainId = await add(driver, tar);
      await merged(driver, chainId);
      expect(listing(layerOf(driver))).toEqual(wanted);
      if (driver === 'erofs') expect(cutOut(chainId)).toBe(sha(tar));
    }
  });

  it('every layer of the nginx image, and their merged view', async () => {
    const image = await nginxImage();
    const tars = image.blobs.slice(1).map((blob) => gunzipSync(readFileSync(blobPath(image, blob.digest))));
    const tops: Record<Driver, string | null> = { erofs: null, dirs: null };
    for (const driver of DRIVERS) {
      for (const tar of tars) {
        tops[driver] = await add(driver, tar, tops[driver]);
        if (driver === 'erofs') expect(cutOut(tops[driver])).toBe(sha(tar));
      }
      await merged(driver, tops[driver] as string);
    }
    for (const [index, tar] of tars.entries()) {
      const mine = DRIVERS.map((driver) => listing(layerOf(driver, index)));
      expect(mine[0]).toEqual(mine[1]);
      const marks = tar.includes('.wh.');
      if (!marks) {
        // GNU tar gives folders that the tar does not list the time of now; the fixtures list every folder.
        expect(mine[0]?.slice(1)).toEqual(listing(byGnuTar(tar)).slice(1));
        rmSync(path.join(folder, 'gnu'), { recursive: true });
      }
    }
    const [erofs, dirs] = await Promise.all(
      DRIVERS.map(async (driver) => listing(await stores[driver].store.mountRoot('c'))),
    );
    // The init layer is made new for each root, with the time of now.
    const stable = (lines: string[] | undefined) =>
      lines?.filter((line) => !/^(\.dockerenv|dev|etc|proc|sys)\b/.test(line)) ?? [];
    expect(stable(erofs).length).toBeGreaterThan(100);
    expect(stable(erofs)).toEqual(stable(dirs));
  });

  /** Entries in any order, as no honest tar has them: `[name, type, link or content]`. */
  function odd(entries: readonly (readonly [name: string, type: string, rest?: string])[]): Buffer {
    const script = `
import tarfile,io,json,sys
t=tarfile.open(fileobj=sys.stdout.buffer,mode='w|',format=tarfile.PAX_FORMAT)
for name,kind,rest in json.load(sys.stdin):
  i=tarfile.TarInfo(name); i.type=kind.encode(); i.mode=0o755; i.mtime=1000000
  data=rest.encode() if kind=='0' else b''
  if kind in '12': i.linkname=rest
  if kind in '34': i.devmajor,i.devminor=1,3
  i.size=len(data); t.addfile(i,io.BytesIO(data))
t.close()`;
    return execFileSync('python3', ['-c', script], {
      input: JSON.stringify(entries.map(([name, type, rest]) => [name, type, rest ?? ''])),
      maxBuffer: 1 << 26,
    });
  }
  it.each([
    [
      'duplicates: the last one counts',
      [
        ['a', '0', 'old'],
        ['b', '1', 'a'],
        ['a', '0', 'new'],
        ['a', '0', 'newest'],
      ],
    ],
    [
      'a folder that becomes a file and a folder again',
      [
        ['x', '5'],
        ['x/y', '0', '1'],
        ['x', '0', 'f'],
        ['x', '5'],
        ['x/z', '0', '2'],
      ],
    ],
    [
      'a folder listed after its files',
      [
        ['late/file', '0', '1'],
        ['late', '5'],
      ],
    ],
    ['folders that are not listed at all', [['p/q/r/file', '0', '1']]],
    [
      'a path through a symlink',
      [
        ['real', '5'],
        ['via', '2', 'real'],
        ['via/inside', '0', '1'],
        ['abs', '2', '/real'],
        ['abs/too', '0', '2'],
        ['up', '2', '../../real'],
        ['up/three', '0', '3'],
      ],
    ],
    [
      'a hard link to a symlink, and to itself',
      [
        ['s', '2', 'nowhere'],
        ['h', '1', 's'],
        ['f', '0', 'x'],
        ['f', '1', 'f'],
      ],
    ],
    [
      'a whiteout before and after what it names',
      [
        ['.wh.one', '0'],
        ['one', '0', '1'],
        ['two', '0', '2'],
        ['.wh.two', '0'],
        ['.wh.gone', '0'],
      ],
    ],
    [
      'a folder in the place of a whiteout is opaque',
      [
        ['.wh.d', '0'],
        ['d', '5'],
        ['d/new', '0', '1'],
        ['e', '5'],
        ['e/new', '0', '1'],
        ['.wh.e', '0'],
      ],
    ],
    [
      'opaque folders and whiteouts in them',
      [
        ['o', '5'],
        ['o/.wh.x', '0'],
        ['o/.wh..wh..opq', '0'],
        ['o/.wh.y', '0'],
        ['o/own', '0', '1'],
      ],
    ],
    [
      'an opaque top',
      [
        ['.wh..wh..opq', '0'],
        ['file', '0', '1'],
      ],
    ],
    [
      "aufs' bookkeeping",
      [
        ['.wh..wh.plnk', '5'],
        ['.wh..wh.aufs', '0'],
        ['f', '0', '1'],
      ],
    ],
    [
      'kinds that nobody knows',
      [
        ['weird', 'Z'],
        ['f', '0', '1'],
      ],
    ],
    [
      'names with dots and slashes',
      [
        ['./a//b/./c', '0', '1'],
        ['/abs/file', '0', '2'],
        ['d/', '5'],
      ],
    ],
    ['nothing', []],
  ] as const)('odd order: %s', async (_what, entries) => {
    const tar = odd(entries);
    const seen = [];
    for (const driver of DRIVERS) {
      await merged(driver, await add(driver, tar));
      seen.push(listing(layerOf(driver)));
    }
    expect(seen[0]).toEqual(seen[1]);
  });

  it('overlay over a lower layer shows the same names', async () => {
    const lower = odd([
      ['keep', '0', 'k'],
      ['gone', '0', 'g'],
      ['dir', '5'],
      ['dir/old', '0', 'o'],
      ['swap', '5'],
      ['swap/below', '0', 'b'],
    ]);
    const upper = odd([
      ['.wh.gone', '0'],
      ['dir/.wh..wh..opq', '0'],
      ['dir/new', '0', 'n'],
      ['.wh.swap', '0'],
      ['swap', '5'],
      ['swap/above', '0', 'a'],
    ]);
    for (const driver of DRIVERS) {
      const root = await merged(driver, await add(driver, upper, await add(driver, lower)));
      const names = readdirSync(root, { recursive: true }) as string[];
      expect(names.filter((name) => /^(keep|gone|dir|swap)/.test(name)).sort()).toEqual([
        'dir',
        'dir/new',
        'keep',
        'swap',
        'swap/above',
      ]);
    }
  });
});
