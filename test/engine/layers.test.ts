import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLayerStore } from '../../daemon/layers/index.ts';
import { Database } from '../../daemon/state/index.ts';
import { createLog } from '../../daemon/system/log.ts';
import { getXattr, setXattr } from '../../daemon/system/syscalls.ts';
import { isRoot } from '../fixtures/engine.ts';

const sha = (data: Buffer) => `sha256:${createHash('sha256').update(data).digest('hex')}`;

describe.skipIf(!isRoot).each(['erofs', 'dirs'] as const)('layers on overlayfs, %s (needs root)', (driver) => {
  let folder: string;
  let dataRoot: string;
  let db: Database;
  let store: ReturnType<typeof createLayerStore>;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'gl-'));
    dataRoot = path.join(folder, 'data');
    mkdirSync(dataRoot);
    db = new Database(path.join(dataRoot, 'galley.db'));
    store = createLayerStore({ db, dataRoot, log: createLog('error'), driver });
  });
  afterEach(async () => {
    for (const id of await store.roots()) await store.removeRoot(id);
    await store.close();
    db.close();
    rmSync(folder, { recursive: true, force: true });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(folder);
  });

  /** A tar of `source`, by GNU tar. */
  function pack(source: string, format = 'pax'): Buffer {
    return execFileSync(
      'tar',
      [
        ...(format === 'pax' ? ['--xattrs', '--xattrs-include=*'] : []),
        `--format=${format}`,
        '--numeric-owner',
        '-C',
        source,
        '-c',
        '.',
      ],
      { maxBuffer: 1 << 28 },
    );
  }
  async function unpack(tar: Buffer, parent: string | null = null): Promise<string> {
    const diffId = sha(tar);
    const chainId = parent === null ? diffId : sha(Buffer.from(`${parent} ${diffId}`));
    await store.unpack({ chainId, parent, diffId, tar: Readable.from(pieces(tar)) });
    return chainId;
  }
  /** Cut where no boundary is, so that every state of the reader is met. */
  function* pieces(tar: Buffer): Generator<Buffer> {
    for (let at = 0; at < tar.length; at += 7777) yield Buffer.from(tar.subarray(at, at + 7777));
  }
  /** Only pax keeps fractions of a second. */
  const listing = (root: string, format = 'pax') =>
    execFileSync('sh', [
      '-c',
      `cd "${root}" && find . -mindepth 1 -printf '%p %y %m %U:%G %n %l ${format === 'pax' ? '%T@' : '%Ts'} ' -a \\( -type f -exec sha256sum -b {} \\; -o -printf '\\n' \\) | sort`,
    ]).toString();

  /** Where the only layer's files are to be seen. */
  const layerFolder = async () => {
    await store.createRoot('seen', store.all()[0]?.chainId ?? null);
    await store.mountRoot('seen');
    return path.join(dataRoot, 'layers', readdirSync(path.join(dataRoot, 'layers'))[0] as string, 'fs');
  };

  it.each(['pax', 'gnu', 'ustar'])('unpacks what GNU tar packs, equal in every field (%s)', async (format) => {
    const source = path.join(folder, 'source');
    mkdirSync(path.join(source, 'a/b/c'), { recursive: true });
    writeFileSync(path.join(source, 'a/file'), Buffer.alloc(70_001, 'x'));
    writeFileSync(path.join(source, 'a/empty'), '');
    writeFileSync(path.join(source, `a/${'n'.repeat(95)}`), 'long name');
    symlinkSync('../nowhere', path.join(source, 'a/link'));
    execFileSync(
      'sh',
      [
        '-c',
        'ln a/file a/hard; mkfifo a/fifo; mknod a/null c 1 3; chmod 4755 a/file; chown 12:34 a/b; touch -d @1000000000 a/b a/empty',
      ],
      { cwd: source },
    );
    chmodSync(path.join(source, 'a/b/c'), 0o1777);
    await unpack(pack(source, format));
    expect(listing(await layerFolder(), format)).toBe(listing(source, format));
  });

  it.each([
    ['gnu', []],
    ['pax', ['--sparse-version=0.0']],
    ['pax', ['--sparse-version=0.1']],
    ['pax', ['--sparse-version=1.0']],
  ] as const)('unpacks sparse files as holes (%s %s)', async (format, version) => {
    const source = path.join(folder, 'source');
    mkdirSync(source);
    execFileSync(
      'sh',
      [
        '-c',
        // Many parts (more than one header holds), data at both ends, nothing but a hole, a hole at the end.
        'for i in $(seq 0 60); do printf part$i | dd of=many bs=64k seek=$i conv=notrunc status=none; done; truncate -s 9M hole; cp many tail; truncate -s 12345678 tail; echo plain > plain',
      ],
      { cwd: source },
    );
    const tar = execFileSync('tar', [`--format=${format}`, ...version, '--sparse', '-C', source, '-c', '.'], {
      maxBuffer: 1 << 28,
    });
    expect(tar.length).toBeLessThan(2_000_000);
    await unpack(tar);
    expect(store.all()[0]?.driver).toBe('dirs'); // no image holds a sparse file
    const layer = await layerFolder();
    expect(listing(layer, format)).toBe(listing(source, format));
    expect(lstatSync(path.join(layer, 'hole')).blocks).toBe(0);
  });

  it('stacks layers: whiteouts and opaque folders hide what is below', async () => {
    const lower = path.join(folder, 'lower');
    mkdirSync(path.join(lower, 'keep'), { recursive: true });
    mkdirSync(path.join(lower, 'dir'));
    for (const name of ['keep/file', 'gone', 'dir/old']) writeFileSync(path.join(lower, name), name);
    const upper = path.join(folder, 'upper');
    mkdirSync(path.join(upper, 'dir'), { recursive: true });
    for (const name of ['.wh.gone', 'dir/.wh..wh..opq', 'dir/new']) writeFileSync(path.join(upper, name), '');
    const top = await unpack(pack(upper), await unpack(pack(lower)));
    await store.createRoot('one', top);
    const root = await store.mountRoot('one');
    expect(
      readdirSync(root)
        .filter((name) => !['dev', 'etc', 'proc', 'sys', '.dockerenv'].includes(name))
        .sort(),
    ).toEqual(['dir', 'keep']);
    expect(readdirSync(path.join(root, 'dir'))).toEqual(['new']);
    expect(await store.mountRoot('one')).toBe(root);

    writeFileSync(path.join(root, 'keep/file'), 'changed');
    writeFileSync(path.join(root, 'added'), '12345');
    rmSync(path.join(root, 'dir/new'));
    expect(await store.changes('one')).toEqual([
      { Path: '/added', Kind: 1 },
      { Path: '/dir', Kind: 0 },
      { Path: '/dir/new', Kind: 2 },
      { Path: '/keep', Kind: 0 },
      { Path: '/keep/file', Kind: 0 },
    ]);
    expect(await store.rootSize('one')).toBe(12);
  });

  it('keeps file capabilities and other xattrs', async () => {
    const source = path.join(folder, 'source');
    mkdirSync(source);
    writeFileSync(path.join(source, 'ping'), '');
    setXattr(path.join(source, 'ping'), 'user.galley', Buffer.from('yes'));
    const chainId = await unpack(pack(source));
    await store.createRoot('one', chainId);
    expect(getXattr(path.join(await store.mountRoot('one'), 'ping'), 'user.galley')?.toString()).toBe('yes');
  });

  it('mounts 128 layers: their names fit one page of mount options', async () => {
    let parent: string | null = null;
    for (let i = 0; i < 128; i += 1) {
      const source = path.join(folder, `s${i}`);
      mkdirSync(source);
      writeFileSync(path.join(source, `f${i}`), '');
      parent = await unpack(pack(source), parent);
    }
    await store.createRoot('deep', parent);
    expect(readdirSync(await store.mountRoot('deep')).filter((name) => name.startsWith('f')).length).toBe(128);
  });

  it('refuses a wrong diffID and leaves nothing', async () => {
    const source = path.join(folder, 'source');
    mkdirSync(source);
    const tar = pack(source);
    const wrong = `sha256:${'0'.repeat(64)}`;
    await expect(
      store.unpack({ chainId: wrong, parent: null, diffId: wrong, tar: Readable.from([tar]) }),
    ).rejects.toThrow(sha(tar));
    expect(store.get(wrong)).toBeUndefined();
    expect(readdirSync(path.join(dataRoot, 'layers'))).toEqual([]);
  });

  /** A one-entry tar with any name, made with Python's tarfile, which refuses nothing. */
  function hostile(script: string): Buffer {
    const file = path.join(folder, 'hostile.tar');
    execFileSync('python3', [
      '-c',
      `import tarfile,io\nt=tarfile.open('${file}','w',format=tarfile.PAX_FORMAT)\ndef add(name,type=tarfile.REGTYPE,link='',data=b'x'):\n  i=tarfile.TarInfo(name);i.type=type;i.linkname=link;i.size=len(data) if type==tarfile.REGTYPE else 0;i.mode=0o755\n  t.addfile(i,io.BytesIO(data) if i.size else None)\n${script}\nt.close()`,
    ]);
    return readFileSync(file);
  }

  it.each([
    ['a name with ..', "add('../evil')", '../evil'],
    ['a name with .. inside', "add('a/../../evil')", 'a/../../evil'],
    ['a hard link to ..', "add('a/l',tarfile.LNKTYPE,'../../etc/passwd')", 'leaves the layer'],
    ['a hard link to what is not there', "add('l',tarfile.LNKTYPE,'etc/passwd')", '"l"'],
  ])('refuses %s, by name', async (_what, script, named) => {
    const tar = hostile(script);
    await expect(
      store.unpack({ chainId: sha(tar), parent: null, diffId: sha(tar), tar: Readable.from([tar]) }),
    ).rejects.toThrow(named);
    expect(readdirSync(path.join(dataRoot, 'layers'))).toEqual([]);
  });

  it.each([
    ['an absolute name', "add('/evil')"],
    ['a symlink to the outside, then a file through it', `add('out',tarfile.SYMTYPE,'OUTSIDE');add('out/evil')`],
    [
      'a relative symlink to the outside',
      "add('a/out',tarfile.SYMTYPE,'../../../../../../../../tmp');add('a/out/evil')",
    ],
    ['a symlink replaced by a file of the same name', `add('evil',tarfile.SYMTYPE,'OUTSIDE/victim');add('evil')`],
  ])('keeps %s inside the layer', async (_what, script) => {
    const outside = path.join(folder, 'outside');
    mkdirSync(outside);
    const victim = path.join(outside, 'victim');
    writeFileSync(victim, 'untouched');
    const tar = hostile(script.replaceAll('OUTSIDE', outside));
    await unpack(tar);
    expect(readdirSync(outside)).toEqual(['victim']);
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
    expect(lstatSync('/tmp/evil', { throwIfNoEntry: false })).toBeUndefined();
  });

  it('says that a truncated tar is truncated', async () => {
    const tar = hostile("add('file',data=b'y'*5000)").subarray(0, 3000);
    await expect(
      store.unpack({ chainId: sha(tar), parent: null, diffId: sha(tar), tar: Readable.from([tar]) }),
    ).rejects.toThrow('ends in the middle');
  });

  it('collects folders that no row names, and keeps the others', async () => {
    const source = path.join(folder, 'source');
    mkdirSync(source);
    const chainId = await unpack(pack(source));
    await store.createRoot('kept', chainId);
    await store.createRoot('orphan', chainId);
    mkdirSync(path.join(dataRoot, 'layers/tmp-1-1/fs'), { recursive: true });
    await store.collect(new Set(['kept']));
    expect(await store.roots()).toEqual(['kept']);
    expect(readdirSync(path.join(dataRoot, 'layers')).length).toBe(1);
  });
});
