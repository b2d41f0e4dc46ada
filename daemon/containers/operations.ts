import type { HostConfig } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import { EngineError, messageOf } from '../errors/engine-error.ts';
import { checkRestartPolicy } from './check.ts';
import { checkResources, limitToHost } from './check-resources.ts';
import type { Core, Run } from './core.ts';
import { autoRemoveContainer } from './exit.ts';
import { checkName } from './names.ts';
import { type ContainerRecord, isAlive } from './record.ts';
import { cancelRestart } from './restart-timer.ts';
import { SIGKILL, SIGTERM, signalNumber } from './signals.ts';
import { startLocked } from './start.ts';
import type { Entry } from './store.ts';
import { wake } from './wake.ts';

const DEFAULT_STOP_S = 10;
const KILL_WAIT_MS = 10_000;
const LAST_WAIT_MS = 2000;

/** @throws EngineError 304, 400, 409, 500 */
export async function startContainer(core: Core, entry: Entry): Promise<void> {
  const live = core.live(entry);
  try {
    await entry.mutex.run('start', async () => {
      const { record } = entry;
      if (record.removing) throw containerErrors.startRemoving();
      if (record.status === 'paused') throw containerErrors.startPaused();
      if (record.status === 'running' || record.status === 'restarting')
        throw containerErrors.alreadyStarted(record.name);
      if (record.status === 'dead') throw containerErrors.startRemoving();
      core.store.update(entry, { manuallyStopped: false, restartCount: 0, starting: true });
      live.restartDelay = 0;
      await startLocked(core, entry);
    });
  } catch (error) {
    const failed = !isAlive(entry.record) && entry.record.error !== '';
    if (failed && entry.record.hostConfig.AutoRemove && !live.keepOnExit) await autoRemoveContainer(core, entry);
    throw error;
  }
}

