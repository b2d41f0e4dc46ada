import { statusOf } from '../../client/failure.ts';
import { forEachName } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley network rm`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  return forEachName(args.positionals, context, async (name) => {
    try {
      await client.getNetwork(name).remove();
      return name;
    } catch (error) {
      if (args.bool('force') && statusOf(error) === 404) return '';
      throw error;
    }
  });
}
