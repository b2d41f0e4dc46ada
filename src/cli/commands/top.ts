import { alignTop } from '../../format/table.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley top CONTAINER [ps OPTIONS]`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [name, ...ps] = args.positionals as [string, ...string[]];
  const client = await context.client();
  const { Titles, Processes } = await client.getContainer(name).top(ps.length > 0 ? ps.join(' ') : undefined);
  context.out(alignTop([Titles, ...Processes]));
  return 0;
}
