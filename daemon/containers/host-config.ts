import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { ContainerConfig, EndpointSettings, HostConfig, NetworkingConfig } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import { signalNumber } from './signals.ts';

const MINIMUM_MEMORY = 6 * 1024 * 1024;
const DEFAULT_SHM = 64 * 1024 * 1024;
const JSON_FILE_OPTIONS = new Set([
  'max-size',
  'max-file',
  'compress',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
  'mode',
  'max-buffer-size',
]);
const LOCAL_OPTIONS = new Set(['max-size', 'max-file', 'compress', 'mode', 'max-buffer-size']);
const SIZES: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `10m`, `1.5g` in bytes, binary units; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text);
  if (!match) return undefined;
  return Math.trunc(Number(match[1]) * (SIZES[(match[2] as string).toLowerCase()] as number));
}

const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers');

/** The defaults that inspect shows (field/engine-api.md section 2.1). */
export function normaliseHostConfig(given: HostConfig): HostConfig {
  return {
    ...given,
    NetworkMode: !given.NetworkMode || given.NetworkMode === 'default' ? 'bridge' : given.NetworkMode,
    RestartPolicy: {
      Name: given.RestartPolicy?.Name || 'no',
      MaximumRetryCount: given.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    LogConfig: { Type: given.LogConfig?.Type || 'json-file', Config: given.LogConfig?.Config ?? {} },
    ShmSize: given.ShmSize || DEFAULT_SHM,
    IpcMode: given.IpcMode || 'private',
    CgroupnsMode: given.CgroupnsMode || (isV2 ? 'private' : 'host'),
    Runtime: given.Runtime || 'runc',
    PidsLimit: (given.PidsLimit ?? 0) > 0 ? (given.PidsLimit as number) : null,
    MemorySwappiness: given.MemorySwappiness === -1 ? null : (given.MemorySwappiness ?? null),
    MemorySwap: given.MemorySwap || (given.Memory > 0 ? given.Memory * 2 : 0),
    PortBindings: given.PortBindings ?? {},
  };
}

/** Endpoints of the body; the key `default` becomes the network that it means. */
export function endpointsOf(
  networking: NetworkingConfig | null | undefined,
  networkMode: string,
): Record<string, EndpointSettings | null> {
  const result: Record<string, EndpointSettings | null> = {};
  for (const [key, settings] of Object.entries(networking?.EndpointsConfig ?? {}))
    result[key === 'default' ? networkMode : key] = settings;
  if (!['none', 'host'].includes(networkMode) && !networkMode.startsWith('container:') && !(networkMode in result))
    result[networkMode] = null;
  return networkMode === 'host' || networkMode === 'none' || networkMode.startsWith('container:') ? {} : result;
}

function checkLogConfig({ Type, Config }: HostConfig['LogConfig']): void {
  if (Type === 'none') return;
  if (Type !== 'json-file' && Type !== 'local') throw containerErrors.unknownLogDriver(Type);
  const known = Type === 'local' ? LOCAL_OPTIONS : JSON_FILE_OPTIONS;
  for (const [key, value] of Object.entries(Config ?? {})) {
    if (!known.has(key)) throw containerErrors.unknownLogOption(key, Type);
    if (key === 'max-size' && value !== '-1' && parseSize(value) === undefined)
      throw containerErrors.invalid(`invalid size: '${value}' for log opt max-size`);
    if (key === 'max-file' && !(Number.isInteger(Number(value)) && Number(value) > 0))
      throw containerErrors.invalid(`max-file must be a positive number: '${value}'`);
  }
}

/** @throws EngineError 400 */
export function checkRestartPolicy(hostConfig: Pick<HostConfig, 'RestartPolicy' | 'AutoRemove'>): void {
  const { Name, MaximumRetryCount } = hostConfig.RestartPolicy;
  if (!['', 'no', 'always', 'unless-stopped', 'on-failure'].includes(Name))
    throw containerErrors.invalid(
      `invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  if (MaximumRetryCount < 0)
    throw containerErrors.invalid('invalid restart policy: maximum retry count cannot be negative');
  if (MaximumRetryCount > 0 && Name !== 'on-failure')
    throw containerErrors.invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  if (hostConfig.AutoRemove && Name !== '' && Name !== 'no') throw containerErrors.autoRemoveWithRestart();
}

/** @throws EngineError 400 */
export function checkResources(h: HostConfig): void {
  if (h.Memory < 0 || (h.Memory > 0 && h.Memory < MINIMUM_MEMORY)) throw containerErrors.memoryTooSmall();
  if (h.MemorySwap > 0 && h.Memory > 0 && h.MemorySwap < h.Memory)
    throw containerErrors.invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  if (h.Memory === 0 && h.MemorySwap > 0)
    throw containerErrors.invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  if (h.MemoryReservation > 0 && h.MemoryReservation < MINIMUM_MEMORY)
    throw containerErrors.invalid('Minimum memory reservation allowed is 6MB');
  if (h.MemoryReservation > 0 && h.Memory > 0 && h.Memory < h.MemoryReservation)
    throw containerErrors.invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  const swappiness = h.MemorySwappiness;
  if (swappiness !== null && swappiness !== undefined && (swappiness < 0 || swappiness > 100))
    throw containerErrors.invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  if (h.NanoCpus > 0 && (h.CpuPeriod > 0 || h.CpuQuota > 0))
    throw containerErrors.invalid(
      `Conflicting options: Nano CPUs and CPU ${h.CpuPeriod > 0 ? 'Period' : 'Quota'} cannot both be set`,
    );
  const cpus = availableParallelism();
  if (h.NanoCpus < 0 || h.NanoCpus > cpus * 1e9)
    throw containerErrors.invalid(
      `range of CPUs is from 0.01 to ${cpus.toFixed(2)}, as there are only ${cpus} CPUs available`,
    );
  if (h.CpuPeriod > 0 && (h.CpuPeriod < 1000 || h.CpuPeriod > 1_000_000))
    throw containerErrors.invalid(
      'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    );
  if (h.CpuQuota > 0 && h.CpuQuota < 1000)
    throw containerErrors.invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (h.CpuShares < 0)
    throw containerErrors.invalid(`invalid CPU shares (${h.CpuShares}): value must be a positive integer`);
  if (h.BlkioWeight > 0 && (h.BlkioWeight < 10 || h.BlkioWeight > 1000))
    throw containerErrors.invalid('Range of blkio weight is from 10 to 1000');
  for (const [what, set] of [
    ['cpus', h.CpusetCpus],
    ['mems', h.CpusetMems],
  ] as const)
    if (set && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(set))
      throw containerErrors.invalid(`Invalid value ${set} for cpuset ${what}`);
  if (h.OomScoreAdj < -1000 || h.OomScoreAdj > 1000)
    throw containerErrors.invalid(`Invalid value ${h.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
}

const PORT = /^\d+(-\d+)?(\/(tcp|udp|sctp))?$/;

function checkPorts(config: ContainerConfig, h: HostConfig): void {
  for (const key of [...Object.keys(config.ExposedPorts ?? {}), ...Object.keys(h.PortBindings ?? {})])
    if (
      !PORT.test(key) ||
      key.split(/[-/]/).some((part) => /^\d+$/.test(part) && (Number(part) > 65535 || Number(part) < 1))
    )
      throw containerErrors.invalid(`invalid port specification: "${key}"`);
  for (const bindings of Object.values(h.PortBindings ?? {}))
    for (const { HostPort = '' } of bindings ?? []) {
      const ok =
        HostPort === '' ||
        (/^\d+(-\d+)?$/.test(HostPort) && HostPort.split('-').every((part) => Number(part) <= 65535));
      if (!ok) throw containerErrors.invalid(`invalid port specification: "${HostPort}"`);
    }
}

/** Options that make no sense where the network is another container's or the host's. */
function checkNetworkConflicts(config: ContainerConfig, h: HostConfig): void {
  if (!h.NetworkMode.startsWith('container:')) return;
  const refuse = (present: boolean, what: string) => {
    if (present) throw containerErrors.invalid(`conflicting options: ${what}`);
  };
  refuse(config.Hostname !== '', 'hostname and the network mode');
  refuse(
    (h.Links?.length ?? 0) > 0,
    "container type network can't be used with links. This would result in undefined behavior",
  );
  refuse((h.Dns?.length ?? 0) > 0, 'dns and the network mode');
  refuse((h.ExtraHosts?.length ?? 0) > 0, 'custom host-to-IP mapping and the network mode');
  refuse((config.MacAddress ?? '') !== '', 'mac-address and the network mode');
  refuse(
    Object.keys(h.PortBindings ?? {}).length > 0 || h.PublishAllPorts,
    'port publishing and the container type network mode',
  );
}

/**
 * Every check of a create that needs nothing but the body. @throws EngineError 400 with Docker's text
 * @returns warnings for the client
 */
export function checkContainer(config: ContainerConfig, h: HostConfig): string[] {
  checkRestartPolicy(h);
  checkResources(h);
  checkLogConfig(h.LogConfig);
  checkPorts(config, h);
  checkNetworkConflicts(config, h);
  if (config.StopSignal) signalNumber(config.StopSignal);
  if (config.WorkingDir && !config.WorkingDir.startsWith('/'))
    throw containerErrors.invalid(
      `the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  for (const entry of config.Env ?? [])
    if (entry === '' || entry.startsWith('=')) throw containerErrors.invalid(`invalid environment variable: ${entry}`);
  for (const entry of h.ExtraHosts ?? [])
    if (!/^[^:=]+[:=].+$/.test(entry)) throw containerErrors.invalid(`bad format for add-host: "${entry}"`);
  if (h.ShmSize < 0) throw containerErrors.invalid('SHM size can not be less than 0');
  if (!/^(private|shareable|host|none|container:.+)$/.test(h.IpcMode))
    throw containerErrors.invalid(`invalid IPC mode: ${h.IpcMode}`);
  if (!/^(|private|host|container:.+)$/.test(h.PidMode ?? ''))
    throw containerErrors.invalid(`invalid PID mode: ${h.PidMode}`);
  if (!['', 'host'].includes(h.UTSMode ?? '')) throw containerErrors.invalid(`invalid UTS mode: ${h.UTSMode}`);
  if (!['private', 'host'].includes(h.CgroupnsMode ?? ''))
    throw containerErrors.invalid(`invalid cgroup namespace mode: ${h.CgroupnsMode}`);
  if (h.UTSMode === 'host' && config.Hostname !== '')
    throw containerErrors.invalid('conflicting options: hostname and the UTS mode');
  if (config.Healthcheck) {
    const { Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0 } = config.Healthcheck;
    for (const [what, value] of [
      ['Interval', Interval],
      ['Timeout', Timeout],
      ['StartPeriod', StartPeriod],
      ['StartInterval', StartInterval],
    ] as const)
      if (value !== 0 && value < 1_000_000)
        throw containerErrors.invalid(`${what} in Healthcheck cannot be less than 1ms`);
    if (Retries < 0) throw containerErrors.invalid('Retries in Healthcheck cannot be negative');
  }
  const warnings: string[] = [];
  if (h.OomKillDisable && h.Memory === 0)
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  if (
    (h.NetworkMode === 'host' || h.NetworkMode === 'none') &&
    (h.PublishAllPorts || Object.keys(h.PortBindings ?? {}).length > 0)
  )
    warnings.push(`Published ports are discarded when using ${h.NetworkMode} network mode`);
  return warnings;
}