/** Resolves true when the run ended within `ms` (Infinity: as long as it takes). */
async function endedWithin(run: Run, ms: number): Promise<boolean> {
  if (ms === Number.POSITIVE_INFINITY) {
    await run.ended;
    return true;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const outcome = await Promise.race([run.ended.then(() => true), late]);
  clearTimeout(timer);
  return outcome;
}

function stopSignalOf(record: ContainerRecord): number {
  return record.config.StopSignal ? signalNumber(record.config.StopSignal) : SIGTERM;
}

/** Sends a signal under the lock, so that its event comes before the death it causes. Wakes a paused container, as dockerd does. */
async function sendSignal(core: Core, entry: Entry, signal: number, refuse: () => Error): Promise<Run | null> {
  return entry.mutex.run('kill', async () => {
    const { record } = entry;
    const live = core.live(entry);
    const isStop = signal === SIGKILL || signal === stopSignalOf(record);
    if (record.status === 'restarting' && isStop && cancelRestart(core, entry)) {
      core.store.update(entry, { status: 'exited', manuallyStopped: true });
      for (const exited of [...live.exits]) exited(record.exitCode);
      return null;
    }
    if (!isAlive(record) || !live.run) throw refuse();
    if (isStop) core.store.update(entry, { manuallyStopped: true });
    await core.deps.runtime.kill(record.id, signal);
    if (record.status === 'paused') {
      await wake(core, record.id);
      core.emit(core.store.update(entry, { status: 'running' }), 'unpause');
    }
    core.emit(entry.record, 'kill', { signal: String(signal) });
    return live.run;
  });
}

/** SIGKILL, and if the runtime's way does not work, the kernel's. @throws EngineError when nothing helps */
async function killForSure(core: Core, entry: Entry, run: Run): Promise<void> {
  const { id, identity } = entry.record;
  try {
    await sendSignal(core, entry, SIGKILL, () => containerErrors.notRunning(id));
  } catch (error) {
    if (!isAlive(entry.record)) return;
    core.deps.log.warn('kill through the runtime failed', { container: id, error: messageOf(error) });
  }
  if (await endedWithin(run, KILL_WAIT_MS)) return;
  if (identity) {
    try {
      process.kill(identity.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  if (!(await endedWithin(run, LAST_WAIT_MS))) throw containerErrors.noExitEvent(id);
}

/** @throws EngineError 304 when it does not run, 400, 500 */
export async function stopContainer(
  core: Core,
  entry: Entry,
  options: { signal?: string; timeout?: number },
): Promise<void> {
  const { record } = entry;
  const live = core.live(entry);
  const signal = options.signal ? signalNumber(options.signal) : stopSignalOf(record);
  if (!isAlive(record) && record.status !== 'restarting') throw containerErrors.alreadyStopped(record.name);
  const seconds = options.timeout ?? record.config.StopTimeout ?? DEFAULT_STOP_S;
  live.stopping = true;
  core.store.update(entry, { manuallyStopped: true });
  const run = live.run;
  try {
    const sent = await sendSignal(core, entry, signal, () => containerErrors.notRunning(record.id));
    if (sent && !(await endedWithin(sent, seconds < 0 ? Number.POSITIVE_INFINITY : seconds * 1000)))
      await killForSure(core, entry, sent);
  } catch (error) {
    if (!isAlive(entry.record)) {
      await run?.ended;
    } else if (run && !(await endedWithin(run, LAST_WAIT_MS))) {
      core.deps.log.warn('stop signal failed', { container: record.id, error: messageOf(error) });
      await killForSure(core, entry, run);
    }
  }
  core.emit(entry.record, 'stop');
}

/** @throws EngineError 400, 404, 500 */
export async function restartContainer(
  core: Core,
  entry: Entry,
  reference: string,
  options: { signal?: string; timeout?: number },
): Promise<void> {
  const live = core.live(entry);
  live.keepOnExit = true;
  try {
    if (isAlive(entry.record) || entry.record.status === 'restarting') await stopContainer(core, entry, options);
    await startContainer(core, entry);
  } catch (error) {
    throw error instanceof EngineError ? containerErrors.cannotRestart(reference, error) : error;
  } finally {
    live.keepOnExit = false;
  }
  core.emit(entry.record, 'restart');
}

/** @throws EngineError 400, 409 */
export async function killContainer(core: Core, entry: Entry, signalText: string): Promise<void> {
  const signal = signalNumber(signalText || 'KILL');
  const { id } = entry.record;
  const refuse = () => containerErrors.notRunning(id);
  if (signal !== SIGKILL) {
    await sendSignal(core, entry, signal, refuse);
    return;
  }
  const run = await sendSignal(core, entry, signal, refuse);
  if (run && !(await endedWithin(run, KILL_WAIT_MS))) throw containerErrors.noExitEvent(id);
}

/** @throws EngineError 409 */
export async function pauseContainer(core: Core, entry: Entry): Promise<void> {
  await entry.mutex.run('pause', async () => {
    const { record } = entry;
    if (record.status === 'paused') throw containerErrors.alreadyPaused(record.id);
    if (record.status === 'restarting') throw containerErrors.restarting(record.id);
    if (record.status !== 'running') throw containerErrors.notRunning(record.id);
    await core.deps.runtime.pause(record.id);
    core.emit(core.store.update(entry, { status: 'paused' }), 'pause');
  });
}

/** @throws EngineError 409 */
export async function unpauseContainer(core: Core, entry: Entry): Promise<void> {
  await entry.mutex.run('unpause', async () => {
    if (entry.record.status !== 'paused') throw containerErrors.notPaused(entry.record.id);
    await core.deps.runtime.resume(entry.record.id);
    core.emit(core.store.update(entry, { status: 'running' }), 'unpause');
  });
}

function allocating<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof EngineError ? containerErrors.renameFailed(error) : error;
  }
}

/** @throws EngineError 400, 409 */
export async function renameContainer(core: Core, entry: Entry, given: string): Promise<void> {
  if (given === '') throw containerErrors.emptyName();
  const name = allocating(() => checkName(`/${given.replace(/^\//, '')}`));
  await entry.mutex.run('rename', async () => {
    const { name: old, removing } = entry.record;
    if (removing) throw containerErrors.conflict(`container ${old} is marked for removal and cannot be renamed`);
    if (old === name) throw containerErrors.sameName();
    allocating(() => core.store.rename(entry, name));
    core.emit(entry.record, 'rename', { oldName: `/${old}` });
  });
}

const UPDATABLE = [
  'BlkioWeight',
  'CpuPeriod',
  'CpuQuota',
  'CpuShares',
  'CpusetCpus',
  'CpusetMems',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'Memory',
  'MemoryReservation',
  'MemorySwap',
  'NanoCpus',
  'PidsLimit',
] as const satisfies readonly (keyof HostConfig)[];

/** The new HostConfig: a field that is absent or zero stays as it was. */
export function mergeUpdate(current: HostConfig, change: Partial<HostConfig>): HostConfig {
  const changed = Object.fromEntries(UPDATABLE.filter((key) => change[key]).map((key) => [key, change[key]]));
  const next: HostConfig = { ...current, ...changed };
  if (change.RestartPolicy?.Name) next.RestartPolicy = change.RestartPolicy;
  // A swap limit that came from the memory limit follows it.
  if (change.Memory && !change.MemorySwap && current.MemorySwap === current.Memory * 2)
    next.MemorySwap = change.Memory * 2;
  if (next.PidsLimit !== null && (next.PidsLimit ?? 0) < 0) next.PidsLimit = null;
  return next;
}

/** @throws EngineError 400, 409 */
export async function updateContainer(
  core: Core,
  entry: Entry,
  change: Partial<HostConfig>,
): Promise<{ Warnings: string[] }> {
  return entry.mutex.run('update', async () => {
    const { record } = entry;
    if (record.removing) throw containerErrors.updateMarked(record.id);
    const { hostConfig, warnings } = limitToHost(mergeUpdate(record.hostConfig, change), core.host);
    if (record.hostConfig.AutoRemove && !['', 'no'].includes(hostConfig.RestartPolicy.Name))
      throw containerErrors.updateRestartAutoRemove(record.id);
    checkResources(hostConfig, core.host);
    checkRestartPolicy(hostConfig);
    if (isAlive(record) && UPDATABLE.some((key) => change[key])) await core.deps.runtime.update(record.id, hostConfig);
    core.emit(core.store.update(entry, { hostConfig }), 'update');
    return { Warnings: warnings };
  });
}

/** @throws EngineError 409 */
export async function resizeContainer(core: Core, entry: Entry, rows: number, columns: number): Promise<void> {
  if (!isAlive(entry.record)) throw containerErrors.notRunning(entry.record.id);
  await core.deps.runtime.resize(entry.record.id, rows, columns);
  core.emit(entry.record, 'resize', { height: String(rows), width: String(columns) });
}
