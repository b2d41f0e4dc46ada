import { parseTimestamp } from '../../format/units.ts';
import { copyOutput } from '../copy-output.ts';
import { ExitError } from '../errors.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley logs`: stdout and stderr of the container on ours. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const tail = args.string('tail');
  const time = (name: string) => {
    const text = args.string(name);
    if (text === '') return undefined;
    try {
      return parseTimestamp(text, Date.now());
    } catch (error) {
      throw new ExitError(1, `invalid value for ${JSON.stringify(name)}: ${(error as Error).message}`);
    }
  };
  const [since, until] = [time('since'), time('until')];
  const client = await context.client();
  const stream = await client.getContainer(args.positionals[0] as string).logs({
    follow: args.bool('follow'),
    timestamps: args.bool('timestamps'),
    details: args.bool('details'),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    // The engine judges it: what it cannot read means all.
    tail,
  });
  await copyOutput(stream.body, stream.multiplexed);
  return 0;
}
