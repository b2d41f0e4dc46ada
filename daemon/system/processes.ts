import { readFileSync } from 'node:fs';

/** A process is recognised by start time and boot id, never by PID alone (design section 4). */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/<pid>/stat, clock ticks after boot. */
  startTime: string;
  bootId: string;
}

let knownBootId = '';
export function bootId(): string {
  if (knownBootId === '') knownBootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return knownBootId;
}

/** State letter and start time; undefined when there is no such process. */
function readStat(pid: number): { state: string; startTime: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name stands in parentheses and may hold spaces and parentheses itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] as string, startTime: fields[19] as string };
  } catch {
    return undefined;
  }
}

/** @throws Error when the process is gone. */
export function readProcessIdentity(pid: number): ProcessIdentity {
  const stat = readStat(pid);
  if (!stat) throw new Error(`process ${pid} is gone`);
  return { pid, startTime: stat.startTime, bootId: bootId() };
}

/** True while this very process lives (a zombie does not). */
export function isSameProcess(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  const stat = readStat(identity.pid);
  return stat !== undefined && stat.startTime === identity.startTime && stat.state !== 'Z' && stat.state !== 'X';
}
