import { parseTimestamp } from '../../format/units.ts';
import { copyOutput } from '../session.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley logs`: stdout and stderr of the container on ours. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const tail = args.string('tail');
  const time = (name: string) => {
    const text = args.string(name);
    return text === '' ? undefined : parseTimestamp(text, Date.now());
  };
  const [since, until] = [time('since'), time('until')];
  const client = await context.client();
  const stream = await client.getContainer(args.positionals[0] as string).logs({
    follow: args.bool('follow'),
    timestamps: args.bool('timestamps'),
    details: args.bool('details'),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    // The engine takes any text for all of them; a number it cannot read means all, as with Docker.
    tail: tail === 'all' || !/^\d+$/.test(tail) ? 'all' : Number(tail),
  });
  await copyOutput(stream.body, stream.multiplexed);
  return 0;
}
