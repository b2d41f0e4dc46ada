import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors/index.ts';
import { ownershipMark } from '../networks/index.ts';
import { Database } from '../state/index.ts';
import { cgroupProcesses, removeCgroups } from '../system/cgroups.ts';
import type { Log } from '../system/log.ts';
import { removeLogFiles } from '../system/log-file.ts';
import { run } from '../system/spawn.ts';
import { MNT_DETACH, unmount } from '../system/syscalls.ts';
import { createEngine, openDatabase } from './engine.ts';
import { lockRoot } from './lock.ts';
import type { Settings } from './settings.ts';

const CGROUP_LOOKS = 100;
const CGROUP_PAUSE_MS = 20;

/** Everything mounted at or below one of the folders, deepest first. */
function mountsBelow(folders: readonly string[]): string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    );
  return points
    .filter((point) => folders.some((folder) => point === folder || point.startsWith(`${folder}/`)))
    .reverse();
}

/** The database, or an empty one in memory where it cannot be used: a purge must work on what is broken too. */
function databaseForPurge(dataRoot: string, log: Log): Database {
  try {
    return openDatabase(dataRoot);
  } catch (error) {
    log.warn('going on without the database', { error: messageOf(error) });
    return new Database(':memory:');
  }
}

/** Ends what is left in the cgroups, and waits for it: a cgroup goes only when the last process has gone. */
async function killCgroups(name: string): Promise<void> {
  for (let i = 0; i < CGROUP_LOOKS; i += 1) {
    const pids = cgroupProcesses(name).filter((pid) => pid !== process.pid);
    if (pids.length === 0) break;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it ended meanwhile
      }
    }
    await sleep(CGROUP_PAUSE_MS);
  }
  await removeCgroups(name);
}

/** Bridges that carry this galleyd's mark, whatever the database knew of them. */
async function removeMarkedLinks(name: string): Promise<void> {
  const folder = '/sys/class/net';
  for (const link of readdirSync(folder)) {
    const file = path.join(folder, link, 'ifalias');
    if (existsSync(file) && readFileSync(file, 'utf8').trim() === ownershipMark(name))
      await run('ip', ['link', 'delete', link]);
  }
}

/**
 * Removes every container, network and volume of this galleyd, its folders and its log: afterwards no mount, bridge, nft table, cgroup or
 * file of it is left. A database that cannot be used does not stop it.
 * @throws SettingsError while a galleyd runs on the data root.
 */
export async function purge(settings: Settings, log: Log): Promise<void> {
  const { dataRoot, execRoot, name, logFile } = settings;
  if (existsSync(dataRoot)) {
    using _lock = lockRoot(dataRoot, 'data-root');
    // Nobody needs the blobs any more, and on a full disk the database needs room to take its leave.
    await rm(path.join(dataRoot, 'content', 'blobs'), { recursive: true, force: true });
    const engine = await createEngine(settings, log, databaseForPurge(dataRoot, log));
    await engine.containers.restore();
    for (const container of await engine.containers.list({ all: true, limit: 0, size: false, filters: {} })) {
      await engine.containers
        .remove(container.Id, { force: true, volumes: true, link: false })
        .catch((error: unknown) => {
          log.warn('a container resists its removal; it is killed, and its folders go all the same', {
            container: container.Id,
            error: messageOf(error),
          });
        });
    }
    await engine.networks.destroy();
    await engine.close();
  }
  await killCgroups(name);
  await removeMarkedLinks(name);
  const folders = [dataRoot, execRoot];
  for (const point of mountsBelow(folders)) unmount(point, MNT_DETACH);
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  if (logFile) removeLogFiles(logFile);
}
