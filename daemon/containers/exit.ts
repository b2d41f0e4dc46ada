import { messageOf } from '../errors/engine-error.ts';
import type { ExitStatus } from '../runtime/types.ts';
import type { Core, Run } from './core.ts';
import { removeContainer } from './remove.ts';
import { nextDelay, shouldRestart } from './restart-policy.ts';
import { scheduleRestart } from './restart-timer.ts';
import { releaseRun, startLocked } from './start.ts';
import type { Entry } from './store.ts';

/** Waits for the end of a run and does what follows from it. Never rejects. */
export function watchExit(core: Core, entry: Entry, run: Run): void {
  void core.deps.runtime
    .exited(entry.record.id)
    .then((status) => handleExit(core, entry, run, status))
    .catch((error: unknown) => {
      core.deps.log.error('the end of a container could not be handled', {
        container: entry.record.id,
        error: messageOf(error),
      });
      run.finish();
    });
}

/** Record first, then the events, then the clean-up, then whoever waits. */
export async function handleExit(
  core: Core,
  entry: Entry,
  run: Run,
  status: ExitStatus,
  /** At boot the restart policies are applied later, when the networks are back. */
  { mayRestart }: { mayRestart: boolean } = { mayRestart: true },
): Promise<void> {
  if (core.closed) return; // the next galleyd takes the exit file
  const live = core.live(entry);
  let autoRemove = false;
  await entry.mutex.run('exit', async () => {
    const before = entry.record;
    const ranFor = status.at.getTime() - Date.parse(before.startedAt);
    const restart =
      mayRestart &&
      before.removing === null &&
      shouldRestart({
        policy: before.hostConfig.RestartPolicy,
        exitCode: status.exitCode,
        restartCount: before.restartCount,
        wanted: before.manuallyStopped || live.stopping,
      });
    live.health?.stop();
    live.health = null;
    const record = core.store.update(entry, {
      status: restart ? 'restarting' : 'exited',
      identity: null,
      starting: false,
      exitCode: status.exitCode,
      oomKilled: status.oomKilled,
      finishedAt: status.at.toISOString(),
      restartCount: restart ? before.restartCount + 1 : before.restartCount,
      health: before.health ? { ...before.health, Status: 'unhealthy' } : null,
    });
    if (status.oomKilled) core.emit(record, 'oom');
    core.emit(record, 'die', {
      exitCode: String(status.exitCode),
      execDuration: String(Math.max(0, Math.trunc(ranFor / 1000))),
    });
    run.over.abort();
    await live.hub.endRun();
    await releaseRun(core, entry);
    live.run = null;
    run.finish();
    for (const exited of [...live.exits]) exited(status.exitCode);
    if (restart) scheduleRestart(core, entry, nextDelay(live.restartDelay, ranFor), restartNow);
    else autoRemove = record.hostConfig.AutoRemove && record.removing === null && !live.keepOnExit;
  });
  if (autoRemove) await autoRemoveContainer(core, entry);
}

/** `--rm`: what goes wrong is told to whoever waits for the removal, and in the log. */
export async function autoRemoveContainer(core: Core, entry: Entry): Promise<void> {
  try {
    await removeContainer(core, entry, entry.record.id, { force: true, volumes: true });
  } catch (error) {
    core.deps.log.warn('auto-remove failed', { container: entry.record.id, error: messageOf(error) });
  }
}

/** When the back-off is over. Never rejects. */
export async function restartNow(core: Core, entry: Entry): Promise<void> {
  try {
    await entry.mutex.run('restart', async () => {
      if (core.closed || entry.record.status !== 'restarting' || entry.record.removing) return;
      try {
        await startLocked(core, entry);
      } catch (error) {
        core.deps.log.warn('restart failed', { container: entry.record.id, error: messageOf(error) });
        const { hostConfig, restartCount, exitCode } = entry.record;
        const again = shouldRestart({ policy: hostConfig.RestartPolicy, exitCode, restartCount, wanted: false });
        core.store.update(entry, {
          status: again ? 'restarting' : 'exited',
          finishedAt: new Date().toISOString(),
          restartCount: again ? restartCount + 1 : restartCount,
        });
        if (again) scheduleRestart(core, entry, nextDelay(core.live(entry).restartDelay, 0), restartNow);
      }
    });
  } catch (error) {
    core.deps.log.error('restart failed', { container: entry.record.id, error: messageOf(error) });
  }
}
