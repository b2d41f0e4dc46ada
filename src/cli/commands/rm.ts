import { statusOf } from '../../client/failure.ts';
import { errorText } from '../errors.ts';
import { forEachName } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley rm`. With --force a container that is not there is said, but is no failure. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const force = args.bool('force');
  return forEachName(args.positionals, context, async (name) => {
    try {
      await client.getContainer(name).remove({ force, v: args.bool('volumes'), link: args.bool('link') });
      return name;
    } catch (error) {
      if (!force || statusOf(error) !== 404) throw error;
      context.err(`${errorText(error)}\n`);
      return '';
    }
  });
}
