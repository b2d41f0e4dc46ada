import { forEachName } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley wait`: the exit code of each, in the order given. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  return forEachName(args.positionals, context, async (name) => {
    const { result } = await client.getContainer(name).wait();
    const { StatusCode, Error: failure } = await result;
    if (failure?.Message) throw new Error(failure.Message);
    return String(StatusCode);
  });
}
