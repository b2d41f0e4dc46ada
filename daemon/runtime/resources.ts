import type { HostConfig } from '../../src/api/index.ts';
import type { HostFacts } from './host-facts.ts';

const PERIOD = 100_000;

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
  if (hostConfig.CpusetCpus) cpu['cpus'] = hostConfig.CpusetCpus;
  if (hostConfig.CpusetMems) cpu['mems'] = hostConfig.CpusetMems;
  return {
    memory,
    cpu,
    ...(typeof hostConfig.PidsLimit === 'number' && hostConfig.PidsLimit > 0
      ? { pids: { limit: hostConfig.PidsLimit } }
      : {}),
    ...(hostConfig.BlkioWeight > 0 ? { blockIO: { weight: hostConfig.BlkioWeight } } : {}),
  };
}
