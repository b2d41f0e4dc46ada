import { familiarName, parseReference } from '../../format/reference.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley tag`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [source, target] = args.positionals as [string, string];
  const reference = parseReference(target);
  if (reference.digest) throw new Error('refusing to create a tag with a digest reference');
  const client = await context.client();
  await client.getImage(source).tag({ repo: familiarName(reference), tag: reference.tag ?? 'latest' });
  return 0;
}
