import { daemonArgs, endpointOf, execRootOf, runningDaemon, stopDaemon } from '../daemon-control.ts';
import { isService } from '../service.ts';
import type { CliContext, ParsedArgs } from '../types.ts';
import { serviceVerb, run as start } from './daemon-start.ts';

/** `galley daemon restart`: with the flags given now; a service by systemd, with its own. Containers run on. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  if (isService() && daemonArgs(args).length === 0)
    return serviceVerb(context, endpointOf(args, context.env), 'restart');
  const identity = runningDaemon(execRootOf(args));
  if (identity) await stopDaemon(identity);
  return start(context, args);
}
