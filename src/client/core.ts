/** What every resource of the client shares: negotiation, JSON in and out, error answers, line streams. */
import type { Readable } from 'node:stream';
import { API_VERSION, compareVersions, MULTIPLEXED } from '../api/index.ts';
import { EngineRequestError } from './failure.ts';
import {
  failureText,
  type Query,
  readText,
  type Transport,
  type WireAnswer,
  type WireRequest,
  withQuery,
} from './transport.ts';
import type { HijackedStream } from './types.ts';

type Method = WireRequest['method'];
export interface CallOptions {
  query?: Query;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
}

export interface Core {
  readonly host: string;
  ping(signal?: AbortSignal): Promise<{ apiVersion: string; osType: string }>;
  /** The answer's JSON. */
  json<T>(method: Method, path: string, options?: CallOptions): Promise<T>;
  text(method: Method, path: string, options?: CallOptions): Promise<string>;
  /** For answers without a body; 304 counts as done, as Docker's clients do. */
  done(method: Method, path: string, options?: CallOptions): Promise<void>;
  stream(method: Method, path: string, options?: CallOptions): Promise<WireAnswer>;
  hijack(path: string, options?: CallOptions): Promise<HijackedStream & { type: string }>;
  /** The version both sides speak, for what depends on it. */
  apiVersion(): Promise<string>;
  close(): Promise<void>;
}

/** An engine that names no version in its ping is older than the header: 1.24 (field/engine-api.md section 1.4). */
const OLDEST = '1.24';

export function createCore(transport: Transport, env: NodeJS.ProcessEnv = process.env): Core {
  let negotiated: Promise<{ apiVersion: string; osType: string }> | undefined;

  const ping = async (signal?: AbortSignal) => {
    let answer = await transport.request({ method: 'HEAD', path: '/_ping', ...(signal ? { signal } : {}) });
    answer.body.resume();
    if (answer.status !== 200) {
      answer = await transport.request({ method: 'GET', path: '/_ping', ...(signal ? { signal } : {}) });
      const text = await readText(answer.body);
      if (answer.status >= 400 && !answer.headers['api-version'])
        throw new EngineRequestError(answer.status, failureText(answer.status, text));
    }
    const theirs = answer.headers['api-version'] ?? OLDEST;
    const ours = env['DOCKER_API_VERSION'] || (compareVersions(theirs, API_VERSION) < 0 ? theirs : API_VERSION);
    return { apiVersion: ours, osType: answer.headers['ostype'] ?? '' };
  };
  const negotiate = () => {
    negotiated ??= ping().catch((error: unknown) => {
      negotiated = undefined;
      throw error;
    });
    return negotiated;
  };
  const wire = async (method: Method, path: string, options: CallOptions): Promise<WireRequest> => ({
    method,
    path: `/v${(await negotiate()).apiVersion}${withQuery(path, options.query)}`,
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.headers ? { headers: options.headers } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const send = async (method: Method, path: string, options: CallOptions = {}): Promise<WireAnswer> => {
    const answer = await transport.request(await wire(method, path, options));
    if (answer.status < 400) return answer;
    throw new EngineRequestError(answer.status, failureText(answer.status, await readText(answer.body)));
  };

  return {
    host: transport.host,
    async ping(signal) {
      const result = await ping(signal);
      negotiated = Promise.resolve(result);
      return result;
    },
    async json<T>(method: Method, path: string, options?: CallOptions) {
      const answer = await send(method, path, options);
      // The engine's answers are typed by the API version both sides agreed on; the wire types name only what is read.
      return JSON.parse(await readText(answer.body)) as T;
    },
    text: async (method, path, options) => readText((await send(method, path, options)).body),
    async done(method, path, options) {
      const answer = await send(method, path, options);
      await readText(answer.body);
    },
    stream: send,
    async hijack(path, options = {}) {
      const { headers, socket } = await transport.upgrade(await wire('POST', path, options));
      const type = headers['content-type'] ?? '';
      return { socket, multiplexed: type === MULTIPLEXED, type };
    },
    apiVersion: async () => (await negotiate()).apiVersion,
    close: () => transport.close(),
  };
}

/** The objects of a stream of JSON lines (CRLF or LF). Leaving the loop ends the stream. */
export async function* jsonLines<T>(body: Readable): AsyncGenerator<T, void, void> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
      rest += decoder.decode(chunk as Buffer, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() as string;
      for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as T;
    }
    rest += decoder.decode();
    if (rest.trim() !== '') yield JSON.parse(rest) as T;
  } finally {
    body.destroy();
  }
}

/** `filters` as Go clients send it: `{"status":{"exited":true}}`. Undefined when there is none. */
export function encodeFilters(filters: Readonly<Record<string, readonly string[]>> | undefined): string | undefined {
  if (!filters || Object.keys(filters).length === 0) return undefined;
  const out: Record<string, Record<string, true>> = {};
  for (const [key, values] of Object.entries(filters))
    out[key] = Object.fromEntries(values.map((value) => [value, true as const]));
  return JSON.stringify(out);
}
