import { familiarString, parseReference, tagNameOnly } from '../../api/references.ts';
import { credentialsFor } from '../../client/credentials.ts';
import { showProgress } from '../pulling.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley push`: progress on stderr, the full reference on stdout. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const name = args.positionals[0] as string;
  const reference = parseReference(name);
  const allTags = args.bool('all-tags');
  if (reference.digest !== undefined) throw new Error('cannot push a digest reference');
  if (allTags && reference.tag !== undefined) throw new Error("tag can't be used with --all-tags/-a");
  if (!allTags && reference.tag === undefined && !args.bool('quiet')) context.err('Using default tag: latest\n');
  const client = await context.client();
  const auth = await credentialsFor(name, {
    env: context.env,
    ...(context.globals.config === undefined ? {} : { configDir: context.globals.config }),
  });
  await showProgress(client.push(name, { allTags, ...(auth ? { auth } : {}) }), args.bool('quiet'));
  context.out(`${familiarString(allTags ? reference : tagNameOnly(reference))}\n`);
  return 0;
}
