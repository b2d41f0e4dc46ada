import { existsSync } from 'node:fs';
import type { EndpointSettings, HostConfig, NetworkingConfig } from '../../src/api/index.ts';

const DEFAULT_SHM = 64 * 1024 * 1024;
const SIZES: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `10m`, `1.5g` in bytes, binary units; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text);
  if (!match) return undefined;
  return Math.trunc(Number(match[1]) * (SIZES[(match[2] as string).toLowerCase()] as number));
}

const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers');

/** Fields that Go shows also when nobody named them; clients read them without asking whether they are there. */
const UNSAID: Partial<HostConfig> = {
  ContainerIDFile: '',
  VolumeDriver: '',
  ConsoleSize: [0, 0],
  Cgroup: '',
  Isolation: '',
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  DeviceRequests: null,
  OomKillDisable: false,
};

/** The defaults that inspect shows (field/engine-api.md section 2.1). */
export function normaliseHostConfig(given: HostConfig): HostConfig {
  return {
    ...UNSAID,
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
    // Labels would keep such a container from what it was given; dockerd turns them off and says so.
    SecurityOpt:
      given.Privileged || given.IpcMode === 'host' || given.PidMode === 'host'
        ? [...(given.SecurityOpt ?? []), 'label=disable']
        : given.SecurityOpt,
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
