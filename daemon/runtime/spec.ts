import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { HostConfig } from '../../src/api/index.ts';
import { runtimeErrors } from '../errors/runtime.ts';
import { chooseCapabilities } from './capabilities.ts';
import type { HostFacts } from './host-facts.ts';
import { buildResources } from './resources.ts';
import { customSeccomp, defaultSeccomp } from './seccomp.ts';
import type { OciMount, OciProcess, OciSpec, SpecInput } from './types.ts';

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
/** Stay writable in a read-only container. */
const ALWAYS_WRITABLE = new Set(['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue']);
const DEFAULT_SHM = 64 * 1024 * 1024;
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

interface SecurityOptions {
  noNewPrivileges: boolean;
  /** undefined: the default profile; null: none. */
  seccomp: string | null | undefined;
  apparmor: string | undefined;
  unmasked: boolean;
}

/** @throws EngineError naming the option that is not understood. */
export function readSecurityOptions(options: readonly string[]): SecurityOptions {
  const result: SecurityOptions = { noNewPrivileges: false, seccomp: undefined, apparmor: undefined, unmasked: false };
  for (const option of options) {
    const [, key = '', value = ''] = /^([^=:]+)[=:]?([\s\S]*)$/.exec(option) ?? [];
    if (key === 'no-new-privileges') result.noNewPrivileges = value !== 'false';
    else if (key === 'seccomp')
      result.seccomp = value === 'unconfined' ? null : value === 'builtin' ? undefined : value;
    else if (key === 'apparmor') result.apparmor = value;
    else if (key === 'systempaths' && value === 'unconfined') result.unmasked = true;
    else if (key !== 'label') throw runtimeErrors.badSecurityOption(option);
  }
  return result;
}

/** Defaults first, then the container's own entries, which replace in place; `KEY` without `=` removes. */
export function mergeEnvironment(defaults: readonly string[], own: readonly string[]): string[] {
  const result = new Map<string, string>();
  for (const entry of [...defaults, ...own]) {
    const at = entry.indexOf('=');
    if (at < 0) result.delete(entry);
    else result.set(entry.slice(0, at), entry);
  }
  return [...result.values()];
}

export function clampLimits(ulimits: HostConfig['Ulimits'], host: HostFacts): OciProcess['rlimits'] {
  return (ulimits ?? []).map(({ Name, Soft, Hard }) => {
    const type = `RLIMIT_${Name.toUpperCase()}`;
    const ceiling = host.mayRaiseLimits ? undefined : host.hardLimits[type];
    // -1 means unlimited; encodeOci writes Infinity as RLIM_INFINITY.
    const value = (wanted: number) =>
      Math.min(wanted < 0 ? Number.POSITIVE_INFINITY : wanted, ceiling ?? Number.POSITIVE_INFINITY);
    return { type, soft: value(Soft), hard: value(Hard) };
  });
}

export interface ProcessSecurity {
  capabilities: string[];
  security: SecurityOptions;
}

/** @throws EngineError for an unknown capability or option. */
export function processSecurity(
  hostConfig: HostConfig,
  host: HostFacts,
  privileged = hostConfig.Privileged,
): ProcessSecurity {
  const { granted, unknown } = chooseCapabilities(
    { privileged, add: hostConfig.CapAdd ?? [], drop: hostConfig.CapDrop ?? [] },
    host.boundingCapabilities,
  );
  if (unknown.length > 0) throw runtimeErrors.unknownCapability(unknown);
  return { capabilities: granted, security: readSecurityOptions(hostConfig.SecurityOpt ?? []) };
}

/** Sets of a process: the kernel clears effective and permitted on exec as another user, ambient stays empty. */
export function capabilitySets(granted: string[], uid: number): NonNullable<OciProcess['capabilities']> {
  const effective = uid === 0 ? granted : [];
  return { bounding: granted, effective, permitted: effective, inheritable: [], ambient: [] };
}

