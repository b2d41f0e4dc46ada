/** The seam below the Engine API client: who carries the bytes (undici, or node:net for one-shot commands). */
import type { Duplex, Readable } from 'node:stream';

type QueryValue = string | number | boolean | readonly string[] | undefined;
export type Query = Readonly<Record<string, QueryValue>>;

export interface WireRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Path with version and query, ready for the wire. */
  path: string;
  /** JSON text. */
  body?: string;
  /** Bytes that go out as they come, instead of `body`: an archive. */
  stream?: Readable;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
}

export interface WireAnswer {
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: Readable;
}

export interface WireText {
  status: number;
  headers: Readonly<Record<string, string>>;
  text: string;
}

export interface WireUpgrade {
  headers: Readonly<Record<string, string>>;
  socket: Duplex;
}

export interface Transport {
  readonly host: string;
  /** @throws EngineUnreachableError when nothing answers; the signal's reason when aborted. */
  request(request: WireRequest): Promise<WireAnswer>;
  /** The same with the whole body as text; a transport that has it does that in fewer steps than a stream takes. */
  text?(request: WireRequest): Promise<WireText>;
  /** Hijacks a connection of its own. @throws EngineRequestError when the engine refuses, else as `request`. */
  upgrade(request: WireRequest): Promise<WireUpgrade>;
  close(): Promise<void>;
}

/** Encodes a query: undefined is left out, true is 1, false is 0, lists repeat the key. */
export function withQuery(path: string, query: Query = {}): string {
  const parts: string[] = [];
  const add = (key: string, value: string) => parts.push(`${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (typeof value === 'boolean') add(key, value ? '1' : '0');
    else if (typeof value === 'object') for (const one of value) add(key, one);
    else add(key, String(value));
  }
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`;
}

/** The whole body as text. */
export async function readText(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString('utf8');
}

/** The engine's words in an error answer: its JSON `message`, else the text itself, else the status. */
export function failureText(status: number, text: string): string {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return String(parsed.message).trim();
  } catch {
    // Not JSON (a proxy's page, an old engine): its text is the best there is.
  }
  return text.trim() || `the engine answered with status ${status}`;
}
