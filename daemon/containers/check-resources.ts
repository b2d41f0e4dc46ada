import { availableParallelism } from 'node:os';
import type { HostConfig } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import type { CgroupAbilities } from '../system/cgroups.ts';

const MINIMUM_MEMORY = 6 * 1024 * 1024;

/** The limits that this host can keep; what it cannot is left out with a warning, as dockerd does. */
export function limitToHost(given: HostConfig, host: CgroupAbilities): { hostConfig: HostConfig; warnings: string[] } {
  const hostConfig = { ...given };
  const warnings: string[] = [];
  const drop = <K extends keyof HostConfig>(absent: boolean, key: K, none: HostConfig[K], warning: string) => {
    const value = hostConfig[key];
    if (!absent || !value || (Array.isArray(value) && value.length === 0)) return;
    hostConfig[key] = none;
    warnings.push(`Your kernel does not support ${warning}`);
  };
  drop(
    !host.swapLimit && given.Memory > 0 && given.MemorySwap !== -1,
    'MemorySwap',
    -1,
    'swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
  );
  drop(
    !host.swappiness,
    'MemorySwappiness',
    null,
    'memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
  );
  drop(!host.oomKillDisable, 'OomKillDisable', null, 'OomKillDisable. OomKillDisable discarded.');
  drop(!host.blkioWeight, 'BlkioWeight', 0, 'Block I/O weight or the cgroup is not mounted. Weight discarded.');
  drop(
    !host.blkioWeightDevice,
    'BlkioWeightDevice',
    null,
    'Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
  );
  for (const [key, what] of [
    ['BlkioDeviceReadBps', 'BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit'],
    ['BlkioDeviceWriteBps', 'BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit'],
    ['BlkioDeviceReadIOps', 'IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit'],
    ['BlkioDeviceWriteIOps', 'IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit'],
  ] as const)
    drop(!host.blkioThrottle, key, null, `${what} discarded.`);
  if (hostConfig.OomKillDisable && hostConfig.Memory === 0)
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  return { hostConfig, warnings };
}

/** `0-2,5` as numbers; undefined when it is no such list. */
export function parseSet(text: string): Set<number> | undefined {
  const result = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!match) return undefined;
    const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (to < from || to > 8192) return undefined;
    for (let n = from; n <= to; n += 1) result.add(n);
  }
  return result;
}

function checkSets(h: HostConfig, host: CgroupAbilities): void {
  for (const [what, name, set, available] of [
    ['cpus', 'CPUs', h.CpusetCpus, host.cpus],
    ['mems', 'memory nodes', h.CpusetMems, host.mems],
  ] as const) {
    if (!set) continue;
    const wanted = parseSet(set);
    if (!wanted) throw containerErrors.invalid(`Invalid value ${set} for cpuset ${what}: invalid format: ${set}`);
    const there = parseSet(available);
    if (there && [...wanted].some((n) => !there.has(n)))
      throw containerErrors.invalid(`Requested ${name} are not available - requested ${set}, available: ${available}`);
  }
}

/** @throws EngineError 400 */
export function checkResources(h: HostConfig, host: CgroupAbilities): void {
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
  checkSets(h, host);
  if (h.OomScoreAdj < -1000 || h.OomScoreAdj > 1000)
    throw containerErrors.invalid(`Invalid value ${h.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
}
