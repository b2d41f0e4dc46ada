/** A daemon's own session and cgroup: nothing that ends or limits whoever started it ends or limits the daemon. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import koffi from 'koffi';
import { hierarchies } from './cgroups.ts';

const libc = koffi.load('libc.so.6');
const setsid = libc.func('int setsid()');

/** A session of its own, unless it is in one already, or somebody at a terminal runs it and wants to end it with Ctrl-C. */
export function enterOwnSession(): void {
  if (!process.stdin.isTTY) setsid(); // fails only for the leader of a group, which has left its starter's already
}

/**
 * Moves this process into the cgroup `<name>/galleyd` of every hierarchy; conmons start there too. A unit of systemd stays where
 * systemd looks for it. A cpuset is left as it is: a new one holds no CPU, and the starter's choice of CPUs is meant.
 * Gives back the hierarchies that refuse it, with the reason.
 */
export function enterOwnCgroup(name: string): { hierarchy: string; error: string }[] {
  if (/\.service$/m.test(readFileSync('/proc/self/cgroup', 'utf8'))) return [];
  const wanted = hierarchies().filter((folder) => !existsSync(path.join(folder, 'cpuset.cpus')));
  return wanted.flatMap((hierarchy) => {
    const folder = path.join(hierarchy, name, 'galleyd');
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, 'cgroup.procs'), String(process.pid));
      return [];
    } catch (error) {
      return [{ hierarchy, error: String(error) }];
    }
  });
}
