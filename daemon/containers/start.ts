import { mkdir } from 'node:fs/promises';
import { containerErrors } from '../errors/containers.ts';
import { EngineError, messageOf } from '../errors/engine-error.ts';
import { closeMounts, prepareSpec } from './bundle.ts';
import { type Core, createRun } from './core.ts';
import { startHealth } from './health.ts';
import { resolveLinks } from './links.ts';
import { ZERO_TIME } from './record.ts';
import { sandboxRequestOf } from './sandbox.ts';
import type { Entry } from './store.ts';

/** A failure of the OCI runtime: the exit code that Docker derives from its words (field/engine-api.md section 2.4). */
export function classifyStartFailure(words: string): { exitCode: number; error: EngineError; cause?: unknown } {
  const full = `failed to create task for container: failed to create shim task: OCI runtime create failed: ${words}: unknown`;
  if (/executable file not found|no such file or directory/i.test(words))
    return { exitCode: 127, error: containerErrors.runtimeFailed(full, 'caller', words) };
  if (/permission denied/i.test(words))
    return { exitCode: 126, error: containerErrors.runtimeFailed(full, 'caller', words) };
  // The CLI looks for "permission denied" to exit with 126, and newer runtimes say it otherwise.
  if (/is a directory/i.test(words))
    return { exitCode: 126, error: containerErrors.runtimeFailed(`${full}: permission denied`, 'caller', words) };
  if (/not a directory/i.test(words))
    return {
      exitCode: 127,
      error: containerErrors.runtimeFailed(
        `${full}: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type`,
        'caller',
        words,
      ),
    };
  return { exitCode: 128, error: containerErrors.runtimeFailed(full, 'engine', words) };
}

/** Runs the undo steps newest first; one that fails is logged and does not keep the others from running. False when one did. */
export async function rollBack(core: Core, id: string, undo: (() => Promise<void>)[]): Promise<boolean> {
  let whole = true;
  for (const step of undo.toReversed()) {
    try {
      await step();
    } catch (error) {
      whole = false;
      core.deps.log.warn('undo step failed', { container: id, error: messageOf(error) });
    }
  }
  return whole;
}

/**
 * Brings a container up; the caller holds its lock and has checked its state. All or nothing.
 * @throws EngineError 400 for a command that cannot run, 500 for the rest
 */
export async function startLocked(core: Core, entry: Entry): Promise<void> {
  const { deps, store } = core;
  const { id } = entry.record;
  const live = core.live(entry);
  const undo: (() => Promise<void>)[] = [];
  let atRuntime = false;
  try {
    if (live.unclean) await deps.runtime.remove(id); // what a failure has left of a former run
    const root = await deps.layers.mountRoot(id);
    undo.push(() => deps.layers.unmountRoot(id));
    const links = resolveLinks(core, entry);
    const request = sandboxRequestOf(entry.record);
    const sandbox = await deps.networks.setUp({ ...request, extraHosts: [...request.extraHosts, ...links.hosts] });
    undo.push(() => deps.networks.tearDown(id));
    const { config, hostConfig } = entry.record;
    try {
      const linked = { ...entry.record, config: { ...config, Env: [...links.env, ...(config.Env ?? [])] } };
      const spec = await prepareSpec(core, linked, root, sandbox, undo);
      const paths = core.paths(id);
      await mkdir(paths.folder, { recursive: true, mode: 0o700 });
      undo.push(() => deps.runtime.remove(id));
      atRuntime = true;
      const identity = await deps.runtime.create({
        id,
        spec,
        logPath: hostConfig.LogConfig.Type === 'none' ? null : paths.log,
        stdin: config.OpenStdin,
        tty: config.Tty,
        // A tty has no end of file by closing it: what a client's leaving must not do is hang up the terminal.
        leaveStdinOpen: config.OpenStdin && (!config.StdinOnce || config.Tty),
        runtime:
          hostConfig.Runtime === 'runc' || !hostConfig.Runtime ? (deps.defaultRuntime ?? 'runc') : hostConfig.Runtime,
        portDescriptors: sandbox.portDescriptors,
      });
      store.update(entry, { identity, starting: true });
    } finally {
      deps.networks.releaseDescriptors(sandbox);
    }
    await live.hub.beginRun();
    await deps.runtime.start(id);
  } catch (error) {
    live.unclean = !(await rollBack(core, id, undo));
    await live.hub.endRun();
    const words = messageOf(error);
    const failure = atRuntime ? classifyStartFailure(words) : { exitCode: 128, error: asEngineError(error) };
    store.update(entry, {
      identity: null,
      starting: false,
      status: entry.record.status === 'restarting' ? 'exited' : entry.record.status,
      error: failure.error.message,
      exitCode: failure.exitCode,
    });
    throw failure.error;
  }
  const run = createRun();
  live.run = run;
  live.stopping = false;
  const record = store.update(entry, {
    status: 'running',
    starting: false,
    exitCode: 0,
    error: '',
    oomKilled: false,
    startedAt: new Date().toISOString(),
    finishedAt: entry.record.finishedAt ?? ZERO_TIME,
    health: null,
  });
  startHealth(core, entry);
  core.emit(record, 'start');
  core.watchExit(entry, run);
}

function asEngineError(error: unknown): EngineError {
  return error instanceof EngineError ? error : new EngineError('system', messageOf(error), { cause: error });
}

/** After the exit: network, mounts and the bundle go, side by side, for none needs another. Every step is tried. */
export async function releaseRun(core: Core, entry: Entry): Promise<void> {
  const { id } = entry.record;
  const { networks, runtime } = core.deps;
  const steps = [() => networks.tearDown(id), () => closeMounts(core, entry.record), () => runtime.remove(id)];
  const done = await Promise.all(steps.map((step) => rollBack(core, id, [step])));
  core.live(entry).unclean = done.includes(false);
}
