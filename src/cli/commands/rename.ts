import { statusOf } from '../../client/failure.ts';
import { ExitError, errorText } from '../errors.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley rename`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [from, to] = args.positionals as [string, string];
  if (from.trim() === '' || to.trim() === '') throw new ExitError(1, 'Error: Neither old nor new names may be empty');
  const client = await context.client();
  try {
    await client.getContainer(from).rename(to);
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    throw new ExitError(1, `${errorText(error)}\nError: failed to rename container named ${from}`);
  }
  return 0;
}
