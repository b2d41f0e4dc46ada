import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../errors/engine-error.ts';
import { runtimeErrors } from '../errors/runtime.ts';
import { cgroupFolder, readCgroupFile } from '../system/cgroups.ts';
import { findTool } from '../system/find-tool.ts';
import type { Log } from '../system/log.ts';
import { isSameProcess, type ProcessIdentity } from '../system/processes.ts';
import { CommandError, run } from '../system/spawn.ts';
import { readTask, runtimePaths, type TaskRecord } from './bundle.ts';
import { control } from './control.ts';
import { createTask } from './create.ts';
import { adoptExecs, prepareExec } from './exec.ts';
import { Exits } from './exits.ts';
import type { HostFacts } from './host-facts.ts';
import { isRunc, removeTask } from './remove.ts';
import { buildResources } from './resources.ts';
import { readSample } from './sample.ts';
import { openExecFifo } from './start.ts';
import { openTaskStream } from './task-stream.ts';
import { topOf } from './top.ts';
import type { Runtime, TaskStatus } from './types.ts';
import { runtimeWords } from './words.ts';

export interface RuntimeOptions {
  execRoot: string;
  log: Log;
  host: HostFacts;
}

/** Containers by conmon and an OCI runtime. All state is on disk below the exec root, so a new galleyd takes over where the old one stopped. */
export function createRuntime({ execRoot, log, host }: RuntimeOptions): Runtime {
  const paths = runtimePaths(execRoot);
  for (const folder of [paths.bundles, paths.execs]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  adoptExecs(paths);
  const exits = new Exits(paths);

  const initOf = (id: string): ProcessIdentity | null => readTask(paths.bundle(id))?.init ?? null;
  const aliveInit = (id: string): ProcessIdentity | null => {
    const init = initOf(id);
    return init && isSameProcess(init) ? init : null;
  };
  /** @throws EngineError 409 when there is no such container. */
  const taskOf = (id: string): TaskRecord => {
    const task = readTask(paths.bundle(id));
    if (!task) throw runtimeErrors.notRunning(id);
    return task;
  };
  const oci = (id: string, args: readonly string[], input?: string) => {
    const { runtimePath } = taskOf(id);
    return run(runtimePath, ['--root', paths.state(runtimePath), ...args], input === undefined ? {} : { input });
  };

  const runtime: Runtime = {
    async create(request) {
      try {
        const runtimePath = findTool(request.runtime);
        mkdirSync(paths.state(runtimePath), { recursive: true, mode: 0o700 });
        return await createTask(request, runtimePath, paths);
      } catch (error) {
        await runtime.remove(request.id);
        throw runtimeErrors.createFailed(messageOf(error));
      }
    },

    async start(id) {
      const { runtimePath, init } = taskOf(id);
      const fifo = path.join(paths.state(runtimePath), id, 'exec.fifo');
      if (isRunc(runtimePath) && init && (await openExecFifo(fifo, init))) return;
      await oci(id, ['start', id]).catch((error: unknown) => {
        throw runtimeErrors.startFailed(
          error instanceof CommandError ? runtimeWords(error.result.stderr) : messageOf(error),
        );
      });
    },

    async kill(id, signal, options = {}) {
      const init = aliveInit(id);
      if (!init) return;
      if (options.all) {
        await oci(id, ['kill', '--all', id, String(signal)]);
        return;
      }
      // kill(2) on the init from here is what the runtime would do, without a spawn.
      try {
        process.kill(init.pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended just now
      }
    },

    async pause(id) {
      await oci(id, ['pause', id]);
    },
    async resume(id) {
      await oci(id, ['resume', id]);
    },

    async remove(id) {
      await removeTask(id, paths, log);
      exits.forget(id);
    },

    async attach(id) {
      try {
        return openTaskStream(path.join(paths.bundle(id), 'attach'));
      } catch (error) {
        throw runtimeErrors.unreachable(messageOf(error));
      }
    },
    resize: (id, rows, columns) => control(paths.bundle(id), `1 ${rows} ${columns}`),
    reopenLog: (id) => control(paths.bundle(id), '2 0 0'),

    async exec(request) {
      if (!aliveInit(request.containerId)) throw runtimeErrors.notRunning(request.containerId);
      return prepareExec(request, taskOf(request.containerId).runtimePath, paths);
    },

    exited: (id) => exits.wait(id),

    async status(id, identity): Promise<TaskStatus> {
      if (!identity) return 'absent';
      const task = readTask(paths.bundle(id));
      if (!isSameProcess(identity)) return exits.read(id) || task ? 'stopped' : 'absent';
      if (task && existsSync(path.join(paths.state(task.runtimePath), id, 'exec.fifo'))) return 'created';
      const frozen =
        readCgroupFile(cgroupFolder(identity.pid, 'freezer'), 'freezer.state') ??
        readCgroupFile(cgroupFolder(identity.pid, ''), 'cgroup.freeze');
      return frozen === 'FROZEN' || frozen === '1' ? 'paused' : 'running';
    },

    sample: async (id, pid) => readSample(id, pid),

    async processes(id) {
      const init = aliveInit(id);
      if (!init) return [];
      const text = readCgroupFile(cgroupFolder(init.pid, 'pids'), 'cgroup.procs') ?? '';
      return text.split('\n').filter(Boolean).map(Number);
    },
    top: async (id, psArgs) => topOf(await runtime.processes(id), psArgs),

    async update(id, hostConfig) {
      await oci(id, ['update', '--resources', '-', id], JSON.stringify(buildResources(hostConfig, host)));
    },

    bundles: async () => readdirSync(paths.bundles),
  };
  return runtime;
}
