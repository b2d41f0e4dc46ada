import { forEachName } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley rmi`: a line for each name and each layer that went. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  return forEachName(args.positionals, context, async (name) => {
    const items = await client.getImage(name).remove({ force: args.bool('force'), noprune: args.bool('no-prune') });
    return items
      .map((item) => ('Untagged' in item ? `Untagged: ${item.Untagged}` : `Deleted: ${item.Deleted}`))
      .join('\n');
  });
}
