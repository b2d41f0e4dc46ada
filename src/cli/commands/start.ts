import { EngineUnreachableError } from '../../client/failure.ts';
import { ExitError, errorText } from '../errors.ts';
import { checkTty, followSize, proxySignals, runSession } from '../session.ts';
import type { CliContext, ParsedArgs } from '../types.ts';
import { exitCode } from './run.ts';

/** `galley start`: each by name, or one attached with -a/-i. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  if (args.bool('attach') || args.bool('interactive')) {
    if (args.positionals.length > 1) throw new ExitError(1, 'you cannot start and attach multiple containers at once');
    return startAttached(context, args);
  }
  const client = await context.client();
  const failed: string[] = [];
  for (const name of args.positionals) {
    try {
      await client.getContainer(name).start();
      context.out(`${name}\n`);
    } catch (error) {
      if (error instanceof EngineUnreachableError) throw error;
      context.err(`${errorText(error)}\n`);
      failed.push(name);
    }
  }
  if (failed.length === 0) return 0;
  throw new ExitError(1, `Error: failed to start containers: ${failed.join(', ')}`);
}

async function startAttached(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const found = await client.getContainer(args.positionals[0] as string).inspect();
  const container = client.getContainer(found.Id);
  const { Tty: tty, OpenStdin } = found.Config;
  const stdin = args.bool('interactive') && OpenStdin;
  checkTty(stdin, tty);
  const detachKeys = args.string('detach-keys');
  const stopProxy = tty ? () => undefined : proxySignals((signal) => container.kill({ signal }));
  let stopSize: () => void = () => undefined;
  try {
    const stream = await container.attach({ stdin, stdout: true, stderr: true, ...(detachKeys ? { detachKeys } : {}) });
    const wait = await container.wait({ condition: found.HostConfig.AutoRemove ? 'removed' : 'next-exit' });
    const ended = runSession({ stream: tty ? { ...stream, multiplexed: false } : stream, stdin, tty, detachKeys });
    ended.catch(() => undefined);
    try {
      await container.start();
    } catch (error) {
      stream.socket.destroy();
      await ended.catch(() => undefined);
      context.err(`${errorText(error)}\n`);
      throw new ExitError(1, `Error: failed to start containers: ${args.positionals[0]}`);
    }
    if (tty) stopSize = followSize((rows, columns) => container.resize(rows, columns));
    if ((await ended) === 'detached') return 0;
    return exitCode(await wait.result);
  } finally {
    stopSize();
    stopProxy();
    await client.close();
  }
}
