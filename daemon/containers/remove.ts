import { rm } from 'node:fs/promises';
import { containerErrors } from '../errors/containers.ts';
import { messageOf } from '../errors/engine-error.ts';
import { closeMounts } from './bundle.ts';
import type { Core } from './core.ts';
import { isAlive } from './record.ts';
import { cancelRestart } from './restart-timer.ts';
import { SIGKILL } from './signals.ts';
import type { Entry } from './store.ts';
import { wake } from './wake.ts';

const KILL_WAIT_MS = 10_000;

/**
 * `docker rm`: the tombstone is written first, so that a removal that a crash cuts is finished at the next boot.
 * @param reference what the client called it, for messages
 * @throws EngineError 409
 */
export async function removeContainer(
  core: Core,
  entry: Entry,
  reference: string,
  options: { force: boolean; volumes: boolean },
): Promise<void> {
  const live = core.live(entry);
  if (live.removal) throw containerErrors.removalInProgress(reference);
  const { record } = entry;
  if (!options.force) {
    if (record.status === 'paused') throw containerErrors.removePaused(record.name);
    if (record.status === 'running') throw containerErrors.removeRunning(record.name);
    if (record.status === 'restarting') throw containerErrors.removeRestarting(record.name);
  }
  live.removal = finishRemoval(core, entry, options.volumes, options.force);
  try {
    await live.removal;
  } finally {
    live.removal = null;
  }
}

/** Also at boot, for a tombstone that was found. */
export async function finishRemoval(core: Core, entry: Entry, volumes: boolean, force: boolean): Promise<void> {
  const live = core.live(entry);
  try {
    const run = await entry.mutex.run('remove', async () => {
      // A start may have won the lock meanwhile.
      if (!force && isAlive(entry.record)) throw containerErrors.removeRunning(entry.record.name);
      core.store.update(entry, { removing: { volumes } });
      cancelRestart(core, entry);
      if (isAlive(entry.record)) await kill(core, entry); // under the lock: its event comes before the death
      return live.run;
    });
    if (run) await endOf(entry, run.ended);
    await entry.mutex.run('remove', () => dismantle(core, entry, volumes));
  } catch (error) {
    if (entry.record.removing) core.store.update(entry, { status: 'dead' });
    for (const done of [...live.removals]) done({ exitCode: entry.record.exitCode, error: messageOf(error) });
    throw error;
  }
  core.emit(entry.record, 'destroy');
  for (const done of [...live.removals]) done({ exitCode: entry.record.exitCode });
  core.forget(entry.record.id);
}

async function kill(core: Core, entry: Entry): Promise<void> {
  const { id, status } = entry.record;
  await core.deps.runtime.kill(id, SIGKILL);
  if (status === 'paused') await wake(core, id);
  core.emit(entry.record, 'kill', { signal: String(SIGKILL) });
}

async function endOf(entry: Entry, ended: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), KILL_WAIT_MS);
  });
  const outcome = await Promise.race([ended, late]);
  clearTimeout(timer);
  if (outcome === 'late') throw containerErrors.noExitEvent(entry.record.id);
}

/** Data first, the record last: while the record is there the removal can be tried again. */
async function dismantle(core: Core, entry: Entry, withVolumes: boolean): Promise<void> {
  const { deps } = core;
  const { id, name } = entry.record;
  try {
    await deps.runtime.remove(id);
    await deps.networks.tearDown(id);
    await closeMounts(core, entry.record);
    await Promise.all([deps.layers.removeRoot(id), rm(core.paths(id).folder, { recursive: true, force: true })]);
  } catch (error) {
    throw containerErrors.removalFailed(name, messageOf(error));
  }
  const orphans = deps.volumes.dereference(id);
  core.store.delete(entry);
  core.live(entry).hub.close();
  if (!withVolumes) return;
  for (const volume of orphans) {
    try {
      await deps.volumes.remove(volume, true);
    } catch (error) {
      deps.log.warn('anonymous volume could not be removed', { volume, error: messageOf(error) });
    }
  }
}
