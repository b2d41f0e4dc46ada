import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { duplicateOnto } from './syscalls.ts';

const LIMIT_BYTES = 10 * 1024 * 1024;
const OLD_FILES = 3;

/** The log file and the old ones beside it, newest first: FILE, FILE.1, FILE.2, FILE.3. */
function logFiles(file: string): string[] {
  return [file, ...Array.from({ length: OLD_FILES }, (_, i) => `${file}.${i + 1}`)];
}

/**
 * Opens galleyd's own log and puts stdout and stderr onto it, so that the last words of a crash land there too. At `limit` bytes the
 * file becomes FILE.1, FILE.1 becomes FILE.2 and so on; the fourth goes.
 * @returns what writes one line; a full disk loses lines, it never ends galleyd.
 * @throws Error when the file cannot be opened.
 */
export function openLogFile(file: string, limit = LIMIT_BYTES, redirect = true): (line: string) => void {
  let fd = -1;
  let size = 0;
  const open = (): void => {
    const old = fd;
    fd = openSync(file, 'a', 0o640);
    size = fstatSync(fd).size;
    if (redirect) for (const standard of [1, 2]) duplicateOnto(fd, standard);
    if (old >= 0) closeSync(old);
  };
  const rotate = (): void => {
    const files = logFiles(file);
    for (let i = files.length - 1; i > 0; i -= 1) {
      try {
        renameSync(files[i - 1] as string, files[i] as string);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    open();
  };
  open();
  return (line) => {
    const bytes = Buffer.from(line);
    try {
      if (size > 0 && size + bytes.length > limit) rotate();
      writeSync(fd, bytes);
      size += bytes.length;
    } catch {
      // Nowhere is left to say it: the log itself cannot be written.
    }
  };
}

/** Removes the log and the old ones beside it. */
export function removeLogFiles(file: string): void {
  for (const one of logFiles(file)) rmSync(one, { force: true });
}
