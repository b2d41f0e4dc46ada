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
  type WireText,
  withQuery,
} from './transport.ts';
import type { HijackedStream } from './types.ts';

type Method = WireRequest['method'];
export interface CallOptions {
  query?: Query;
  body?: unknown;
  /** Bytes instead of a JSON body. */
  stream?: Readable;
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
  /** The version both sides speak, once an answer has told the engine's. */
  let agreed: string | undefined;
  let asking: Promise<{ apiVersion: string; osType: string }> | undefined;
  const pinned = env['DOCKER_API_VERSION'];

  const agree = (headers: Readonly<Record<string, string>>, fallback: string): string => {
    const theirs = headers['api-version'] ?? fallback;
    agreed = pinned || (compareVersions(theirs, API_VERSION) < 0 ? theirs : API_VERSION);
    return agreed;
  };

  const ping = async (signal?: AbortSignal) => {
    let answer = await transport.request({ method: 'HEAD', path: '/_ping', ...(signal ? { signal } : {}) });
    answer.body.resume();
    if (answer.status !== 200) {
      answer = await transport.request({ method: 'GET', path: '/_ping', ...(signal ? { signal } : {}) });
      const text = await readText(answer.body);
      if (answer.status >= 400 && !answer.headers['api-version'])
        throw new EngineRequestError(answer.status, failureText(answer.status, text));
    }
    return { apiVersion: agree(answer.headers, OLDEST), osType: answer.headers['ostype'] ?? '' };
  };
  const negotiate = async (): Promise<string> => {
    if (agreed !== undefined) return agreed;
    asking ??= ping().finally(() => {
      asking = undefined;
    });
    return (await asking).apiVersion;
  };
  const wire = (version: string, method: Method, path: string, options: CallOptions): WireRequest => ({
    method,
    path: `/v${version}${withQuery(path, options.query)}`,
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.stream ? { stream: options.stream } : {}),
    ...(options.headers ? { headers: options.headers } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  /**
   * Until the engine's version is known, the newest is assumed and the answer's header tells: a ping before the first request would
   * cost every one-shot command a connection. An engine that is older refuses with 400, having done nothing, and is asked again.
   */
  const ask = async <A extends Pick<WireAnswer, 'status' | 'headers'>>(
    carry: (request: WireRequest) => Promise<A>,
    [method, path, options = {}]: Parameters<Core['stream']>,
  ): Promise<A> => {
    // A stream goes out once: the version must be known before.
    const known = options.stream ? await negotiate() : (agreed ?? pinned);
    const answer = await carry(wire(known ?? API_VERSION, method, path, options));
    if (known !== undefined) return answer;
    const version = answer.headers['api-version'] ? agree(answer.headers, OLDEST) : await negotiate();
    if (version === API_VERSION || answer.status !== 400) return answer;
    return carry(wire(version, method, path, options));
  };
  const stream: Core['stream'] = async (...call) => {
    const answer = await ask(transport.request, call);
    if (answer.status < 400) return answer;
    throw new EngineRequestError(answer.status, failureText(answer.status, await readText(answer.body)));
  };
  const carryText =
    transport.text ??
    (async (request: WireRequest): Promise<WireText> => {
      const { status, headers, body } = await transport.request(request);
      return { status, headers, text: await readText(body) };
    });
  const text: Core['text'] = async (...call) => {
    const answer = await ask(carryText, call);
    if (answer.status < 400) return answer.text;
    throw new EngineRequestError(answer.status, failureText(answer.status, answer.text));
  };

  return {
    host: transport.host,
    ping,
    async json<T>(method: Method, path: string, options?: CallOptions) {
      // The engine's answers are typed by the API version both sides agreed on; the wire types name only what is read.
      return JSON.parse(await text(method, path, options)) as T;
    },
    text,
    async done(method, path, options) {
      await text(method, path, options);
    },
    stream,
    async hijack(path, options = {}) {
      const { headers, socket } = await transport.upgrade(wire(await negotiate(), 'POST', path, options));
      const type = headers['content-type'] ?? '';
      return { socket, multiplexed: type === MULTIPLEXED, type };
    },
    apiVersion: negotiate,
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
