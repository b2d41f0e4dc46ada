import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../daemon/state/index.ts';
import { createLog } from '../../daemon/system/log.ts';
import { getXattr, setXattr } from '../../daemon/system/syscalls.ts';
import { createVolumeManager, type VolumeManager } from '../../daemon/volumes/index.ts';
import { isRoot } from '../fixtures/engine.ts';

describe.skipIf(!isRoot)('volumes on disk (needs root)', () => {
  let folder: string;
  let db: Database;
  let volumes: VolumeManager;
  let events: string[];
  const open = () => {
    db = new Database(path.join(folder, 'galley.db'));
    volumes = createVolumeManager({
      db,
      dataRoot: folder,
      publish: (action, name) => events.push(`${action} ${name}`),
      log: createLog('error'),
    });
  };
  const make = (Name: string, more: { Labels?: Record<string, string>; DriverOpts?: Record<string, string> } = {}) =>
    volumes.create({ Name, Driver: 'local', DriverOpts: {}, Labels: {}, ...more });
  const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8');

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'gv-'));
    events = [];
    open();
  });
  afterEach(() => {
    db.close();
    expect(mounts()).not.toContain(folder);
    rmSync(folder, { recursive: true, force: true });
  });

  it('creates once per name, shows, and refuses bad names, drivers and options by name', async () => {
    const first = await make('data', { Labels: { a: 'b' } });
    expect(await make('data')).toEqual(first);
    expect(first).toMatchObject({ Name: 'data', Driver: 'local', Scope: 'local', Labels: { a: 'b' } });
    expect(statSync(first.Mountpoint).mode & 0o777).toBe(0o755);
    expect(events).toEqual(['create data']);
    await expect(make('../x')).rejects.toThrow('"../x" includes invalid characters for a local volume name');
    await expect(make('x2', { DriverOpts: { size: '1' } })).rejects.toThrow(
      'quota size requested but no quota support',
    );
    for (const [DriverOpts, words] of [
      [{ colour: 'red' }, 'invalid option: "colour"'],
      [{ type: 'tmpfs' }, 'missing required option: "device"'],
      [{ device: '/tmp', o: 'bind' }, 'missing required option: "type"'],
    ] as [Record<string, string>, string][])
      await expect(make('x2', { DriverOpts })).rejects.toThrow(words);
    await expect(make('x')).rejects.toThrow('volume name is too short');
    await expect(volumes.create({ Name: 'x3', Driver: 'nope', DriverOpts: {}, Labels: {} })).rejects.toThrow('nope');
    expect(() => volumes.inspect('nothing')).toThrow('get nothing: no such volume');
    expect(readdirSync(path.join(folder, 'volumes'))).toEqual(['data']);
  });

  it('keeps a volume that a container refers to, also over a restart of the daemon', async () => {
    await make('data');
    volumes.reference('data', 'c1', true);
    db.close();
    open();
    await expect(volumes.remove('data', true)).rejects.toThrow('remove data: volume is in use - [c1]');
    expect(volumes.list({ dangling: ['true'] })).toEqual([]);
    expect(volumes.dereference('c1')).toEqual([]);
    await volumes.remove('data', false);
    expect(existsSync(path.join(folder, 'volumes/data'))).toBe(false);
    await expect(volumes.remove('data', false)).rejects.toThrow('get data: no such volume');
    await volumes.remove('data', true);
  });

  it('prunes the anonymous ones, or all when asked, but none in use', async () => {
    const anonymous = await make('');
    const used = await make('');
    expect(anonymous.Name).toMatch(/^[0-9a-f]{64}$/);
    writeFileSync(path.join(anonymous.Mountpoint, 'f'), 'x'.repeat(5000));
    await make('named');
    volumes.reference(used.Name, 'c1', true);
    const pruned = await volumes.prune({});
    expect(pruned.VolumesDeleted).toEqual([anonymous.Name]);
    expect(pruned.SpaceReclaimed).toBeGreaterThanOrEqual(5000);
    expect((await volumes.prune({ all: ['true'] })).VolumesDeleted).toEqual(['named']);
    expect((await volumes.prune({ all: ['true'] })).VolumesDeleted).toBeNull();
    expect(() => volumes.list({ colour: ['red'] })).toThrow("invalid filter 'colour'");
    expect(volumes.dereference('c1')).toEqual([used.Name]);
  });

  it('copies the content of the image up once, with owners, modes, times, xattrs, links and devices', async () => {
    const source = path.join(folder, 'image');
    mkdirSync(path.join(source, 'sub'), { recursive: true });
    writeFileSync(path.join(source, 'file'), 'content');
    chownSync(path.join(source, 'file'), 33, 44);
    chmodSync(path.join(source, 'file'), 0o4750);
    utimesSync(path.join(source, 'file'), 1000, 1000);
    setXattr(path.join(source, 'file'), 'user.galley', Buffer.from('kept'));
    linkSync(path.join(source, 'file'), path.join(source, 'sub/hard'));
    symlinkSync('/nowhere', path.join(source, 'soft'));
    execFileSync('mknod', [path.join(source, 'null'), 'c', '1', '3']);
    chownSync(source, 101, 102);
    chmodSync(source, 0o1770);
    const { Mountpoint: target } = await make('data');
    await volumes.populate('data', source);
    const file = statSync(path.join(target, 'file'));
    expect([file.uid, file.gid, file.mode & 0o7777, file.mtimeMs]).toEqual([33, 44, 0o4750, 1_000_000]);
    expect(getXattr(path.join(target, 'file'), 'user.galley')?.toString()).toBe('kept');
    expect(statSync(path.join(target, 'sub/hard')).ino).toBe(file.ino);
    expect(statSync(path.join(target, 'null')).isCharacterDevice()).toBe(true);
    const top = statSync(target);
    expect([top.uid, top.gid, top.mode & 0o7777]).toEqual([101, 102, 0o1770]);
    writeFileSync(path.join(target, 'file'), 'changed');
    await volumes.populate('data', source);
    expect(readFileSync(path.join(target, 'file'), 'utf8')).toBe('changed');
    expect(readdirSync(path.join(folder, 'volumes/data'))).toEqual(['_data']);
  });

  it('mounts option volumes while containers use them, and again at boot for those that run', async () => {
    const { Mountpoint } = await make('ram', { DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } });
    volumes.reference('ram', 'c1', true);
    await volumes.mount('ram', 'c1');
    await volumes.mount('ram', 'c2');
    expect(mounts()).toContain(Mountpoint);
    await volumes.unmount('ram', 'c2');
    expect(mounts()).toContain(Mountpoint);
    await volumes.unmount('ram', 'c1');
    expect(mounts()).not.toContain(Mountpoint);
    db.close();
    open();
    await volumes.restore(new Set(['c1']));
    expect(mounts()).toContain(Mountpoint);
    await volumes.unmount('ram', 'c1');
    volumes.dereference('c1');

    const shared = path.join(folder, 'shared');
    mkdirSync(shared);
    writeFileSync(path.join(shared, 'here'), '');
    await make('bound', { DriverOpts: { type: 'none', device: shared, o: 'bind' } });
    expect(readdirSync(await volumes.mount('bound', 'c3'))).toEqual(['here']);
    await volumes.unmount('bound', 'c3');
    await make('broken', { DriverOpts: { type: 'none', device: path.join(folder, 'absent'), o: 'bind' } });
    await expect(volumes.mount('broken', 'c3')).rejects.toThrow('error while mounting volume broken');
    await volumes.remove('bound', false);
    expect(readdirSync(shared)).toEqual(['here']);
  });

  it('clears at boot what nothing refers to', async () => {
    await make('kept');
    mkdirSync(path.join(folder, 'volumes/stray/_data'), { recursive: true });
    await volumes.restore(new Set());
    expect(readdirSync(path.join(folder, 'volumes'))).toEqual(['kept']);
  });
});
