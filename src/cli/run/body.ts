/** From run's flags to the body of POST /containers/create, field for field what the docker CLI sends. */
import type { CreateContainerBody, HealthConfig, HostConfig } from '../../api/containers.ts';
import { parseDuration } from '../../api/durations.ts';
import { parseBytes } from '../../format/units.ts';
import type { ParsedArgs } from '../types.ts';
import { parseMount } from './mount-flag.ts';
import { networksOf } from './networks-flag.ts';
import { parsePublish } from './ports-flag.ts';
import {
  capabilities,
  labelsOf,
  parseCpus,
  parseDevice,
  parseRate,
  parseRestart,
  parseUlimit,
  readEnvironment,
  readLabels,
  securityOptions,
} from './values.ts';
import { volumesOf } from './volumes-flag.ts';

export type CreateBody = Partial<Omit<CreateContainerBody, 'HostConfig'>> & {
  Image: string;
  HostConfig: Partial<HostConfig>;
};

export const bytes = (text: string) => (text === '' ? 0 : text === '-1' ? -1 : parseBytes(text));
const orNull = (list: string[]) => (list.length === 0 ? null : list);

function healthOf(args: ParsedArgs): HealthConfig | undefined {
  const names = [
    'health-cmd',
    'health-interval',
    'health-timeout',
    'health-retries',
    'health-start-period',
    'health-start-interval',
  ];
  const any = names.some((name) => args.has(name));
  if (args.bool('no-healthcheck')) {
    if (any) throw new Error('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!any) return undefined;
  const health: HealthConfig = {};
  if (args.string('health-cmd')) health.Test = ['CMD-SHELL', args.string('health-cmd')];
  const duration = (name: string, field: 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval') => {
    if (!args.string(name)) return;
    const value = parseDuration(args.string(name));
    if (value < 0) throw new Error(`--${name} cannot be negative`);
    health[field] = value;
  };
  duration('health-interval', 'Interval');
  duration('health-timeout', 'Timeout');
  duration('health-start-period', 'StartPeriod');
  duration('health-start-interval', 'StartInterval');
  const retries = args.number('health-retries');
  if (retries !== undefined) {
    if (retries < 0) throw new Error('--health-retries cannot be negative');
    health.Retries = retries;
  }
  return health;
}

interface Streams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

/** Which streams the client attaches: -a says so, else all that make sense; none with -d. */
export function streamsOf(args: ParsedArgs, detach: boolean): Streams {
  const asked = args.list('attach').map((one) => one.toLowerCase());
  if (detach) {
    if (asked.length > 0) throw new Error('conflicting options: cannot specify both --attach and --detach');
    return { stdin: false, stdout: false, stderr: false };
  }
  if (asked.length > 0) {
    return { stdin: asked.includes('stdin'), stdout: asked.includes('stdout'), stderr: asked.includes('stderr') };
  }
  return { stdin: args.bool('interactive'), stdout: true, stderr: true };
}

function tmpfsOf(list: readonly string[]): Record<string, string> | undefined {
  if (list.length === 0) return undefined;
  return Object.fromEntries(
    list.map((one) => [one.split(':')[0] as string, one.includes(':') ? one.slice(one.indexOf(':') + 1) : '']),
  );
}

function gpusOf(text: string): unknown[] | undefined {
  if (text === '') return undefined;
  const device = /^device=(.+)$/.exec(text)?.[1];
  if (text !== 'all' && !/^\d+$/.test(text) && !device)
    throw new Error(`invalid argument ${JSON.stringify(text)} for "--gpus" flag: use all, a number or device=ID`);
  const request = {
    Driver: '',
    Count: device ? 0 : text === 'all' ? -1 : Number(text),
    DeviceIDs: device ? device.split(',') : null,
  };
  return [{ ...request, Capabilities: [['gpu']], Options: {} }];
}

/** Resources and limits. */
function limitsOf(args: ParsedArgs): Partial<HostConfig> {
  const int = (name: string) => args.number(name) ?? 0;
  const rates = (name: string, inBytes: boolean) => args.list(name).map((one) => parseRate(one, inBytes));
  const memory = bytes(args.string('memory'));
  return {
    CpuShares: int('cpu-shares'),
    Memory: memory,
    NanoCpus: parseCpus(args.string('cpus')),
    CgroupParent: args.string('cgroup-parent'),
    BlkioWeight: int('blkio-weight'),
    BlkioWeightDevice: args.list('blkio-weight-device').map((one) => {
      const { Path, Rate } = parseRate(one, false);
      return { Path, Weight: Rate };
    }),
    BlkioDeviceReadBps: rates('device-read-bps', true),
    BlkioDeviceWriteBps: rates('device-write-bps', true),
    BlkioDeviceReadIOps: rates('device-read-iops', false),
    BlkioDeviceWriteIOps: rates('device-write-iops', false),
    CpuPeriod: int('cpu-period'),
    CpuQuota: int('cpu-quota'),
    CpuRealtimePeriod: int('cpu-rt-period'),
    CpuRealtimeRuntime: int('cpu-rt-runtime'),
    CpusetCpus: args.string('cpuset-cpus'),
    CpusetMems: args.string('cpuset-mems'),
    MemoryReservation: bytes(args.string('memory-reservation')),
    MemorySwap: bytes(args.string('memory-swap')),
    MemorySwappiness: int('memory-swappiness'),
    OomKillDisable: args.bool('oom-kill-disable'),
    OomScoreAdj: int('oom-score-adj'),
    PidsLimit: int('pids-limit'),
    Ulimits: args
      .list('ulimit')
      .map(parseUlimit)
      .sort((a, b) => (a.Name < b.Name ? -1 : 1)),
  };
}

function hostConfigOf(args: ParsedArgs): Partial<HostConfig> {
  const security = securityOptions(args.list('security-opt'));
  const volumes = volumesOf(args.list('volume'));
  const ports = parsePublish(args.list('publish'), args.list('expose'));
  const restart = parseRestart(args.has('restart') ? args.string('restart') : 'no');
  if (args.bool('rm') && restart.Name !== '' && restart.Name !== 'no') {
    throw new Error('conflicting options: cannot specify both --restart and --rm');
  }
  const tmpfs = tmpfsOf(args.list('tmpfs'));
  const gpus = gpusOf(args.string('gpus'));
  return {
    Binds: orNull(volumes.binds),
    ContainerIDFile: args.string('cidfile'),
    LogConfig: { Type: args.string('log-driver'), Config: labelsOf(args.list('log-opt')) },
    NetworkMode: networksOf(args).mode,
    PortBindings: ports.bindings,
    RestartPolicy: restart,
    AutoRemove: args.bool('rm'),
    VolumeDriver: args.string('volume-driver'),
    VolumesFrom: orNull(args.list('volumes-from')),
    ConsoleSize: [0, 0],
    ...(args.list('annotation').length > 0 ? { Annotations: labelsOf(args.list('annotation')) } : {}),
    CapAdd: capabilities(args.list('cap-add')),
    CapDrop: capabilities(args.list('cap-drop')),
    CgroupnsMode: args.string('cgroupns'),
    Dns: args.list('dns'),
    DnsOptions: [...args.list('dns-option'), ...args.list('dns-opt')],
    DnsSearch: args.list('dns-search'),
    ExtraHosts: orNull(args.list('add-host').map((one) => one.replace(/^([^:=]+)[:=]\[?(.*?)\]?$/, '$1:$2'))),
    GroupAdd: orNull(args.list('group-add')),
    IpcMode: args.string('ipc'),
    Cgroup: '',
    Links: orNull(args.list('link')),
    PidMode: args.string('pid'),
    Privileged: args.bool('privileged'),
    PublishAllPorts: args.bool('publish-all'),
    ReadonlyRootfs: args.bool('read-only'),
    SecurityOpt: security.options,
    ...(args.list('storage-opt').length > 0 ? { StorageOpt: labelsOf(args.list('storage-opt')) } : {}),
    ...(tmpfs ? { Tmpfs: tmpfs } : {}),
    UTSMode: args.string('uts'),
    UsernsMode: args.string('userns'),
    ShmSize: bytes(args.string('shm-size')),
    ...(args.list('sysctl').length > 0 ? { Sysctls: labelsOf(args.list('sysctl')) } : {}),
    ...(args.string('runtime') ? { Runtime: args.string('runtime') } : {}),
    Isolation: args.string('isolation'),
    ...limitsOf(args),
    Devices: args.list('device').map(parseDevice),
    DeviceCgroupRules: orNull(args.list('device-cgroup-rule')),
    DeviceRequests: gpus ?? null,
    ...(args.list('mount').length > 0 ? { Mounts: args.list('mount').map(parseMount) } : {}),
    MaskedPaths: security.unmasked ? [] : null,
    ReadonlyPaths: security.unmasked ? [] : null,
    ...(args.has('init') ? { Init: args.bool('init') } : {}),
  };
}

/** The create body. @throws Error (exit 125) for values and combinations that Docker refuses before it asks an engine. */
export function createBody(args: ParsedArgs, detach: boolean, env: NodeJS.ProcessEnv): CreateBody {
  const [image, ...command] = args.positionals as [string, ...string[]];
  const streams = streamsOf(args, detach);
  const ports = parsePublish(args.list('publish'), args.list('expose'));
  const environment = readEnvironment(args.list('env-file'), args.list('env'), env);
  const health = healthOf(args);
  const stopTimeout = args.number('stop-timeout');
  const exposed = Object.keys(ports.exposed).length > 0;
  const interactive = args.bool('interactive');
  return {
    Hostname: args.string('hostname'),
    Domainname: args.string('domainname'),
    User: args.string('user'),
    AttachStdin: streams.stdin,
    AttachStdout: streams.stdout,
    AttachStderr: streams.stderr,
    ...(exposed ? { ExposedPorts: ports.exposed } : {}),
    Tty: args.bool('tty'),
    OpenStdin: interactive,
    StdinOnce: streams.stdin && interactive,
    Env: orNull(environment),
    Cmd: orNull(command),
    ...(health ? { Healthcheck: health } : {}),
    Image: image,
    Volumes: volumesOf(args.list('volume')).anonymous,
    WorkingDir: args.string('workdir'),
    Entrypoint: args.has('entrypoint') ? [args.string('entrypoint')] : null,
    OnBuild: null,
    Labels: readLabels(args.list('label-file'), args.list('label')),
    ...(args.string('stop-signal') ? { StopSignal: args.string('stop-signal') } : {}),
    ...(stopTimeout === undefined ? {} : { StopTimeout: stopTimeout }),
    HostConfig: hostConfigOf(args),
    NetworkingConfig: { EndpointsConfig: networksOf(args).endpoints },
  };
}
