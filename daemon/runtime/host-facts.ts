import { existsSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { cgroupVersion } from '../system/cgroups.ts';
import { mayRunX32 } from '../system/syscalls.ts';
import { ALL_CAPABILITIES } from './capabilities.ts';

/** What the spec of a container depends on besides its config. */
export interface HostFacts {
  cgroupVersion: 1 | 2;
  /** As Go names it: amd64, arm64… */
  architecture: string;
  kernel: readonly [major: number, minor: number];
  /** The kernel may run x32 programs. */
  x32: boolean;
  /** Capabilities that a child of this process can have. */
  boundingCapabilities: readonly string[];
  /** Number of the last capability that the kernel knows. */
  lastCapability: number;
  /** Hard limits of this process by OCI name; without CAP_SYS_RESOURCE none can be raised. Absent: unlimited. */
  hardLimits: Readonly<Record<string, number>>;
  mayRaiseLimits: boolean;
  /** thermal_throttle folders that exist, to be masked. */
  thermalThrottles: readonly string[];
  apparmor: boolean;
  /** This process' own score, which its children start with. */
  oomScoreAdj: number;
  /** The kernel counts swap, so that memory + swap can be limited. */
  swapLimit: boolean;
}

const GO_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
/** Names of /proc/<pid>/limits (proc(5)). */
const LIMITS: Readonly<Record<string, string>> = {
  'Max cpu time': 'RLIMIT_CPU',
  'Max file size': 'RLIMIT_FSIZE',
  'Max data size': 'RLIMIT_DATA',
  'Max stack size': 'RLIMIT_STACK',
  'Max core file size': 'RLIMIT_CORE',
  'Max resident set': 'RLIMIT_RSS',
  'Max processes': 'RLIMIT_NPROC',
  'Max open files': 'RLIMIT_NOFILE',
  'Max locked memory': 'RLIMIT_MEMLOCK',
  'Max address space': 'RLIMIT_AS',
  'Max file locks': 'RLIMIT_LOCKS',
  'Max pending signals': 'RLIMIT_SIGPENDING',
  'Max msgqueue size': 'RLIMIT_MSGQUEUE',
  'Max nice priority': 'RLIMIT_NICE',
  'Max realtime priority': 'RLIMIT_RTPRIO',
  'Max realtime timeout': 'RLIMIT_RTTIME',
};

export function readHostFacts(): HostFacts {
  const bits = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`);
  const bounding = ALL_CAPABILITIES.filter((_, index) => (bits >> BigInt(index)) & 1n);
  const hardLimits: Record<string, number> = {};
  for (const line of readFileSync('/proc/self/limits', 'utf8').split('\n')) {
    const name = LIMITS[line.slice(0, 26).trim()];
    const hard = line.slice(26).trim().split(/\s+/)[1];
    if (name && hard && hard !== 'unlimited') hardLimits[name] = Number(hard);
  }
  const [major = 0, minor = 0] = os
    .release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  const cpuFolder = '/sys/devices/system/cpu';
  const cpus = existsSync(cpuFolder) ? readdirSync(cpuFolder).filter((name) => /^cpu\d+$/.test(name)) : [];
  return {
    cgroupVersion: cgroupVersion(),
    architecture: GO_ARCH[process.arch] ?? process.arch,
    kernel: [major, minor],
    x32: mayRunX32(),
    boundingCapabilities: bounding,
    lastCapability: Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')),
    hardLimits,
    mayRaiseLimits: bounding.includes('CAP_SYS_RESOURCE'),
    thermalThrottles: cpus
      .map((name) => `${cpuFolder}/${name}/thermal_throttle`)
      .filter((folder) => existsSync(folder)),
    apparmor: existsSync('/sys/kernel/security/apparmor/profiles'),
    oomScoreAdj: Number(readFileSync('/proc/self/oom_score_adj', 'utf8')),
    swapLimit: cgroupVersion() === 2 || existsSync('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes'),
  };
}
