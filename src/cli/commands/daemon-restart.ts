import { execRootOf, runningDaemon, stopDaemon } from '../daemon-control.ts';
import type { CliContext, ParsedArgs } from '../types.ts';
import { run as start } from './daemon-start.ts';

/** `galley daemon restart`: with the flags given now. Containers run on. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const identity = runningDaemon(execRootOf(args));
  if (identity) await stopDaemon(identity);
  return start(context, args);
}
