import { buildDevices } from './devices.ts';
import { processEnvironment } from './environment.ts';
import type { HostFacts } from './host-facts.ts';
import { buildMounts, rootPropagation } from './mounts.ts';
import { buildResources } from './resources.ts';
import { clampLimits } from './rlimits.ts';
import { processSecurity, readSecurityOptions, seccompOf } from './security.ts';
import type { OciProcess, OciSpec, SpecInput } from './types.ts';

/* Docker's default spec: field/engine-api.md section 2.2. */

/** What inspect shows of a container that asked for nothing else. */
export const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
export const READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];
/** What a spec and an exec say of a terminal's first size. */
export function consoleSize(
  tty: boolean,
  size: readonly [number, number] | null | undefined,
): Pick<OciProcess, 'consoleSize'> {
  const [height, width] = size ?? [0, 0];
  return tty && height > 0 && width > 0 ? { consoleSize: { height, width } } : {};
}

function buildNamespaces(input: SpecInput): Record<string, string>[] {
  const result: Record<string, string>[] = [{ type: 'mount' }];
  for (const [type, choice] of Object.entries(input.namespaces)) {
    if (choice.kind === 'host') continue;
    result.push(choice.kind === 'path' ? { type, path: choice.path } : { type });
  }
  return result;
}

/** config.json of a container (OCI runtime-spec 1.0). @throws EngineError for what this host or the options cannot give. */
export function buildSpec(input: SpecInput, host: HostFacts): OciSpec {
  const { config, hostConfig, user, namespaces } = input;
  const security = processSecurity(hostConfig, host, { uid: user.uid, privileged: hostConfig.Privileged });
  const unmasked = hostConfig.Privileged || readSecurityOptions(hostConfig.SecurityOpt ?? []).unmasked;
  const { devices, rules } = buildDevices(hostConfig);
  const seccomp = seccompOf(hostConfig, security.capabilities.bounding, host);
  const privateNet = namespaces.network.kind !== 'host';
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: config.Tty,
      ...consoleSize(config.Tty, hostConfig.ConsoleSize),
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      args: input.initPath ? ['/sbin/docker-init', '--', ...input.args] : input.args,
      env: processEnvironment(config.Hostname, config.Tty, config.Env ?? []),
      cwd: config.WorkingDir || '/',
      ...security,
      rlimits: clampLimits(hostConfig.Ulimits, host),
      // A daemon that runs with a raised score and may not lower it cannot give the plain 0.
      oomScoreAdj:
        hostConfig.OomScoreAdj === 0 && !host.mayRaiseLimits ? Math.max(0, host.oomScoreAdj) : hostConfig.OomScoreAdj,
    },
    root: { path: input.rootfs, readonly: hostConfig.ReadonlyRootfs },
    ...(namespaces.uts.kind === 'host' ? {} : { hostname: config.Hostname }),
    mounts: buildMounts(input, host),
    linux: {
      cgroupsPath: input.cgroupsPath,
      namespaces: buildNamespaces(input),
      devices,
      resources: { ...buildResources(hostConfig, host), devices: rules },
      sysctl: {
        ...(privateNet
          ? { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' }
          : {}),
        // The field `domainname` of the spec is unknown to runc before 1.2.
        ...(config.Domainname && namespaces.uts.kind === 'private' ? { 'kernel.domainname': config.Domainname } : {}),
        ...(hostConfig.Sysctls ?? {}),
      },
      maskedPaths: unmasked ? [] : (hostConfig.MaskedPaths ?? [...MASKED_PATHS, ...host.thermalThrottles]),
      readonlyPaths: unmasked ? [] : (hostConfig.ReadonlyPaths ?? READONLY_PATHS),
      ...(seccomp ? { seccomp } : {}),
      rootfsPropagation: rootPropagation(input.mounts),
    },
    ...(hostConfig.Annotations ? { annotations: hostConfig.Annotations } : {}),
  };
}
