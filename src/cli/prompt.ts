import { readSync } from 'node:fs';
import { isatty } from 'node:tty';
import { ExitError } from './errors.ts';
import { err } from './output.ts';

/** Asks on stderr, default No. @throws ExitError 1 without a terminal: a script must say --force. */
export async function confirm(question: string): Promise<boolean> {
  if (!isatty(0)) throw new ExitError(1, `${question}\nnot asking, because stdin is no terminal: add --force to do it`);
  err(`${question} [y/N] `);
  const bytes = Buffer.alloc(256);
  let count = 0;
  try {
    count = readSync(0, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EOF') throw error;
  }
  return /^\s*y(es)?\s*$/i.test(bytes.toString('utf8', 0, count));
}
