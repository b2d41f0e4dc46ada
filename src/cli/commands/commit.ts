import { familiarName, parseReference } from '../../api/references.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley commit`: a container's files and settings as an image; prints its id. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [container, name] = args.positionals as [string, string?];
  const reference = name ? parseReference(name) : undefined;
  if (reference?.digest) throw new Error('cannot use digest reference');
  const client = await context.client();
  const { Id } = await client.json<{ Id: string }>('POST', '/commit', {
    query: {
      container,
      repo: reference ? familiarName(reference) : undefined,
      tag: reference ? (reference.tag ?? 'latest') : undefined,
      comment: args.string('message') || undefined,
      author: args.string('author') || undefined,
      changes: args.list('change'),
      pause: args.bool('pause'),
    },
  });
  context.out(`${Id}\n`);
  return 0;
}
