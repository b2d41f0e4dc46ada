import type { CreateExecBody } from '../../src/api/index.ts';
import type { ExecTask } from '../runtime/types.ts';
import type { Core } from './core.ts';
import type { ContainerRecord } from './record.ts';

/**
 * A process in a running container, connected but not yet started. The user is looked up in the container's root.
 * @throws EngineError when the user is unknown or the container is gone
 */
export async function spawnExec(
  core: Core,
  record: ContainerRecord,
  execId: string,
  body: CreateExecBody,
): Promise<ExecTask> {
  const { deps } = core;
  const root = await deps.layers.mountRoot(record.id);
  const user = await deps.resolveUser(root, body.User || record.config.User, record.hostConfig.GroupAdd ?? []);
  return deps.runtime.exec({
    containerId: record.id,
    execId,
    process: await deps.buildExecProcess({ config: record.config, hostConfig: record.hostConfig, exec: body, user }),
    stdin: body.AttachStdin,
    tty: body.Tty,
    attach: body.AttachStdin || body.AttachStdout || body.AttachStderr,
    runtime:
      record.hostConfig.Runtime === 'runc' || !record.hostConfig.Runtime
        ? (deps.defaultRuntime ?? 'runc')
        : record.hostConfig.Runtime,
  });
}
