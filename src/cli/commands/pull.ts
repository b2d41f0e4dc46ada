import { familiarName, fullString, parseReference, tagNameOnly } from '../../api/references.ts';
import { pullImage } from '../pulling.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley pull`: progress on stderr, the full reference on stdout. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const name = args.positionals[0] as string;
  const reference = parseReference(name);
  const allTags = args.bool('all-tags');
  const tagged = reference.tag !== undefined || reference.digest !== undefined;
  if (allTags && tagged) throw new Error("tag can't be used with --all-tags/-a");
  if (!allTags && !tagged && !args.bool('quiet')) context.err('Using default tag: latest\n');
  const client = await context.client();
  await pullImage(context, client, name, { platform: args.string('platform'), allTags, quiet: args.bool('quiet') });
  context.out(`${allTags ? familiarName(reference) : fullString(tagNameOnly(reference))}\n`);
  return 0;
}
