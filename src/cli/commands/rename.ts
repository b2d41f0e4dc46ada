import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley rename`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [from, to] = args.positionals as [string, string];
  await (await context.client()).getContainer(from).rename(to);
  return 0;
}
