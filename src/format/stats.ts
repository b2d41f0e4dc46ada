/** What a stats sample means in the numbers people read (the docker CLI's formulas). */
import type { ContainerStats } from '../api/containers.ts';

export interface Usage {
  /** 100 is one CPU. */
  cpuPercent: number;
  /** Bytes without the page cache that can be dropped. */
  memory: number;
  memoryLimit: number;
  memoryPercent: number;
  received: number;
  sent: number;
  blockRead: number;
  blockWritten: number;
  pids: number;
}

function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = now.cpu_usage.total_usage - (before?.cpu_usage?.total_usage ?? 0);
  const system = (now.system_cpu_usage ?? 0) - (before?.system_cpu_usage ?? 0);
  const cpus = now.online_cpus || now.cpu_usage.percpu_usage?.length || 1;
  return used > 0 && system > 0 ? (used / system) * cpus * 100 : 0;
}

/** Usage minus inactive file cache: the field is called differently under cgroup v1 and v2. */
function memoryOf({ usage = 0, stats = {} }: ContainerStats['memory_stats']): number {
  const cache = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0;
  return cache < usage ? usage - cache : usage;
}

/** Numbers of one sample; a container that is not running has no cpu_stats and must not be passed. */
export function usageOf(sample: ContainerStats): Usage {
  const memory = memoryOf(sample.memory_stats ?? {});
  const memoryLimit = sample.memory_stats?.limit ?? 0;
  const networks = Object.values(sample.networks ?? {});
  let blockRead = 0;
  let blockWritten = 0;
  for (const entry of sample.blkio_stats?.['io_service_bytes_recursive'] ?? []) {
    if (/^read$/i.test(entry.op)) blockRead += entry.value;
    if (/^write$/i.test(entry.op)) blockWritten += entry.value;
  }
  return {
    cpuPercent: cpuPercent(sample),
    memory,
    memoryLimit,
    memoryPercent: memoryLimit > 0 ? (memory / memoryLimit) * 100 : 0,
    received: networks.reduce((sum, one) => sum + one.rx_bytes, 0),
    sent: networks.reduce((sum, one) => sum + one.tx_bytes, 0),
    blockRead,
    blockWritten,
    pids: sample.pids_stats?.current ?? 0,
  };
}
