import { createServer, type IncomingMessage, type RequestListener, type Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import createRouter, { type HTTPMethod } from 'find-my-way';
import { API_VERSION, compareVersions, GALLEY_VERSION, MIN_API_VERSION } from '../../src/api/index.ts';
import { EngineError, messageOf, requestErrors } from '../errors/index.ts';
import type { Log } from '../system/log.ts';
import type { Context, Handler, Route } from './context.ts';
import { failure } from './respond.ts';

/** The longest that a refused upload is read on. */
const DRAIN_MS = 2_000;

/** Reads what is still coming of a refused request: a client in the middle of an upload would see a broken pipe instead of the reason. */
async function drained(req: IncomingMessage): Promise<void> {
  if (req.complete || req.destroyed) return;
  req.resume();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, DRAIN_MS);
  req.once('end', resolve).once('close', resolve);
  await promise;
  clearTimeout(timer);
}

interface Entry {
  handler: Handler;
  hijacks: boolean;
}

export interface TlsMaterial {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

export interface ApiServer {
  /** A server for one listening address; all share the routes. */
  http(): Server;
  https(tls: TlsMaterial): Server;
}

interface Target {
  path: string;
  query: URLSearchParams;
  version: string;
}

/** Splits `/v1.43/containers/json?all=1`. @throws EngineError for a version that this engine does not speak. */
export function parseTarget(url: string): Target {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
  const prefix = /^\/v([0-9.]+)(\/.*)$/.exec(path);
  if (!prefix) return { path, query, version: API_VERSION };
  const version = prefix[1] as string;
  if (compareVersions(version, API_VERSION) > 0) throw requestErrors.versionTooNew(version, API_VERSION);
  if (compareVersions(version, MIN_API_VERSION) < 0) throw requestErrors.versionTooOld(version, MIN_API_VERSION);
  return { path: prefix[2] as string, query, version };
}

/** An error nobody foresaw is logged with its stack; the client gets its words. */
function note(log: Log, req: IncomingMessage, error: unknown): void {
  if (error instanceof EngineError && error.status < 500) return;
  const detail =
    error instanceof EngineError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  log.error('request failed', { method: req.method ?? '', url: req.url ?? '', error: detail });
}

/** Routes by find-my-way, the envelope of field/engine-api.md section 1.1 round each of them. */
export function createApiServer(routes: readonly Route[], log: Log): ApiServer {
  const router = createRouter({ ignoreTrailingSlash: true, maxParamLength: 1024 });
  for (const route of routes)
    router.on(route.method, route.path, () => {}, { handler: route.handler, hijacks: route.hijacks ?? false });

  async function handle(
    req: IncomingMessage,
    res: ServerResponse,
    upgrade?: { socket: Duplex; head: Buffer },
  ): Promise<void> {
    res.setHeader('Api-Version', API_VERSION);
    res.setHeader('Docker-Experimental', 'false');
    res.setHeader('Ostype', 'linux');
    res.setHeader('Server', `Docker/${GALLEY_VERSION} (linux)`);
    const gone = new AbortController();
    (upgrade?.socket ?? res).on('close', () => gone.abort());
    try {
      const target = parseTarget(req.url ?? '/');
      const match = router.find((req.method ?? 'GET') as HTTPMethod, target.path);
      if (!match) throw requestErrors.pageNotFound();
      const entry = match.store as Entry;
      const params = Object.fromEntries(Object.entries(match.params).map(([k, v]) => [k, v ?? '']));
      const context: Context = { req, res, params, query: target.query, version: target.version, signal: gone.signal };
      if (upgrade && entry.hijacks) context.upgrade = upgrade;
      await entry.handler(context);
    } catch (error) {
      // A client that went away ends its own work: that is no failure of ours.
      if (!gone.signal.aborted) note(log, req, error);
      if (res.headersSent || res.destroyed) res.destroy();
      else {
        await drained(req);
        failure(res, error);
      }
    }
  }

  const onRequest: RequestListener = (req, res) => void handle(req, res);
  const onUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy()); // a vanished client is no event
    // A response object on the bare socket serves errors, and routes that do not hijack, in the ordinary way.
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket as never);
    res.on('finish', () => socket.end());
    void handle(req, res, { socket, head });
  };
  const prepare = (server: Server): Server => {
    server.on('request', onRequest);
    server.on('upgrade', onUpgrade);
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (!socket.writable || error.code === 'ECONNRESET') return socket.destroy();
      const body = `${JSON.stringify({ message: `malformed HTTP request: ${messageOf(error)}` })}\n`;
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    });
    server.requestTimeout = 0; // a build context or an attach may take hours
    server.headersTimeout = 60_000;
    server.keepAliveTimeout = 60_000;
    return server;
  };

  return {
    http: () => prepare(createServer({ keepAlive: true })),
    // allowHalfOpen: without it `echo hi | docker -H tcp+tls run -i … cat` loses all output (field/engine-api.md section 0.3).
    https: (tls) =>
      prepare(
        createTlsServer({
          ...tls,
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: 'TLSv1.2',
          allowHalfOpen: true,
        } as never),
      ),
  };
}
