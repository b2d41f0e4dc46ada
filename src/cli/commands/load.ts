import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { isatty } from 'node:tty';
import { showProgress } from '../pulling.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley load`: what was loaded on stdout, progress on stderr. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const source = args.string('input');
  if (!source && isatty(0)) throw new Error('requested load from stdin, but stdin is empty');
  // Opened first: a name that is not there is told without asking the engine.
  const archive = source ? (await open(source)).createReadStream() : createReadStream('', { fd: 0 });
  const client = await context.client();
  const quiet = args.bool('quiet');
  await showProgress(client.loadImages(archive, { quiet }), quiet, (line) => context.out(line));
  return 0;
}
