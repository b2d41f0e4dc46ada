import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { BlkioEntry, ContainerStats, NetworkStats } from '../../src/api/index.ts';
import { cgroupFolder, cgroupVersion, readCgroupFile, readCgroupNumber, readCgroupPairs } from '../system/cgroups.ts';

const NANOS_PER_TICK = 10_000_000; // USER_HZ is 100 on every architecture that Node runs on
const ZERO_TIME = '0001-01-01T00:00:00Z';

/** Busy and idle time of the whole machine in nanoseconds (/proc/stat). */
function systemCpu(): number {
  const fields = /^cpu\s+(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.trim().split(/\s+/) ?? [];
  return fields.slice(0, 8).reduce((sum, field) => sum + Number(field), 0) * NANOS_PER_TICK;
}

function networkCounters(pid: number): Record<string, NetworkStats> {
  const networks: Record<string, NetworkStats> = {};
  for (const line of readFileSync(`/proc/${pid}/net/dev`, 'utf8').split('\n').slice(2)) {
    const [name, counters] = line.split(':');
    if (!counters || name?.trim() === 'lo') continue;
    const n = counters.trim().split(/\s+/).map(Number);
    networks[(name as string).trim()] = {
      rx_bytes: n[0] ?? 0,
      rx_packets: n[1] ?? 0,
      rx_errors: n[2] ?? 0,
      rx_dropped: n[3] ?? 0,
      tx_bytes: n[8] ?? 0,
      tx_packets: n[9] ?? 0,
      tx_errors: n[10] ?? 0,
      tx_dropped: n[11] ?? 0,
    };
  }
  return networks;
}

function blkioV1(folder: string | undefined, file: string): BlkioEntry[] {
  return (readCgroupFile(folder, file) ?? '').split('\n').flatMap((line) => {
    const match = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line);
    return match
      ? [{ major: Number(match[1]), minor: Number(match[2]), op: match[3] as string, value: Number(match[4]) }]
      : [];
  });
}

function blkioV2(folder: string | undefined): BlkioEntry[] {
  return (readCgroupFile(folder, 'io.stat') ?? '').split('\n').flatMap((line) => {
    const match = /^(\d+):(\d+) (.*)$/.exec(line);
    if (!match) return [];
    const values = Object.fromEntries(
      (match[3] as string).split(' ').map((pair) => pair.split('=') as [string, string]),
    );
    const entry = (op: string, key: string) => ({
      major: Number(match[1]),
      minor: Number(match[2]),
      op,
      value: Number(values[key] ?? 0),
    });
    return [entry('read', 'rbytes'), entry('write', 'wbytes')];
  });
}

/** One sample of a container's counters, in Docker's shape for the host's cgroup version. @throws Error when the process is gone. */
export function readSample(id: string, pid: number): ContainerStats {
  const v2 = cgroupVersion() === 2;
  const folder = (controller: string) => cgroupFolder(pid, controller);
  const throttling = readCgroupPairs(folder('cpu'), 'cpu.stat');
  const usage = v2 ? readCgroupPairs(folder('cpu'), 'cpu.stat') : {};
  const acct = v2 ? {} : readCgroupPairs(folder('cpuacct'), 'cpuacct.stat');
  const memory = folder('memory');
  const usageInBytes = readCgroupNumber(memory, v2 ? 'memory.current' : 'memory.usage_in_bytes') ?? 0;
  const limit = readCgroupNumber(memory, v2 ? 'memory.max' : 'memory.limit_in_bytes');
  const pids = folder('pids');
  const pidsLimit = readCgroupNumber(pids, 'pids.max');
  const blkio = folder('blkio');
  return {
    id,
    name: '',
    read: new Date().toISOString(),
    preread: ZERO_TIME,
    num_procs: 0,
    pids_stats: {
      current: readCgroupNumber(pids, 'pids.current') ?? 0,
      ...(pidsLimit === undefined ? {} : { limit: pidsLimit }),
    },
    cpu_stats: {
      cpu_usage: {
        total_usage: v2
          ? (usage['usage_usec'] ?? 0) * 1000
          : (readCgroupNumber(folder('cpuacct'), 'cpuacct.usage') ?? 0),
        ...(v2
          ? {}
          : {
              percpu_usage: (readCgroupFile(folder('cpuacct'), 'cpuacct.usage_percpu') ?? '')
                .split(' ')
                .filter(Boolean)
                .map(Number),
            }),
        usage_in_kernelmode: v2 ? (usage['system_usec'] ?? 0) * 1000 : (acct['system'] ?? 0) * NANOS_PER_TICK,
        usage_in_usermode: v2 ? (usage['user_usec'] ?? 0) * 1000 : (acct['user'] ?? 0) * NANOS_PER_TICK,
      },
      system_cpu_usage: systemCpu(),
      online_cpus: os.cpus().length,
      throttling_data: {
        periods: throttling['nr_periods'] ?? 0,
        throttled_periods: throttling['nr_throttled'] ?? 0,
        throttled_time: v2 ? (throttling['throttled_usec'] ?? 0) * 1000 : (throttling['throttled_time'] ?? 0),
      },
    },
    precpu_stats: {
      cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
      throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
    },
    memory_stats: {
      usage: usageInBytes,
      ...(v2
        ? {}
        : {
            max_usage: readCgroupNumber(memory, 'memory.max_usage_in_bytes') ?? 0,
            failcnt: readCgroupNumber(memory, 'memory.failcnt') ?? 0,
          }),
      stats: readCgroupPairs(memory, 'memory.stat'),
      limit: limit ?? os.totalmem(),
    },
    blkio_stats: {
      io_service_bytes_recursive: v2 ? blkioV2(blkio) : blkioV1(blkio, 'blkio.throttle.io_service_bytes_recursive'),
      io_serviced_recursive: v2 ? null : blkioV1(blkio, 'blkio.throttle.io_serviced_recursive'),
      io_queue_recursive: null,
      io_service_time_recursive: null,
      io_wait_time_recursive: null,
      io_merged_recursive: null,
      io_time_recursive: null,
      sectors_recursive: null,
    },
    networks: networkCounters(pid),
    storage_stats: {},
  };
}
