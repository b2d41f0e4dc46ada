import { familiarName, type ImageReference, parseReference } from '../../api/references.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

function parse(target: string): ImageReference {
  try {
    return parseReference(target);
  } catch (error) {
    throw new Error(
      `Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${(error as Error).message}`,
    );
  }
}

/** `galley tag`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [source, target] = args.positionals as [string, string];
  const reference = parse(target);
  if (reference.digest) throw new Error('refusing to create a tag with a digest reference');
  const client = await context.client();
  await client.getImage(source).tag({ repo: familiarName(reference), tag: reference.tag ?? 'latest' });
  return 0;
}
