import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CreateExecBody,
  goDuration,
  type Health,
  type HealthConfig,
  type HealthLog,
} from '../../src/api/index.ts';
import { messageOf } from '../errors/engine-error.ts';
import type { Core } from './core.ts';
import { spawnExec } from './exec-process.ts';
import { isAlive } from './record.ts';
import type { Entry } from './store.ts';

const SECOND = 1e9;
const OUTPUT_LIMIT = 4096;
const KEPT_RESULTS = 5;
const MS = 1e6;
const DRAIN_MS = 1000;

/** The probe's command line; undefined: no health check. */
export function probeCommand(
  config: HealthConfig | undefined,
  shell: readonly string[] | undefined,
): string[] | undefined {
  const [kind, ...rest] = config?.Test ?? [];
  if (kind === 'CMD') return rest.length > 0 ? rest : undefined;
  if (kind === 'CMD-SHELL') return [...(shell && shell.length > 0 ? shell : ['/bin/sh', '-c']), rest.join(' ')];
  return undefined; // NONE, or nothing
}

/** The state after one more result (field/engine-api.md section 2.8). Pure. */
export function nextHealth(health: Health, result: HealthLog, config: HealthConfig, startedAt: number): Health {
  const Log = [...health.Log, result].slice(-KEPT_RESULTS);
  if (result.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log };
  const inStartPeriod = Date.parse(result.Start) - startedAt < (config.StartPeriod ?? 0) / MS;
  if (health.Status === 'starting' && inStartPeriod) return { ...health, Log };
  const FailingStreak = health.FailingStreak + 1;
  return { Status: FailingStreak >= (config.Retries || 3) ? 'unhealthy' : health.Status, FailingStreak, Log };
}

/** Starts the probes of a container that has just started, or that a former galleyd started. */
export function startHealth(core: Core, entry: Entry, adopted = false): void {
  const { config } = entry.record;
  const command = probeCommand(config.Healthcheck, config.Shell);
  const check = config.Healthcheck;
  if (!command || !check) return;
  const abort = new AbortController();
  core.live(entry).health?.stop();
  core.live(entry).health = { stop: () => abort.abort() };
  if (!adopted || !entry.record.health)
    core.store.update(entry, { health: { Status: 'starting', FailingStreak: 0, Log: [] } });
  void watch(core, entry, check, command, abort.signal).catch((error: unknown) => {
    if (!abort.signal.aborted)
      core.deps.log.error('health checks ended', { container: entry.record.id, error: messageOf(error) });
  });
}

async function watch(
  core: Core,
  entry: Entry,
  check: HealthConfig,
  command: string[],
  signal: AbortSignal,
): Promise<void> {
  const startedAt = Date.parse(entry.record.startedAt);
  for (;;) {
    const inStart =
      entry.record.health?.Status === 'starting' && Date.now() - startedAt < (check.StartPeriod ?? 0) / MS;
    const interval = inStart ? check.StartInterval || 5 * SECOND : check.Interval || 30 * SECOND;
    await sleep(interval / MS, undefined, { signal, ref: false });
    if (entry.record.status !== 'running') continue; // a paused container is not probed
    const result = await probe(core, entry, check, command);
    if (signal.aborted || !isAlive(entry.record) || !entry.record.health) return;
    const before = entry.record.health;
    const after = nextHealth(before, result, check, startedAt);
    const record = core.store.update(entry, { health: after });
    if (after.Status !== before.Status) core.emit(record, `health_status: ${after.Status}`);
  }
}

async function probe(core: Core, entry: Entry, check: HealthConfig, command: string[]): Promise<HealthLog> {
  const Start = new Date().toISOString();
  const done = (ExitCode: number, Output: string): HealthLog => ({
    Start,
    End: new Date().toISOString(),
    ExitCode,
    Output,
  });
  const timeout = check.Timeout || 30 * SECOND;
  const body: CreateExecBody = {
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    DetachKeys: '',
    Tty: false,
    Env: null,
    Cmd: command,
    Privileged: false,
    User: '',
    WorkingDir: '',
  };
  const output: Buffer[] = [];
  let size = 0;
  const text = () =>
    Buffer.concat(output).subarray(0, OUTPUT_LIMIT).toString('utf8') + (size > OUTPUT_LIMIT ? '...' : '');
  const timer = new AbortController();
  try {
    const task = await spawnExec(core, entry.record, randomBytes(32).toString('hex'), body);
    task.stream?.onData((_stream, data) => {
      if (size <= OUTPUT_LIMIT) output.push(data);
      size += data.length;
    });
    const drained = new Promise<void>((resolve) => {
      if (task.stream) task.stream.onEnd(resolve);
      else resolve();
    });
    const { pid } = await task.start();
    const late = sleep(timeout / MS, 'late' as const, { signal: timer.signal, ref: false });
    const outcome = await Promise.race([task.exited(), late.catch(() => 'late' as const)]);
    if (outcome !== 'late') {
      // The exit code may overtake the last words.
      await Promise.race([drained, sleep(DRAIN_MS, undefined, { signal: timer.signal, ref: false }).catch(() => {})]);
      return done(outcome, text());
    }
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    return done(-1, `Health check exceeded timeout (${goDuration(timeout)})${size > 0 ? `: ${text()}` : ''}`);
  } catch (error) {
    return done(-1, messageOf(error));
  } finally {
    timer.abort();
  }
}
