import { humanDuration } from '../../api/durations.ts';
import { createFastClient } from '../../client/fast.ts';
import { endpointOf, execRootOf, runningDaemon, uptimeOf } from '../daemon-control.ts';
import { answers } from '../engine-start.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** Exit code of a service that does not run, as init scripts have it (LSB). */
const NOT_RUNNING = 3;

/** `galley daemon status`: 0 when it answers, 3 when not. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const endpoint = endpointOf(args, context.env);
  const identity = runningDaemon(execRootOf(args));
  if (!(await answers(endpoint))) {
    context.out(
      identity
        ? `galleyd runs (pid ${identity.pid}) but does not answer at ${endpoint.host}\n`
        : 'galleyd is not running\n',
    );
    return NOT_RUNNING;
  }
  const client = createFastClient(endpoint);
  const [version, info] = await Promise.all([client.version(), client.info()]);
  const since = identity ? `, pid ${identity.pid}, up ${humanDuration(uptimeOf(identity) * 1000).toLowerCase()}` : '';
  context.out(`galleyd ${version.Version} is running at ${endpoint.host}${since}\n`);
  context.out(
    `data root ${info.DockerRootDir}, ${info.ContainersRunning} of ${info.Containers} containers running, ${info.Images} images\n`,
  );
  return 0;
}
