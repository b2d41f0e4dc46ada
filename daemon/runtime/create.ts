import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../errors/engine-error.ts';
import { warmCgroups } from '../system/cgroup-warmth.ts';
import { readProcessIdentity } from '../system/processes.ts';
import { cgroupOf, type RuntimePaths, writeTask } from './bundle.ts';
import { conmonArguments, launchConmon } from './conmon.ts';
import { encodeOci } from './encode.ts';
import type { ProcessIdentity, TaskRequest } from './types.ts';
import { runtimeWords } from './words.ts';

/** Makes the bundle and has conmon create the container; what it made stays when it fails. @throws Error with the runtime's words */
export async function createTask(
  request: TaskRequest,
  runtimePath: string,
  paths: RuntimePaths,
): Promise<ProcessIdentity> {
  warmCgroups();
  const { id } = request;
  const bundle = paths.bundle(id);
  mkdirSync(bundle, { recursive: true, mode: 0o700 });
  const task = { runtimePath, cgroup: cgroupOf(request.spec), init: null };
  writeTask(bundle, task);
  writeFileSync(path.join(bundle, 'config.json'), encodeOci(request.spec), { mode: 0o600 });
  const conmon = launchConmon(
    [
      ...conmonArguments({ id, name: id, folder: bundle, runtimePath, state: paths.state(runtimePath) }),
      ...['--exit-dir', paths.exits, '--persist-dir', bundle],
      ...['-l', request.logPath === null ? 'none:' : `k8s-file:${request.logPath}`],
      ...(request.stdin ? ['-i'] : []),
      ...(request.tty ? ['-t'] : []),
      ...(request.leaveStdinOpen ? ['--leave-stdin-open'] : []),
    ],
    { folder: bundle, exec: false, inherit: request.portDescriptors },
  );
  try {
    const line = await conmon.sync.next();
    if (!line || line.data < 0) throw new Error(runtimeWords(line?.message || conmon.failure()));
    const init = readProcessIdentity(line.data);
    writeTask(bundle, { ...task, init });
    return init;
  } catch (error) {
    throw new Error(messageOf(error), { cause: error });
  } finally {
    conmon.release();
  }
}
