import type { HostConfig } from '../../src/api/index.ts';
import { runtimeErrors } from '../errors/runtime.ts';
import { capabilitySets, chooseCapabilities } from './capabilities.ts';
import type { HostFacts } from './host-facts.ts';
import { customSeccomp, defaultSeccomp } from './seccomp.ts';
import type { OciProcess } from './types.ts';

export interface SecurityOptions {
  noNewPrivileges: boolean;
  /** undefined: the default profile; null: none; else the text of one. */
  seccomp: string | null | undefined;
  apparmor: string | undefined;
  unmasked: boolean;
  writableCgroups: boolean;
}

/** `--security-opt` in its old (`:`) and new (`=`) spelling; labels are SELinux's and mean nothing here. @throws EngineError naming the option that is not understood */
export function readSecurityOptions(options: readonly string[]): SecurityOptions {
  const result: SecurityOptions = {
    noNewPrivileges: false,
    seccomp: undefined,
    apparmor: undefined,
    unmasked: false,
    writableCgroups: false,
  };
  for (const option of options) {
    const [, key = '', value] = /^([a-z-]+)(?:[=:]([\s\S]*))?$/.exec(option) ?? [];
    if (key === 'no-new-privileges' && (value === undefined || /^(true|false)$/.test(value)))
      result.noNewPrivileges = value !== 'false';
    else if (key === 'disable' && value === undefined)
      continue; // SELinux' labels
    else if (value === undefined) throw runtimeErrors.badSecurityOption(option);
    else if (key === 'seccomp')
      result.seccomp = value === 'unconfined' ? null : value === 'builtin' || value === 'default' ? undefined : value;
    else if (key === 'apparmor') result.apparmor = value;
    else if (key === 'systempaths' && value === 'unconfined') result.unmasked = true;
    else if (key === 'writable-cgroups' && /^(true|false)$/.test(value)) result.writableCgroups = value === 'true';
    else if (key !== 'label') throw runtimeErrors.badSecurityOption(option);
  }
  return result;
}

/** What a container's first process and its execs have in common. @throws EngineError for an unknown capability or option */
export function processSecurity(
  hostConfig: HostConfig,
  host: HostFacts,
  { uid, privileged }: { uid: number; privileged: boolean },
): Required<Pick<OciProcess, 'capabilities' | 'noNewPrivileges'>> & Pick<OciProcess, 'apparmorProfile'> {
  const security = readSecurityOptions(hostConfig.SecurityOpt ?? []);
  const granted = chooseCapabilities({ ...hostConfig, Privileged: privileged }, host.boundingCapabilities);
  const profile = host.apparmor && !privileged && security.apparmor !== 'unconfined' ? security.apparmor : undefined;
  return {
    capabilities: capabilitySets(granted, uid),
    noNewPrivileges: security.noNewPrivileges,
    ...(profile ? { apparmorProfile: profile } : {}),
  };
}

/** The filter of system calls; undefined: none. @throws EngineError for a profile that is not one */
export function seccompOf(
  hostConfig: HostConfig,
  capabilities: readonly string[],
  host: HostFacts,
): Record<string, unknown> | undefined {
  const { seccomp } = readSecurityOptions(hostConfig.SecurityOpt ?? []);
  if (seccomp === null || (hostConfig.Privileged && seccomp === undefined)) return undefined;
  const context = { ...host, capabilities };
  return seccomp === undefined ? defaultSeccomp(context) : customSeccomp(seccomp, context);
}
