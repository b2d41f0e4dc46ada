import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { isSameProcess, type ProcessIdentity, readProcessIdentity } from '../system/processes.ts';
import type { OciSpec } from './types.ts';

/** What is at which place below the exec root. Short names: the path of an attach socket has 107 bytes (unix(7)). */
export interface RuntimePaths {
  bundles: string;
  execs: string;
  exits: string;
  bundle(id: string): string;
  /** An exec's own folder: process.json, sockets, exit file. */
  exec(execId: string): string;
  /** State folder of an OCI runtime, one for each, so that none reads another's. */
  state(runtimePath: string): string;
}

export function runtimePaths(execRoot: string): RuntimePaths {
  const bundles = path.join(execRoot, 'b');
  const execs = path.join(execRoot, 'x');
  return {
    bundles,
    execs,
    exits: path.join(execRoot, 'exits'),
    bundle: (id) => path.join(bundles, id),
    exec: (execId) => path.join(execs, execId.slice(0, 16)),
    state: (runtimePath) => path.join(execRoot, 's', path.basename(runtimePath)),
  };
}

const identity = z.object({ pid: z.int(), startTime: z.string(), bootId: z.string() });
const taskSchema = z.object({
  runtimePath: z.string(),
  /** From the top of the hierarchies, without the slash in front; '' where the spec names none. */
  cgroup: z.string(),
  /** null until conmon has said so. */
  init: identity.nullable(),
});
/** `task.json` in a bundle: what the next galleyd has to know of the container. */
export type TaskRecord = z.infer<typeof taskSchema>;

export function writeTask(bundle: string, task: TaskRecord): void {
  writeFileSync(path.join(bundle, 'task.json'), JSON.stringify(task), { mode: 0o600 });
}

/** null when there is no bundle, or a crash came before the record was whole. */
export function readTask(bundle: string): TaskRecord | null {
  try {
    return taskSchema.parse(JSON.parse(readFileSync(path.join(bundle, 'task.json'), 'utf8')));
  } catch {
    return null;
  }
}

export function cgroupOf(spec: OciSpec): string {
  const cgroup = spec.linux['cgroupsPath'];
  return typeof cgroup === 'string' ? cgroup.replace(/^\/+/, '') : '';
}

/** The conmon that works in `folder`, by the PID it wrote there; null when it has ended (or has not written it yet). */
export function conmonOf(folder: string): ProcessIdentity | null {
  try {
    const conmon = readProcessIdentity(Number(readFileSync(path.join(folder, 'conmon.pid'), 'utf8')));
    // Another process may have its PID by now: it is this conmon if its arguments say so. By name, not by path, which may be a link's.
    const words = readFileSync(`/proc/${conmon.pid}/cmdline`, 'utf8').split('\0');
    return words.includes(path.basename(folder)) && isSameProcess(conmon) ? conmon : null;
  } catch {
    return null;
  }
}
