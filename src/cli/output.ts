/** Writing to stdout and stderr by file descriptor: loads no stream, keeps the order, ends quietly when the reader is gone. */
import { writeSync } from 'node:fs';

/** Exit status of a program that died of SIGPIPE. */
const EXIT_SIGPIPE = 141;

/**
 * Writes all of `data`. A full pipe that is non-blocking (a parent's choice) is waited for; a closed one ends the process
 * as SIGPIPE ends others, without a word.
 */
function writeFd(fd: number, data: string | Uint8Array): void {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      // EIO is a terminal that was closed under us.
      else if (code === 'EPIPE' || code === 'EIO') process.exit(EXIT_SIGPIPE);
      else throw error;
    }
  }
}

export const out = (text: string | Uint8Array): void => writeFd(1, text);
export const err = (text: string | Uint8Array): void => writeFd(2, text);
