import { closeSync, constants, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors/engine-error.ts';
import { runtimeErrors } from '../errors/runtime.ts';

const ATTEMPTS = 20;
const PAUSE_MS = 5;
/** Nobody reads the FIFO (yet), it is not there (yet), or it is full. */
const PASSING = new Set(['ENXIO', 'ENOENT', 'EAGAIN']);

/**
 * One command for conmon through its FIFO in `folder`: `1 ROWS COLUMNS` resizes, `2 0 0` reopens the log. A conmon that has just
 * been started may need a moment until it reads.
 * @throws EngineError when no conmon takes it
 */
export async function control(folder: string, command: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const fd = openSync(path.join(folder, 'ctl'), constants.O_WRONLY | constants.O_NONBLOCK);
      try {
        writeSync(fd, `${command}\n`);
        return;
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      if (attempt >= ATTEMPTS || !PASSING.has((error as NodeJS.ErrnoException).code ?? ''))
        throw runtimeErrors.unreachable(messageOf(error));
      await sleep(PAUSE_MS);
    }
  }
}
