import type { ContainerConfig, CreateExecBody, HostConfig } from '../../src/api/index.ts';
import { processEnvironment } from './environment.ts';
import type { HostFacts } from './host-facts.ts';
import { clampLimits } from './rlimits.ts';
import { processSecurity } from './security.ts';
import { consoleSize } from './spec.ts';
import type { OciProcess } from './types.ts';
import type { ResolvedUser } from './user.ts';

/** The process of an exec: the container's environment, user and folder unless it brings its own (field/engine-api.md section 2.4). */
export function buildExecProcess(
  input: { config: ContainerConfig; hostConfig: HostConfig; exec: CreateExecBody; user: ResolvedUser },
  host: HostFacts,
): OciProcess {
  const { config, hostConfig, exec, user } = input;
  return {
    terminal: exec.Tty,
    ...consoleSize(exec.Tty, exec.ConsoleSize),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: exec.Cmd ?? [],
    env: processEnvironment(config.Hostname, exec.Tty, [...(config.Env ?? []), ...(exec.Env ?? [])]),
    cwd: exec.WorkingDir || config.WorkingDir || '/',
    ...processSecurity(hostConfig, host, { uid: user.uid, privileged: hostConfig.Privileged || exec.Privileged }),
    rlimits: clampLimits(hostConfig.Ulimits, host),
  };
}
