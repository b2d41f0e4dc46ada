import { forEachName } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley volume rm`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  return forEachName(args.positionals, context, async (name) => {
    await client.getVolume(name).remove({ force: args.bool('force') });
    return name;
  });
}
