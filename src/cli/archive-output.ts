/** A tar that a command gives out: to a file, which is there whole or not at all, or to stdout unless that is a terminal. */
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isatty } from 'node:tty';
import { out } from './output.ts';

/** @throws Error in docker's words when it would fill a terminal. `open` is asked for the tar only after that. */
export async function writeArchive(verb: string, target: string, open: () => Promise<Readable>): Promise<void> {
  if (!target && isatty(1)) throw new Error(`cowardly refusing to ${verb} to a terminal. Use the -o flag or redirect`);
  const archive = await open();
  if (!target) {
    for await (const chunk of archive) out(chunk as Buffer);
    return;
  }
  const temporary = `${target}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await pipeline(archive, createWriteStream(temporary, { flags: 'wx' }));
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}
