import { openSync, write } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { cgroupFolder } from './cgroups.ts';

/** How long after a call: an OCI runtime moves its process 10 to 20 ms after it was started. */
const WARM_MS = 40;
const PAUSE_MS = 3;
const writeTo = promisify(write);

let file: number | null | undefined;
let until = 0;
let running = false;

function open(): number | null {
  const folder = cgroupFolder(process.pid, 'pids') ?? cgroupFolder(process.pid, '');
  try {
    return folder === undefined ? null : openSync(path.join(folder, 'cgroup.procs'), 'w');
  } catch {
    return null; // a read-only hierarchy: it works without, only slower
  }
}

/**
 * The first process that is moved into a cgroup after a pause waits 5 to 10 ms: the kernel's lock for it must first tell every CPU
 * (cgroup_threadgroup_rwsem, an RCU grace period). Who follows within moments does not wait. So this process moves itself to where it
 * is already, again and again for a moment, while conmon and the OCI runtime are still starting. Never throws.
 */
export function warmCgroups(): void {
  if (file === undefined) file = open();
  until = performance.now() + WARM_MS;
  if (file === null || running) return;
  running = true;
  void (async () => {
    try {
      while (performance.now() < until) {
        await writeTo(file, String(process.pid));
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    } catch {
      file = null; // the kernel does not let us: it works without
    } finally {
      running = false;
    }
  })();
}
