import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { familiarName, parseReference } from '../../api/references.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley import`: the new image's ID on stdout. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [source = '', name] = args.positionals;
  const reference = name === undefined ? undefined : parseReference(name);
  const url = /^https?:\/\//.test(source);
  const tar = url ? source : source === '-' ? createReadStream('', { fd: 0 }) : (await open(source)).createReadStream();
  const client = await context.client();
  const lines = client.importImage(tar, {
    ...(reference ? { repo: familiarName(reference), tag: reference.tag ?? '' } : {}),
    message: args.string('message'),
    changes: args.list('change'),
    platform: args.string('platform'),
  });
  for await (const { status } of lines) {
    if (status?.startsWith('sha256:')) context.out(`${status}\n`);
    else if (status) context.err(`${status}\n`);
  }
  return 0;
}
