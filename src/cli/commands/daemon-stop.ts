import { endpointOf, execRootOf, runningDaemon, stopDaemon } from '../daemon-control.ts';
import { answers } from '../engine-start.ts';
import { ExitError } from '../errors.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley daemon stop`: containers run on. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const execRoot = execRootOf(args);
  const identity = runningDaemon(execRoot);
  if (!identity) {
    const endpoint = endpointOf(args, context.env);
    if (await answers(endpoint)) {
      throw new ExitError(
        1,
        `an engine answers at ${endpoint.host}, but ${execRoot}/galleyd.pid names no running galleyd: stop it where it was started`,
      );
    }
    context.out('galleyd is not running\n');
    return 0;
  }
  await stopDaemon(identity);
  context.out('galleyd stopped; its containers run on\n');
  return 0;
}
