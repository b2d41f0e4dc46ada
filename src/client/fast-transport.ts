/** The transport of one-shot commands: node:net and nothing else, a connection per request. undici costs 40 ms to load, this 2. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { GALLEY_VERSION } from '../api/version.ts';
import type { Endpoint } from './endpoint.ts';
import { connectError, EngineRequestError } from './failure.ts';
import { bodyOf, readHead, textOf } from './http1.ts';
import { failureText, readText, type Transport, type WireRequest } from './transport.ts';

/** Whether the plain socket can carry this endpoint (TLS and ssh go through undici). */
export function isPlain(endpoint: Endpoint): boolean {
  return endpoint.kind === 'unix' || (endpoint.kind === 'tcp' && endpoint.tls === undefined);
}

function open(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const socket =
      endpoint.kind === 'unix'
        ? connect({ path: endpoint.socketPath })
        : connect({
            host: endpoint.kind === 'tcp' ? endpoint.hostname : '',
            port: endpoint.kind === 'tcp' ? endpoint.port : 0,
            noDelay: true,
          });
    const onError = (error: Error) => reject(connectError(endpoint.host, error));
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
    if (signal) {
      const abort = () => socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      signal.addEventListener('abort', abort, { once: true });
      socket.once('close', () => signal.removeEventListener('abort', abort));
    }
  });
}

function headText(endpoint: Endpoint, request: WireRequest, extra: Readonly<Record<string, string>>): string {
  const lines = [`${request.method} ${request.path} HTTP/1.1`];
  const headers: Record<string, string> = {
    Host: endpoint.kind === 'tcp' ? `${endpoint.hostname}:${endpoint.port}` : 'galley',
    'User-Agent': `galley/${GALLEY_VERSION}`,
    ...request.headers,
    ...extra,
  };
  if (request.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    headers['Content-Length'] = String(Buffer.byteLength(request.body));
  } else if (request.stream) {
    headers['Content-Type'] = 'application/x-tar';
    headers['Transfer-Encoding'] = 'chunked';
  } else if (request.method === 'POST' || request.method === 'PUT') headers['Content-Length'] = '0';
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n${request.body ?? ''}`;
}

/** Sends a body of unknown length; an engine that has answered and hung up by then is no failure. */
async function sendChunks(socket: Socket, stream: Readable): Promise<void> {
  try {
    for await (const chunk of stream) {
      if (socket.destroyed) return;
      const piece = chunk as Buffer;
      if (piece.length === 0) continue;
      socket.write(`${piece.length.toString(16)}\r\n`);
      socket.write(piece);
      if (!socket.write('\r\n')) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    }
    if (!socket.destroyed) socket.write('0\r\n\r\n');
  } catch (error) {
    socket.destroy(error as Error);
  }
}

/** A transport over a plain unix or tcp socket. @throws Error for an endpoint that `isPlain` refuses. */
export function createFastTransport(endpoint: Endpoint): Transport {
  if (!isPlain(endpoint)) throw new Error(`the plain transport cannot reach ${endpoint.host}`);
  const sockets = new Set<Socket>();
  const send = async (request: WireRequest, extra: Readonly<Record<string, string>>) => {
    const socket = await open(endpoint, request.signal);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.write(headText(endpoint, request, extra));
    if (request.stream) void sendChunks(socket, request.stream);
    return { socket, ...(await readHead(socket)) };
  };
  return {
    host: endpoint.host,
    async request(request) {
      const { socket, head, rest } = await send(request, { Connection: 'close' });
      return { ...head, body: bodyOf(socket, head, rest, request.method) };
    },
    async text(request) {
      const { socket, head, rest } = await send(request, { Connection: 'close' });
      return { ...head, text: await textOf(socket, head, rest, request.method) };
    },
    async upgrade(request) {
      const { socket, head, rest } = await send(request, { Connection: 'Upgrade', Upgrade: 'tcp' });
      if (head.status >= 400) {
        const text = await readText(bodyOf(socket, head, rest, request.method));
        throw new EngineRequestError(head.status, failureText(head.status, text));
      }
      if (rest.length > 0) socket.unshift(rest);
      return { headers: head.headers, socket };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
