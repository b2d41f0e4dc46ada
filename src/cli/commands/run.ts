import type { WaitResponse } from '../../api/containers.ts';
import { parseDetachKeys } from '../../api/detach-keys.ts';
import { EndpointError } from '../../client/endpoint.ts';
import type { RawEngineClient } from '../../client/engine.ts';
import { EngineUnreachableError } from '../../client/failure.ts';
import type { ContainerHandle, HijackedStream } from '../../client/types.ts';
import { ExitError, startFailureCode } from '../errors.ts';
import { type CreateBody, streamsOf } from '../run/body.ts';
import { checkTty, followSize, proxySignals, runSession, terminalSize } from '../session.ts';
import type { CliContext, ParsedArgs } from '../types.ts';
import { bodyOf, createContainer, refusal } from './create.ts';

/** `galley run`: create, attach, wait, start, in the order that loses neither output nor exit code (engine-api.md 1.5). */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const detach = args.bool('detach');
  const body = bodyOf(args, detach, context.env);
  try {
    if (!detach) checkTty(args.bool('interactive'), args.bool('tty'));
    if (args.string('detach-keys')) parseDetachKeys(args.string('detach-keys'));
    const size = body.Tty ? terminalSize() : undefined;
    if (size) body.HostConfig.ConsoleSize = size;
    const client = await context.client({ start: true });
    const { Id } = await createContainer(context, client, args, body);
    return detach ? await runDetached(context, client, args, Id) : await runAttached(client, args, body, Id);
  } catch (error) {
    // What explains an engine that does not answer keeps its class for the caller.
    if (error instanceof ExitError || error instanceof EngineUnreachableError || error instanceof EndpointError)
      throw error;
    throw refusal(args, error, startFailureCode(error));
  }
}

async function startOrFail(
  container: ContainerHandle,
  args: ParsedArgs,
  removed: Promise<unknown> | undefined,
): Promise<void> {
  try {
    await container.start();
  } catch (error) {
    // With --rm the engine takes the container away; a script that goes on must not meet it.
    if (args.bool('rm')) await removed;
    throw refusal(args, error, startFailureCode(error));
  }
}

async function runDetached(
  context: CliContext,
  client: RawEngineClient,
  args: ParsedArgs,
  id: string,
): Promise<number> {
  const container = client.getContainer(id);
  const wait = args.bool('rm') ? await container.wait({ condition: 'removed' }) : undefined;
  await startOrFail(
    container,
    args,
    wait?.result.catch(() => undefined),
  );
  context.out(`${id}\n`);
  return 0;
}

async function runAttached(client: RawEngineClient, args: ParsedArgs, body: CreateBody, id: string): Promise<number> {
  const container = client.getContainer(id);
  const streams = streamsOf(args, false);
  const tty = body.Tty === true;
  const detachKeys = args.string('detach-keys');
  const stopProxy = args.bool('sig-proxy') ? proxySignals((signal) => container.kill({ signal })) : () => undefined;
  let stopSize: () => void = () => undefined;
  try {
    const stream = await container.attach({
      ...streams,
      stdin: streams.stdin && body.OpenStdin === true,
      ...(detachKeys ? { detachKeys } : {}),
    });
    // A tty has one stream whatever the engine's header says.
    const session = {
      stream: fixFraming(stream, tty),
      stdin: streams.stdin && body.OpenStdin === true,
      tty,
      detachKeys,
    };
    const wait = await container.wait({ condition: args.bool('rm') ? 'removed' : 'next-exit' });
    const ended = runSession(session);
    ended.catch(() => undefined);
    try {
      await startOrFail(
        container,
        args,
        wait.result.catch(() => undefined),
      );
    } catch (error) {
      stream.socket.destroy();
      await ended.catch(() => undefined);
      throw error;
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

function fixFraming(stream: HijackedStream, tty: boolean): HijackedStream {
  return tty && stream.multiplexed ? { ...stream, multiplexed: false } : stream;
}

/** The container's own code; a failure of the wait itself (removal failed) is Docker's 125. */
export function exitCode(result: WaitResponse): number {
  if (result.Error?.Message) throw new ExitError(125, `Error waiting for container: ${result.Error.Message}`);
  return result.StatusCode;
}