function defaultMounts(input: SpecInput, host: HostFacts): OciMount[] {
  const { hostConfig, namespaces } = input;
  const readOnlySys = hostConfig.Privileged ? [] : ['ro'];
  const shm = hostConfig.ShmSize > 0 ? hostConfig.ShmSize : DEFAULT_SHM;
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', ...readOnlySys] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', ...(hostConfig.Privileged && host.cgroupVersion === 2 ? [] : readOnlySys)],
    },
    ...(namespaces.ipc.kind === 'host'
      ? []
      : [{ destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] }]),
    ...(hostConfig.IpcMode === 'none'
      ? []
      : [
          {
            destination: '/dev/shm',
            type: 'tmpfs',
            source: 'shm',
            options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${shm}`],
          },
        ]),
  ];
}

/** Docker's defaults for a tmpfs, as far as the user has not said otherwise. */
function tmpfsDefaults(asked: readonly string[]): string[] {
  const opposites = { noexec: 'exec', nosuid: 'suid', nodev: 'dev' } as const;
  return Object.entries(opposites).flatMap(([name, opposite]) =>
    asked.includes(name) || asked.includes(opposite) ? [] : [name],
  );
}

function buildMounts(input: SpecInput, host: HostFacts): OciMount[] {
  const own: OciMount[] = input.mounts.map((mount) => ({
    destination: mount.destination,
    type: mount.type,
    source: mount.source,
    options: [
      ...(mount.type === 'tmpfs' ? tmpfsDefaults(mount.options) : []),
      ...mount.options,
      ...(mount.readOnly && !mount.options.includes('ro') ? ['ro'] : []),
    ],
  }));
  if (input.initPath)
    own.push({ destination: '/sbin/docker-init', type: 'bind', source: input.initPath, options: ['bind', 'ro'] });
  const taken = new Set(own.map((mount) => path.posix.normalize(mount.destination)));
  const defaults = defaultMounts(input, host).filter(
    (mount) => !taken.has(mount.destination) && !(taken.has('/dev') && mount.destination.startsWith('/dev/')),
  );
  if (input.hostConfig.ReadonlyRootfs)
    for (const mount of defaults)
      if (!ALWAYS_WRITABLE.has(mount.destination) && !mount.options?.includes('ro'))
        mount.options = [...(mount.options ?? []), 'ro'];
  const depth = (mount: OciMount) => mount.destination.split('/').filter(Boolean).length;
  return [...defaults, ...own.sort((a, b) => depth(a) - depth(b))];
}

interface OciDevice {
  path: string;
  type: string;
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

function deviceNode(hostPath: string, containerPath: string): OciDevice | undefined {
  const stat = statSync(hostPath);
  const type = stat.isCharacterDevice() ? 'c' : stat.isBlockDevice() ? 'b' : undefined;
  if (!type) return undefined;
  const major = ((stat.rdev >> 8) & 0xfff) | (Math.floor(stat.rdev / 2 ** 32) & ~0xfff);
  const minor = (stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00);
  return { path: containerPath, type, major, minor, fileMode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
}

/** Every device of the host, for --privileged; pseudo terminals and shared memory are the container's own. */
function allDevices(folder = '/dev'): OciDevice[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory())
      return ['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev'].includes(entry.name)
        ? []
        : allDevices(file);
    if (entry.name === 'console' || (!entry.isCharacterDevice() && !entry.isBlockDevice())) return [];
    return deviceNode(file, file) ?? [];
  });
}

function buildDevices(hostConfig: HostConfig): { devices: OciDevice[]; rules: Record<string, unknown>[] } {
  if (hostConfig.Privileged) return { devices: allDevices(), rules: [{ allow: true, access: 'rwm' }] };
  const allow = (type: string, major: number | undefined, minor: number | undefined, access = 'rwm') => ({
    allow: true,
    type,
    ...(major === undefined ? {} : { major }),
    ...(minor === undefined ? {} : { minor }),
    access,
  });
  const rules: Record<string, unknown>[] = [
    { allow: false, access: 'rwm' },
    ...(
      [
        [1, 5],
        [1, 3],
        [1, 9],
        [1, 8],
        [5, 0],
        [5, 1],
      ] as const
    ).map(([major, minor]) => allow('c', major, minor)),
    { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
  ];
  const devices: OciDevice[] = [];
  for (const { PathOnHost, PathInContainer, CgroupPermissions } of hostConfig.Devices ?? []) {
    if (!existsSync(PathOnHost))
      throw runtimeErrors.createFailed(
        `error gathering device information while adding custom device "${PathOnHost}": no such file or directory`,
      );
    const found = deviceNode(PathOnHost, PathInContainer || PathOnHost);
    if (!found)
      throw runtimeErrors.createFailed(
        `error gathering device information while adding custom device "${PathOnHost}": not a device node`,
      );
    devices.push(found);
    rules.push(allow(found.type, found.major, found.minor, CgroupPermissions || 'rwm'));
  }
  for (const rule of hostConfig.DeviceCgroupRules ?? []) {
    const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(rule);
    if (!match) throw runtimeErrors.badSecurityOption(`device cgroup rule ${rule}`);
    const number = (text: string | undefined) => (text === '*' ? undefined : Number(text));
    rules.push(allow(match[1] as string, number(match[2]), number(match[3]), match[4]));
  }
  return { devices, rules };
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
  const { capabilities, security } = processSecurity(hostConfig, host);
  const unmasked = hostConfig.Privileged || security.unmasked;
  const { devices, rules } = buildDevices(hostConfig);
  const seccompContext = { ...host, capabilities };
  const seccomp =
    security.seccomp === null || (hostConfig.Privileged && security.seccomp === undefined)
      ? undefined
      : security.seccomp === undefined
        ? defaultSeccomp(seccompContext)
        : customSeccomp(security.seccomp, seccompContext);
  const privateNet = namespaces.network.kind !== 'host';
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: config.Tty,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      args: input.initPath ? ['/sbin/docker-init', '--', ...input.args] : input.args,
      env: mergeEnvironment(
        [PATH, `HOSTNAME=${config.Hostname}`, ...(config.Tty ? ['TERM=xterm'] : [])],
        config.Env ?? [],
      ),
      cwd: config.WorkingDir || '/',
      capabilities: capabilitySets(capabilities, user.uid),
      rlimits: clampLimits(hostConfig.Ulimits, host) ?? [],
      noNewPrivileges: security.noNewPrivileges,
      ...(host.apparmor && security.apparmor ? { apparmorProfile: security.apparmor } : {}),
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
      rootfsPropagation: 'rprivate',
    },
    ...(hostConfig.Annotations ? { annotations: hostConfig.Annotations } : {}),
  };
}
