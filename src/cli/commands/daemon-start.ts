import type { Endpoint } from '../../client/endpoint.ts';
import { daemonArgs, endpointOf } from '../daemon-control.ts';
import { answers, ensureEngine, waitForEngine } from '../engine-start.ts';
import { ExitError } from '../errors.ts';
import { isService, systemctl, UNIT } from '../service.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley daemon start`: in the background; says so when one runs already. Where it is a service, without flags of its own, systemd starts it. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const endpoint = endpointOf(args, context.env);
  const flags = daemonArgs(args);
  if (flags.length === 0 && isService() && !(await answers(endpoint))) return serviceVerb(context, endpoint, 'start');
  const started = await ensureEngine(endpoint, { env: context.env, args: flags });
  context.out(`galleyd ${started ? 'started' : 'is already running'} at ${endpoint.host}\n`);
  return 0;
}

/** Has systemd start or restart galleyd, and waits until it answers. @throws ExitError naming where its log is */
export async function serviceVerb(context: CliContext, endpoint: Endpoint, verb: 'start' | 'restart'): Promise<number> {
  systemctl(verb, UNIT);
  if (!(await waitForEngine(endpoint)))
    throw new ExitError(1, `galleyd does not answer at ${endpoint.host}: see journalctl -u ${UNIT}`);
  context.out(`galleyd started at ${endpoint.host}\n`);
  return 0;
}
