import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import path from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** 2 where the unified hierarchy is the only one; 1 for v1 and for hybrid, where the controllers are v1's. */
export function cgroupVersion(): 1 | 2 {
  return existsSync(path.join(ROOT, 'cgroup.controllers')) ? 2 : 1;
}

let known: string[] | undefined;
/** Mount points of the hierarchies: one on v2; on v1 one for each controller (two names may mean the same), the unified one beside them. */
export function hierarchies(): string[] {
  known ??=
    cgroupVersion() === 2
      ? [ROOT]
      : [...new Set(readdirSync(ROOT).map((entry) => realpathSync(path.join(ROOT, entry))))].filter((folder) =>
          existsSync(path.join(folder, 'cgroup.procs')),
        );
  return known;
}

/** What the cgroups of this host can limit. */
export interface CgroupAbilities {
  /** Processors and memory nodes in the kernel's list form (`0-3`); '' where there is no telling. */
  cpus: string;
  mems: string;
  swapLimit: boolean;
  swappiness: boolean;
  oomKillDisable: boolean;
  blkioWeight: boolean;
  blkioWeightDevice: boolean;
  blkioThrottle: boolean;
}

/** Looked up once: a running kernel's controllers do not change. */
export function cgroupAbilities(): CgroupAbilities {
  const first = (...files: string[]) => {
    for (const file of files) {
      const text = readCgroupFile(ROOT, file);
      if (text) return text;
    }
    return '';
  };
  const has = (...files: string[]) => files.some((file) => existsSync(path.join(ROOT, file)));
  if (cgroupVersion() === 2) {
    const controllers = first('cgroup.controllers').split(' ');
    return {
      cpus: first('cpuset.cpus.effective'),
      mems: first('cpuset.mems.effective'),
      swapLimit: controllers.includes('memory'),
      swappiness: false,
      oomKillDisable: false,
      blkioWeight: has('init.scope/io.weight', 'system.slice/io.weight', 'init.scope/io.bfq.weight'),
      blkioWeightDevice: has('init.scope/io.weight', 'system.slice/io.weight', 'init.scope/io.bfq.weight'),
      blkioThrottle: controllers.includes('io'),
    };
  }
  return {
    cpus: first('cpuset/cpuset.effective_cpus', 'cpuset/cpuset.cpus'),
    mems: first('cpuset/cpuset.effective_mems', 'cpuset/cpuset.mems'),
    swapLimit: has('memory/memory.memsw.limit_in_bytes'),
    swappiness: has('memory/memory.swappiness'),
    oomKillDisable: has('memory/memory.oom_control'),
    blkioWeight: has('blkio/blkio.weight', 'blkio/blkio.bfq.weight'),
    blkioWeightDevice: has('blkio/blkio.weight_device', 'blkio/blkio.bfq.weight_device'),
    blkioThrottle: has('blkio/blkio.throttle.read_bps_device'),
  };
}

/** Folder of a process' cgroup for a v1 controller, or of its only cgroup on v2 (cgroups(7), /proc/<pid>/cgroup). */
export function cgroupFolder(pid: number, controller: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return undefined;
  }
  const v2 = cgroupVersion() === 2;
  for (const line of text.split('\n')) {
    const [hierarchy, controllers = '', ...rest] = line.split(':');
    const folder = rest.join(':');
    if (v2 && hierarchy === '0') return path.join(ROOT, folder);
    if (!v2 && controllers.split(',').includes(controller))
      return path.join(
        ROOT,
        controllers.startsWith('name=')
          ? controllers.slice(5)
          : existsSync(path.join(ROOT, controllers))
            ? controllers
            : controller,
        folder,
      );
  }
  return undefined;
}

export function readCgroupFile(folder: string | undefined, file: string): string | undefined {
  if (folder === undefined) return undefined;
  try {
    return readFileSync(path.join(folder, file), 'utf8').trim();
  } catch {
    return undefined; // a controller that is not enabled has no such file
  }
}

/** A number, undefined for `max`, for v1's "no limit", and where there is no such file. */
export function readCgroupNumber(folder: string | undefined, file: string): number | undefined {
  const text = readCgroupFile(folder, file);
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= 2 ** 60 ? undefined : value;
}

/** `key value` lines as numbers. */
export function readCgroupPairs(folder: string | undefined, file: string): Record<string, number> {
  const pairs: Record<string, number> = {};
  for (const line of (readCgroupFile(folder, file) ?? '').split('\n')) {
    const [key, value] = line.split(' ');
    if (key && value !== undefined) pairs[key] = Number(value);
  }
  return pairs;
}

/** True when no process is in a cgroup (path from the top of the hierarchies) or below it. */
export function cgroupIsEmpty(name: string): boolean {
  const top = path.join(cgroupVersion() === 2 ? ROOT : path.join(ROOT, 'pids'), name);
  const occupied = (folder: string): boolean =>
    (readCgroupFile(folder, 'cgroup.procs') ?? '') !== '' ||
    readdirSync(folder, { withFileTypes: true }).some(
      (entry) => entry.isDirectory() && occupied(path.join(folder, entry.name)),
    );
  return !existsSync(top) || !occupied(top);
}

/** How often the kernel has killed a process of a cgroup (path from the top of the hierarchies) for want of memory. */
export function cgroupOomKills(name: string): number {
  const v2 = cgroupVersion() === 2;
  const folder = path.join(v2 ? ROOT : path.join(ROOT, 'memory'), name);
  return readCgroupPairs(folder, v2 ? 'memory.events' : 'memory.oom_control')['oom_kill'] ?? 0;
}

/** The processes in the cgroup `name` at the top of any hierarchy, and in those below it. */
export function cgroupProcesses(name: string): number[] {
  const found = new Set<number>();
  const look = (folder: string): void => {
    if (!existsSync(folder)) return;
    for (const pid of (readCgroupFile(folder, 'cgroup.procs') ?? '').split('\n')) if (pid) found.add(Number(pid));
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) look(path.join(folder, entry.name));
  };
  for (const top of hierarchies()) look(path.join(top, name));
  return [...found];
}

async function removeFolder(folder: string): Promise<void> {
  const gone = async () => {
    try {
      await rmdir(folder);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT';
    }
  };
  if (await gone()) return;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []); // gone meanwhile
  for (const entry of entries) if (entry.isDirectory()) await removeFolder(path.join(folder, entry.name));
  await gone(); // else a process still lives in it: whoever asked will find it
}

/** Removes the empty cgroups named `name` at the top of every hierarchy, with their empty children. */
export async function removeCgroups(name: string): Promise<void> {
  await Promise.all(hierarchies().map((top) => removeFolder(path.join(top, name))));
}
