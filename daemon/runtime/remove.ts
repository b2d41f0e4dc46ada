import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../errors/engine-error.ts';
import { cgroupIsEmpty, removeCgroups } from '../system/cgroups.ts';
import type { Log } from '../system/log.ts';
import { onProcessEnd } from '../system/pidfd.ts';
import { isSameProcess } from '../system/processes.ts';
import { run } from '../system/spawn.ts';
import { conmonOf, type RuntimePaths, readTask, type TaskRecord } from './bundle.ts';

const SIGKILL = 9;

export const isRunc = (runtimePath: string): boolean => path.basename(runtimePath) === 'runc';

/** No process of it is left, also none that shared a PID namespace and so outlived the first one. */
function hasEnded({ cgroup, init }: TaskRecord): boolean {
  return cgroup !== '' && !(init && isSameProcess(init)) && cgroupIsEmpty(cgroup);
}

/**
 * conmon ends by itself with its container; one that waits for a container which never started is ended here. Until it has ended it
 * may write into the bundle.
 */
function endConmon(bundle: string): Promise<void> {
  const conmon = conmonOf(bundle);
  if (!conmon) return Promise.resolve();
  killIfThere(conmon.pid);
  return new Promise((resolve) => onProcessEnd(conmon, resolve));
}

/** What is left of a container goes: the runtime's state, cgroup, conmon, bundle. Idempotent. */
export async function removeTask(id: string, paths: RuntimePaths, log: Log): Promise<void> {
  const bundle = paths.bundle(id);
  const task = readTask(bundle);
  const state = task && path.join(paths.state(task.runtimePath), id);
  if (task && state && existsSync(state)) {
    if (isRunc(task.runtimePath) && hasEnded(task)) {
      // All that `runc delete` does for a container without hooks whose processes have ended.
      rmSync(state, { recursive: true, force: true });
      await Promise.all([removeCgroups(task.cgroup), endConmon(bundle)]);
    } else
      await run(task.runtimePath, ['--root', path.dirname(state), 'delete', '--force', id]).catch((error: unknown) =>
        log.warn('the runtime could not delete a container', { container: id, error: messageOf(error) }),
      );
  }
  await endConmon(bundle);
  rmSync(bundle, { recursive: true, force: true });
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, SIGKILL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended just now
  }
}
