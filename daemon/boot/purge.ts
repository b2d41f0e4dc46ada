import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors/index.ts';
import { cgroupIsEmpty, removeCgroups } from '../system/cgroups.ts';
import type { Log } from '../system/log.ts';
import { removeLogFiles } from '../system/log-file.ts';
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

/**
 * Removes every container, network and volume of this galleyd, its folders and its log: afterwards no mount, bridge, nft table, cgroup or
 * file of it is left.
 * @throws SettingsError while a galleyd runs on the data root.
 */
export async function purge(settings: Settings, log: Log): Promise<void> {
  if (existsSync(settings.dataRoot)) {
    using _lock = lockRoot(settings.dataRoot, 'data-root');
    const engine = await createEngine(settings, log, openDatabase(settings.dataRoot));
    await engine.containers.restore();
    for (const container of await engine.containers.list({ all: true, limit: 0, size: false, filters: {} })) {
      await engine.containers
        .remove(container.Id, { force: true, volumes: true, link: false })
        .catch((error: unknown) => {
          log.warn('a container resists its removal; its folders go all the same', {
            container: container.Id,
            error: messageOf(error),
          });
        });
    }
    await engine.networks.destroy();
    await engine.close();
  }
  // The conmons were killed just now: a cgroup goes only when the last of them has gone.
  for (let i = 0; i < CGROUP_LOOKS && !cgroupIsEmpty(settings.name); i += 1) await sleep(CGROUP_PAUSE_MS);
  removeCgroups(settings.name);
  const folders = [settings.dataRoot, settings.execRoot];
  for (const point of mountsBelow(folders)) unmount(point, MNT_DETACH);
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  if (settings.logFile) removeLogFiles(settings.logFile);
}
