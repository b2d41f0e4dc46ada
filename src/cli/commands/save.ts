import { writeArchive } from '../archive-output.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley save`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  await writeArchive('save', args.string('output'), async () => (await context.client()).saveImages(args.positionals));
  return 0;
}
