import { forEachName } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley kill`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  return forEachName(args.positionals, context, async (name) => {
    await client.getContainer(name).kill({ signal: args.string('signal') || 'KILL' });
    return name;
  });
}
