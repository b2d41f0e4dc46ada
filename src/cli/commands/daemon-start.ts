import { daemonArgs, endpointOf } from '../daemon-control.ts';
import { ensureEngine } from '../engine-start.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley daemon start`: in the background; says so when one runs already. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const endpoint = endpointOf(args, context.env);
  const started = await ensureEngine(endpoint, { env: context.env, args: daemonArgs(args) });
  context.out(`galleyd ${started ? 'started' : 'is already running'} at ${endpoint.host}\n`);
  return 0;
}
