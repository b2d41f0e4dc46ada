import { labelsOf } from '../run/values.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley volume create`: prints the name. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const volume = await client.createVolume({
    Name: args.positionals[0] ?? '',
    Driver: args.string('driver'),
    DriverOpts: labelsOf(args.list('opt')),
    Labels: labelsOf(args.list('label')),
  });
  context.out(`${volume.Name}\n`);
  return 0;
}
