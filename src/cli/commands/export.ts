import { writeArchive } from '../archive-output.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley export`: a container's files as one tar. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const path = `/containers/${encodeURIComponent(args.positionals[0] as string)}/export`;
  await writeArchive('export', args.string('output'), async () => (await context.client()).stream('GET', path));
  return 0;
}
