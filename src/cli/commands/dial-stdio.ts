import { connect } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { connectError } from '../../client/failure.ts';
import { isPlain } from '../../client/fast-transport.ts';
import { ExitError } from '../errors.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley system dial-stdio`: a client behind ssh speaks through it with the engine of this host. */
export async function run(context: CliContext, _args: ParsedArgs): Promise<number> {
  const { endpoint } = context;
  if (endpoint.kind === 'ssh' || !isPlain(endpoint))
    throw new ExitError(1, `galley: dial-stdio needs a unix socket or plain tcp, not ${endpoint.host}`);
  const socket =
    endpoint.kind === 'unix'
      ? connect({ path: endpoint.socketPath, allowHalfOpen: true })
      : connect({ host: endpoint.hostname, port: endpoint.port, allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => reject(connectError(endpoint.host, error)));
  });
  // The end of stdin is the end of what the client says, not of what the engine answers.
  const sent = pipeline(process.stdin, socket).catch(() => undefined);
  await pipeline(socket, process.stdout);
  process.stdin.destroy();
  await sent;
  return 0;
}
