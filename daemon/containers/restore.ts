import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors/engine-error.ts';
import type { ExitStatus } from '../runtime/types.ts';
import { type Core, createRun } from './core.ts';
import { autoRemoveContainer, handleExit, restartNow } from './exit.ts';
import { startHealth } from './health.ts';
import { isAlive, ZERO_TIME } from './record.ts';
import { finishRemoval } from './remove.ts';
import { shouldStartAtBoot } from './restart-policy.ts';
import { scheduleRestart } from './restart-timer.ts';
import { releaseRun } from './start.ts';
import type { Entry } from './store.ts';

/** Nothing is known of how it ended (a reboot, a lost exit file): Docker's answer. */
const UNKNOWN_EXIT = 255;
const EXIT_WAIT_MS = 5000;

async function exitOf(core: Core, entry: Entry, known: boolean): Promise<ExitStatus> {
  const unknown = (): ExitStatus => ({ exitCode: UNKNOWN_EXIT, oomKilled: false, at: new Date() });
  if (!known) return unknown();
  // The process is gone, so its exit file is there at once or never; the boot must not wait for never.
  const late = new AbortController();
  const never = sleep(EXIT_WAIT_MS, undefined, { signal: late.signal }).then(unknown, unknown);
  try {
    return await Promise.race([core.deps.runtime.exited(entry.record.id), never]);
  } finally {
    late.abort();
  }
}

/** Brings one record and the kernel's truth together (design section 4). */
async function restoreOne(core: Core, entry: Entry): Promise<void> {
  const { deps, store } = core;
  const { record } = entry;
  const wasAlive = isAlive(record) || record.starting;
  const status = wasAlive ? await deps.runtime.status(record.id, record.identity) : 'absent';
  if ((status === 'running' || status === 'paused') && record.identity) {
    const run = createRun();
    const live = core.live(entry);
    live.run = run;
    live.hub.adoptRun();
    for (const mount of record.mounts) if (mount.Type === 'volume') live.volumes.add(mount.Name);
    store.update(entry, {
      status,
      starting: false,
      // galleyd was killed between the start and its record
      startedAt: record.starting && !isAlive(record) ? new Date().toISOString() : record.startedAt,
    });
    startHealth(core, entry, true);
    core.watchExit(entry, run);
    return;
  }
  if (record.starting && !isAlive(record) && status !== 'stopped') {
    // Cut before the process ran: the client was told nothing, so it is as it was before; --rm goes, as after a failed start.
    await releaseRun(core, entry);
    store.update(entry, { starting: false, identity: null });
    if (record.hostConfig.AutoRemove && !record.removing) await autoRemoveContainer(core, entry);
    return;
  }
  if (wasAlive) {
    const exit = await exitOf(core, entry, status === 'stopped');
    // galleyd was killed between the start and its record, and the process ended since
    if (record.starting) store.update(entry, { startedAt: exit.at.toISOString() });
    const run = createRun();
    core.live(entry).run = run;
    core.live(entry).keepOnExit = true; // auto-removal waits for applyRestartPolicies
    try {
      await handleExit(core, entry, run, exit, { mayRestart: false });
    } finally {
      core.live(entry).keepOnExit = false;
    }
    return;
  }
  if (record.status === 'restarting') store.update(entry, { status: 'exited' });
  await releaseRun(core, entry);
}

/** Bundles, roots and folders that no record speaks of: a create that a crash cut. */
async function removeStrays(core: Core): Promise<void> {
  const { deps, store } = core;
  const base = path.join(deps.dataRoot, 'containers');
  const folders = await readdir(base).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const strays = new Set(
    [...folders, ...(await deps.runtime.bundles()), ...(await deps.layers.roots())].filter((id) => !store.get(id)),
  );
  for (const id of strays) {
    try {
      await deps.runtime.remove(id);
      await deps.networks.tearDown(id);
      await deps.layers.removeRoot(id);
      for (const volume of deps.volumes.dereference(id)) await deps.volumes.remove(volume, true);
      await rm(path.join(base, id), { recursive: true, force: true });
      deps.log.info('removed what a cut create had left', { container: id });
    } catch (error) {
      deps.log.warn('left-over of a container could not be removed', { container: id, error: messageOf(error) });
    }
  }
}

/** Boot, first part: every record is true again. One container's trouble does not keep the others from being restored. */
export async function restoreAll(core: Core): Promise<void> {
  await Promise.all(
    core.store.all().map(async (entry) => {
      try {
        await restoreOne(core, entry);
        const { removing } = entry.record;
        if (removing && core.store.get(entry.record.id)) await finishRemoval(core, entry, removing.volumes, true);
      } catch (error) {
        core.deps.log.error('container could not be restored', { container: entry.record.id, error: messageOf(error) });
      }
    }),
  );
  await removeStrays(core);
}

/** Boot, second part, when the networks are back. */
export async function applyPolicies(core: Core): Promise<void> {
  for (const entry of core.store.all()) {
    const { record } = entry;
    if (record.status !== 'exited' || record.startedAt === ZERO_TIME || record.removing) continue;
    const { hostConfig, exitCode, restartCount, manuallyStopped } = record;
    const start = shouldStartAtBoot({
      policy: hostConfig.RestartPolicy,
      exitCode,
      restartCount,
      wanted: manuallyStopped,
    });
    if (start) {
      core.store.update(entry, { status: 'restarting', manuallyStopped: false });
      scheduleRestart(core, entry, 0, restartNow);
    } else if (hostConfig.AutoRemove) await autoRemoveContainer(core, entry);
  }
}
