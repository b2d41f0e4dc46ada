import { forEachName } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** The -t/--timeout (or --time) and --signal flags of stop and restart. */
export function stopOptions(args: ParsedArgs): { t?: number; signal?: string } {
  const t = args.number('timeout') ?? args.number('time');
  return { ...(t === undefined ? {} : { t }), ...(args.string('signal') ? { signal: args.string('signal') } : {}) };
}

/** `galley stop`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  return forEachName(args.positionals, context, async (name) => {
    await client.getContainer(name).stop(stopOptions(args));
    return name;
  });
}
