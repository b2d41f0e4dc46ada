import { closeSync, constants, openSync, readSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSameProcess, type ProcessIdentity } from '../system/processes.ts';

const PATIENCE_MS = 10_000;

/**
 * Lets a container that runc created go: its init waits until somebody opens exec.fifo for reading, which is all that `runc start`
 * does, and a spawn costs 8 ms. False when that did not work, so that `runc start` may say why.
 */
export async function openExecFifo(fifo: string, init: ProcessIdentity): Promise<boolean> {
  let fd: number;
  try {
    // Non-blocking: a read end that waits for a writer would wait for ever for an init that died.
    fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return false; // started already, or not runc's way
  }
  const byte = Buffer.alloc(1);
  const until = Date.now() + PATIENCE_MS;
  try {
    for (;;) {
      // Asked before the read: a short command may write its byte, run and end between the two, and the byte says that it started.
      const ended = !isSameProcess(init);
      try {
        if (readSync(fd, byte, 0, 1, null) === 1) break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
      if (ended || Date.now() > until) return false;
      await sleep(1);
    }
  } finally {
    closeSync(fd);
  }
  // The file's absence is runc's own sign of a container that has been started.
  rmSync(fifo, { force: true });
  return true;
}
