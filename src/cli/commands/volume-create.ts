import { ExitError } from '../errors.ts';
import { labelsOf } from '../run/values.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley volume create`: prints the name. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [name = ''] = args.positionals;
  if (name !== '' && args.string('name') !== '') {
    const both = 'cannot specify a volume-name through both --name and as a positional arg';
    throw new ExitError(1, `conflicting options: ${both}`);
  }
  const client = await context.client();
  const volume = await client.createVolume({
    Name: name || args.string('name'),
    Driver: args.string('driver'),
    DriverOpts: labelsOf(args.list('opt')),
    Labels: labelsOf(args.list('label')),
  });
  context.out(`${volume.Name}\n`);
  return 0;
}
