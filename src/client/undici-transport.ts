/** The transport of everything that lives long or needs TLS or ssh: undici 8 (field/ink-and-node.md section 7). */
import type { Duplex, Readable } from 'node:stream';
import { type buildConnector, Client, Pool } from 'undici';
import { GALLEY_VERSION } from '../api/version.ts';
import type { Endpoint } from './endpoint.ts';
import { connectError, EngineRequestError } from './failure.ts';
import { connectThroughSsh } from './ssh.ts';
import { failureText, type Transport, type WireRequest, type WireUpgrade } from './transport.ts';

type HeaderValues = Record<string, string | string[] | undefined>;

function flat(headers: HeaderValues): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) out[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return out;
}

function connectorOf(endpoint: Endpoint): {
  origin: string;
  connect: buildConnector.BuildOptions | buildConnector.connector;
} {
  if (endpoint.kind === 'unix') return { origin: 'http://galley', connect: { socketPath: endpoint.socketPath } };
  if (endpoint.kind === 'ssh') {
    // undici hangs for ever when the callback comes synchronously.
    const connect: buildConnector.connector = (_options, callback) =>
      void setImmediate(() => callback(null, connectThroughSsh(endpoint) as never));
    return { origin: 'http://galley', connect };
  }
  const hostname = endpoint.hostname.includes(':') ? `[${endpoint.hostname}]` : endpoint.hostname;
  const { tls } = endpoint;
  return {
    origin: `${tls ? 'https' : 'http'}://${hostname}:${endpoint.port}`,
    connect: tls ? { ca: tls.ca, cert: tls.cert, key: tls.key, rejectUnauthorized: tls.verify } : {},
  };
}

/** A transport on undici: a pool for requests and streams (each stream takes a connection), a fresh connection per hijack. */
export function createUndiciTransport(endpoint: Endpoint): Transport {
  const { origin, connect } = connectorOf(endpoint);
  // A wait, an event stream or `logs -f` may be silent for hours: the default 300 s timeouts would cut them.
  const options = { connect, bodyTimeout: 0, headersTimeout: 0 };
  const pool = new Pool(origin, options);
  const hijacked = new Set<Client>();
  const headersOf = (request: WireRequest) => ({
    'user-agent': `galley/${GALLEY_VERSION}`,
    ...request.headers,
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(request.stream === undefined ? {} : { 'content-type': 'application/x-tar' }),
  });

  const upgrade = (client: Client, request: WireRequest): Promise<WireUpgrade> =>
    new Promise((resolve, reject) => {
      let status = 0;
      const refusal: Buffer[] = [];
      client.dispatch(
        {
          path: request.path,
          method: request.method,
          upgrade: 'tcp',
          headers: headersOf(request),
          body: request.body ?? null,
        },
        {
          onRequestStart: () => undefined,
          onRequestUpgrade: (_controller, _status, headers, socket: Duplex) =>
            resolve({ headers: flat(headers as HeaderValues), socket }),
          onResponseStart: (_controller, code) => {
            status = code;
          },
          onResponseData: (_controller, chunk) => {
            refusal.push(chunk);
          },
          onResponseEnd: () =>
            reject(new EngineRequestError(status, failureText(status, Buffer.concat(refusal).toString('utf8')))),
          onResponseError: (_controller, error) => reject(connectError(endpoint.host, error)),
        },
      );
    });

  return {
    host: endpoint.host,
    async request(request) {
      try {
        const answer = await pool.request({
          path: request.path,
          method: request.method,
          headers: headersOf(request),
          body: request.stream ?? request.body ?? null,
          signal: request.signal ?? null,
        });
        return { status: answer.statusCode, headers: flat(answer.headers), body: answer.body as Readable };
      } catch (error) {
        const cut = endpoint.kind === 'tcp' && endpoint.tls && (error as { code?: unknown }).code === 'UND_ERR_SOCKET';
        if (!cut) throw connectError(endpoint.host, error);
        const why = endpoint.tls?.cert
          ? 'it may not accept the client certificate'
          : 'it may ask for a client certificate (--tlscert, --tlskey, DOCKER_CERT_PATH)';
        throw new Error(`the engine at ${endpoint.host} closed the TLS connection: ${why}`, { cause: error });
      }
    },
    async upgrade(request) {
      const client = new Client(origin, options);
      hijacked.add(client);
      const drop = () => {
        hijacked.delete(client);
        // The hijacked socket is no longer the client's: destroying it afterwards leaves the stream alone.
        void client.destroy();
      };
      try {
        const result = await upgrade(client, request);
        result.socket.once('close', drop);
        return result;
      } catch (error) {
        drop();
        throw error;
      }
    },
    async close() {
      await Promise.all([pool.destroy(), ...[...hijacked].map((client) => client.destroy())]);
    },
  };
}
