import { forEachName } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';
import { stopOptions } from './stop.ts';

/** `galley restart`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  return forEachName(args.positionals, context, async (name) => {
    await client.getContainer(name).restart(stopOptions(args));
    return name;
  });
}
