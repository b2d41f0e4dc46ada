import type { ContainerConfig, CreateExecBody, HostConfig } from '../../src/api/index.ts';
import type { HostFacts } from './host-facts.ts';
import { capabilitySets, clampLimits, mergeEnvironment, processSecurity } from './spec.ts';
import type { OciProcess } from './types.ts';
import type { ResolvedUser } from './user.ts';

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The process of an exec: the container's environment, user and folder unless it brings its own (field/engine-api.md section 2.4). */
export function buildExecProcess(
  input: { config: ContainerConfig; hostConfig: HostConfig; exec: CreateExecBody; user: ResolvedUser },
  host: HostFacts,
): OciProcess {
  const { config, hostConfig, exec, user } = input;
  const { capabilities, security } = processSecurity(hostConfig, host, hostConfig.Privileged || exec.Privileged);
  return {
    terminal: exec.Tty,
    ...(exec.ConsoleSize ? { consoleSize: { height: exec.ConsoleSize[0], width: exec.ConsoleSize[1] } } : {}),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: exec.Cmd ?? [],
    env: mergeEnvironment(
      [PATH, `HOSTNAME=${config.Hostname}`, ...(exec.Tty ? ['TERM=xterm'] : [])],
      [...(config.Env ?? []), ...(exec.Env ?? [])],
    ),
    cwd: exec.WorkingDir || config.WorkingDir || '/',
    capabilities: capabilitySets(capabilities, user.uid),
    rlimits: clampLimits(hostConfig.Ulimits, host) ?? [],
    noNewPrivileges: security.noNewPrivileges,
  };
}
