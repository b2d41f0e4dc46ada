import type { HostConfig } from '../../src/api/index.ts';
import { deviceNumbers } from './devices.ts';
import type { HostFacts } from './host-facts.ts';

const PERIOD = 100_000;

function throttle(entries: { Path: string; Rate: number }[] | null | undefined): unknown[] | undefined {
  return entries?.length ? entries.map(({ Path, Rate }) => ({ ...deviceNumbers(Path), rate: Rate })) : undefined;
}

/** @throws EngineError naming a device that is not there */
function blockLimits(h: HostConfig): Record<string, unknown> {
  const limits = {
    weight: h.BlkioWeight > 0 ? h.BlkioWeight : undefined,
    weightDevice: h.BlkioWeightDevice?.length
      ? h.BlkioWeightDevice.map(({ Path, Weight }) => ({ ...deviceNumbers(Path), weight: Weight }))
      : undefined,
    throttleReadBpsDevice: throttle(h.BlkioDeviceReadBps),
    throttleWriteBpsDevice: throttle(h.BlkioDeviceWriteBps),
    throttleReadIOPSDevice: throttle(h.BlkioDeviceReadIOps),
    throttleWriteIOPSDevice: throttle(h.BlkioDeviceWriteIOps),
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

/** Limits of a container as OCI resources; what was not asked for stays out (field/engine-api.md section 2.2). */
export function buildResources(hostConfig: HostConfig, host: HostFacts): Record<string, unknown> {
  const memory: Record<string, unknown> = {};
  if (hostConfig.Memory > 0) {
    memory['limit'] = hostConfig.Memory;
    // Unset swap means as much again, -1 no limit.
    if (host.swapLimit) memory['swap'] = hostConfig.MemorySwap === 0 ? hostConfig.Memory * 2 : hostConfig.MemorySwap;
  }
  if (hostConfig.MemoryReservation > 0) memory['reservation'] = hostConfig.MemoryReservation;
  if (host.cgroupVersion === 1 && typeof hostConfig.MemorySwappiness === 'number' && hostConfig.MemorySwappiness >= 0)
    memory['swappiness'] = hostConfig.MemorySwappiness;
  if (host.cgroupVersion === 1 && hostConfig.OomKillDisable) memory['disableOOMKiller'] = true;
  const cpu: Record<string, unknown> = {};
  if (hostConfig.CpuShares > 0) cpu['shares'] = hostConfig.CpuShares;
  if (hostConfig.NanoCpus > 0) {
    cpu['period'] = PERIOD;
    cpu['quota'] = Math.round((hostConfig.NanoCpus * PERIOD) / 1e9);
  } else {
    if (hostConfig.CpuPeriod > 0) cpu['period'] = hostConfig.CpuPeriod;
    if (hostConfig.CpuQuota !== 0) cpu['quota'] = hostConfig.CpuQuota;
  }
  if (hostConfig.CpuRealtimePeriod) cpu['realtimePeriod'] = hostConfig.CpuRealtimePeriod;
  if (hostConfig.CpuRealtimeRuntime) cpu['realtimeRuntime'] = hostConfig.CpuRealtimeRuntime;
  if (hostConfig.CpusetCpus) cpu['cpus'] = hostConfig.CpusetCpus;
  if (hostConfig.CpusetMems) cpu['mems'] = hostConfig.CpusetMems;
  const block = blockLimits(hostConfig);
  return {
    memory,
    cpu,
    ...(typeof hostConfig.PidsLimit === 'number' && hostConfig.PidsLimit > 0
      ? { pids: { limit: hostConfig.PidsLimit } }
      : {}),
    ...(Object.keys(block).length > 0 ? { blockIO: block } : {}),
  };
}
