import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** One request as the routes see it: path parameters decoded, the version prefix taken off. */
export interface Context {
  req: IncomingMessage;
  res: ServerResponse;
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** API version that the client speaks ("1.43"); the engine's own for an unversioned path. */
  version: string;
  /** Aborts when the client is gone. */
  signal: AbortSignal;
  /** Set when the client asked for an upgrade: the socket, and what it had already sent behind the header. */
  upgrade?: { socket: Duplex; head: Buffer };
}

export type Handler = (context: Context) => Promise<void> | void;

export interface Route {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';
  /** find-my-way pattern without the version prefix. */
  path: string;
  handler: Handler;
  /** The route takes over the connection (attach, exec start). */
  hijacks?: boolean;
}
