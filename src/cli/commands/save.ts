import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { isatty } from 'node:tty';
import { out } from '../output.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley save`: to a file, which is there whole or not at all, or to stdout. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const target = args.string('output');
  if (!target && isatty(1)) throw new Error('cowardly refusing to save to a terminal. Use the -o flag or redirect');
  const client = await context.client();
  const archive = await client.saveImages(args.positionals);
  if (!target) {
    for await (const chunk of archive) out(chunk as Buffer);
    return 0;
  }
  const temporary = `${target}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await pipeline(archive, createWriteStream(temporary, { flags: 'wx' }));
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
  return 0;
}
