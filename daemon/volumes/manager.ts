import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { lstat, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Volume } from '../../src/api/index.ts';
import { messageOf } from '../errors/index.ts';
import { volumeErrors } from '../errors/volumes.ts';
import type { Database } from '../state/index.ts';
import { syncDirectory } from '../system/files.ts';
import type { Log } from '../system/log.ts';
import { run } from '../system/spawn.ts';
import { MNT_DETACH, unmount } from '../system/syscalls.ts';
import { matchesFilters } from './filters.ts';
import type { VolumeEventSink, VolumeManager } from './types.ts';

const recordSchema = z.object({
  name: z.string(),
  created: z.string(),
  labels: z.record(z.string(), z.string()),
  options: z.record(z.string(), z.string()),
});
export type VolumeRecord = z.infer<typeof recordSchema>;

export interface VolumeManagerDeps {
  db: Database;
  dataRoot: string;
  publish: VolumeEventSink;
  log: Log;
}

/** Docker's mark of a volume that nobody named. */
export const ANONYMOUS = 'com.docker.volume.anonymous';
const OPTIONS = ['type', 'device', 'o'];

/** The `local` driver: a folder a volume, or what its options mount there. */
export function createVolumeManager({ db, dataRoot, publish, log }: VolumeManagerDeps): VolumeManager {
  const folder = path.join(dataRoot, 'volumes');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const table = db.documents('volumes', (value) => recordSchema.parse(value));
  const volumes = new Map(table.all().map((record) => [record.name, record]));
  /** Containers that have an option volume mounted now. */
  const mounted = new Map<string, Set<string>>();

  const dataOf = (name: string) => path.join(folder, name, '_data');
  const shown = (record: VolumeRecord): Volume => ({
    CreatedAt: record.created,
    Driver: 'local',
    Labels: Object.keys(record.labels).length > 0 ? record.labels : null,
    Mountpoint: dataOf(record.name),
    Name: record.name,
    Options: Object.keys(record.options).length > 0 ? record.options : null,
    Scope: 'local',
  });
  const find = (name: string): VolumeRecord => {
    const record = volumes.get(name);
    if (!record) throw volumeErrors.notFound(name);
    return record;
  };
  const usersOf = (name: string): string[] =>
    (
      db.sql('SELECT container_id FROM volume_references WHERE volume = ? ORDER BY rowid').all(name) as unknown as {
        container_id: string;
      }[]
    ).map((row) => row.container_id);

  async function isMounted(point: string): Promise<boolean> {
    return (await readFile('/proc/self/mountinfo', 'utf8')).includes(` ${point} `);
  }

  async function mountOptions(record: VolumeRecord): Promise<void> {
    const { type = '', device = '', o = '' } = record.options;
    if ((type === '' && device === '' && o === '') || (await isMounted(dataOf(record.name)))) return;
    const bind = o.split(',').some((option) => option === 'bind' || option === 'rbind');
    // mount(8) and not mount(2): nfs and cifs need their helpers, and option words become flags.
    await run('mount', [
      ...(type && !bind ? ['-t', type] : []),
      ...(o ? ['-o', o] : []),
      device || type,
      dataOf(record.name),
    ]).catch((error: unknown) => {
      throw volumeErrors.mountFailed(record.name, messageOf(error));
    });
  }

  const manager: VolumeManager = {
    list: (filters) =>
      [...volumes.values()]
        .filter((record) => matchesFilters(record, filters, usersOf(record.name).length > 0))
        .map(shown),
    inspect: (name) => shown(find(name)),

    async create(body) {
      const anonymous = body.Name === '';
      const name = anonymous ? randomBytes(32).toString('hex') : body.Name;
      if (name.length < 2) throw volumeErrors.shortName(name);
      if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) throw volumeErrors.badName(name);
      if (body.Driver !== '' && body.Driver !== 'local') throw volumeErrors.driver(name, body.Driver);
      const known = volumes.get(name);
      if (known) return shown(known);
      for (const option of Object.keys(body.DriverOpts)) {
        if (option === 'size') throw volumeErrors.noQuota(name);
        if (!OPTIONS.includes(option)) throw volumeErrors.badOption(name, option);
      }
      if (Object.keys(body.DriverOpts).length > 0)
        for (const needed of ['device', 'type'])
          if (!body.DriverOpts[needed]) throw volumeErrors.missingOption(name, needed);
      mkdirSync(dataOf(name), { recursive: true, mode: 0o755 });
      chmodSync(path.join(folder, name), 0o701); // the umask of galleyd is 077; containers with other users must get through
      chmodSync(dataOf(name), 0o755);
      await syncDirectory(folder);
      const record: VolumeRecord = {
        name,
        created: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
        labels: { ...body.Labels, ...(anonymous ? { [ANONYMOUS]: '' } : {}) },
        options: body.DriverOpts,
      };
      table.put(name, record);
      volumes.set(name, record);
      publish('create', name, { driver: 'local' });
      return shown(record);
    },

    async remove(name, force) {
      const record = volumes.get(name);
      if (!record) {
        if (force) return;
        throw volumeErrors.notFound(name);
      }
      const users = usersOf(name);
      if (users.length > 0) throw volumeErrors.inUse(name, users);
      // Unreference first, data later: a crash between leaves a folder without a row, which restore() removes.
      volumes.delete(name);
      table.delete(name);
      while (unmount(dataOf(name), MNT_DETACH));
      await rm(path.join(folder, name), { recursive: true, force: true });
      publish('destroy', name, { driver: 'local' });
    },

    async prune(filters) {
      const all = filters['all']?.some((value) => value === 'true' || value === '1') ?? false;
      const { all: _all, ...rest } = filters;
      const removed: string[] = [];
      let reclaimed = 0;
      for (const record of [...volumes.values()]) {
        if (
          usersOf(record.name).length > 0 ||
          (!all && record.labels[ANONYMOUS] === undefined) ||
          // As Docker: what is mounted from elsewhere is not this host's to count or clear.
          Object.keys(record.options).length > 0 ||
          !matchesFilters(record, rest, false)
        )
          continue;
        reclaimed += await manager.size(record.name);
        await manager.remove(record.name, true);
        removed.push(record.name);
      }
      return { VolumesDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: reclaimed };
    },

    reference(name, containerId, unnamed) {
      find(name);
      // One name is enough: who asked for the volume by its name wants to find it again.
      db.sql(
        'INSERT INTO volume_references (volume, container_id, unnamed) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET unnamed = min(unnamed, excluded.unnamed)',
      ).run(name, containerId, unnamed ? 1 : 0);
    },

    dereference(containerId) {
      const rows = db
        .sql('SELECT volume FROM volume_references WHERE container_id = ? AND unnamed = 1')
        .all(containerId) as unknown as { volume: string }[];
      db.sql('DELETE FROM volume_references WHERE container_id = ?').run(containerId);
      return rows
        .map((row) => row.volume)
        .filter((name) => volumes.get(name)?.labels[ANONYMOUS] !== undefined && usersOf(name).length === 0);
    },

    usersOf,

    async mount(name, containerId) {
      const record = find(name);
      await mountOptions(record);
      const users = mounted.get(name) ?? new Set();
      mounted.set(name, users.add(containerId));
      return dataOf(name);
    },

    async unmount(name, containerId) {
      const users = mounted.get(name);
      users?.delete(containerId);
      if (users?.size === 0) mounted.delete(name);
      const record = volumes.get(name);
      if (record && Object.keys(record.options).length > 0 && !mounted.has(name)) unmount(dataOf(name), MNT_DETACH);
    },

    async populate(name, sourceFolder) {
      const target = dataOf(name);
      const source = await lstat(sourceFolder).catch(() => null);
      if (!source?.isDirectory() || (await readdir(target)).length > 0) return;
      if (Object.keys(find(name).options).length > 0) {
        await run('cp', ['-a', `${sourceFolder}/.`, target]);
        return;
      }
      // Copied beside and renamed: a crash in between leaves the volume empty, not half full.
      const temporary = path.join(folder, name, `_copy-${process.pid}`);
      await rm(temporary, { recursive: true, force: true });
      try {
        await run('cp', ['-a', sourceFolder, temporary]);
        await rename(temporary, target);
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    },

    async size(name) {
      // Docker's sum: what files hold, one of several names for a file, folders nothing.
      const { stdout } = await run('find', [dataOf(name), '-xdev', '!', '-type', 'd', '-printf', '%D:%i %s\\n'], {
        allowFailure: true, // a file that goes meanwhile
      });
      const sizes = new Map(stdout.split('\n').flatMap((line) => (line ? [line.split(' ') as [string, string]] : [])));
      return [...sizes.values()].reduce((sum, size) => sum + Number(size), 0);
    },

    async restore(running) {
      for (const entry of await readdir(folder)) {
        if (volumes.has(entry)) continue;
        log.info('removing a volume folder that nothing refers to', { volume: entry });
        while (unmount(dataOf(entry), MNT_DETACH));
        await rm(path.join(folder, entry), { recursive: true, force: true });
      }
      for (const record of volumes.values()) {
        for (const user of usersOf(record.name)) if (running.has(user)) await manager.mount(record.name, user);
      }
    },
  };
  return manager;
}
