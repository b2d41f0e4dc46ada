/** HTTP to registries: which scheme, which certificates, redirects, and failures in the words that Docker users know. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import tls from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { EngineError } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';

/** A failure that a second attempt may cure: the line, or a registry that is busy or broken for now. */
export class TransientError extends EngineError {
  readonly retryAfterMs: number | undefined;
  /** The registry said so itself, so it is there and worth another try. */
  readonly answered: boolean;
  constructor(
    message: string,
    options: { retryAfterMs?: number | undefined; answered?: boolean; cause?: unknown } = {},
  ) {
    super('system', message, { cause: options.cause });
    this.name = 'TransientError';
    this.retryAfterMs = options.retryAfterMs;
    this.answered = options.answered ?? false;
  }
}

export interface RegistryAnswer {
  status: number;
  headers: Record<string, string>;
  body: Readable;
  /** Where it came from in the end, after redirects. */
  url: string;
}

export interface RegistryRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers: Record<string, string>;
  /** A stream is made anew for each attempt and each redirect. */
  body?: string | Buffer | (() => Readable);
  signal: AbortSignal;
}

const CERT_FOLDERS = ['/etc/galley/certs.d', '/etc/docker/certs.d'];
const CONNECT_TIMEOUT = 15_000;
const MAX_REDIRECTS = 10;
const MAX_ERROR_BODY = 64 * 1024;

/** Splits `host:port`, `[::1]:port`, `host`. */
function hostName(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

/** Tells whether plain HTTP and unverified certificates are allowed with a host: `--insecure-registry` entries, and always loopback. */
export function insecureMatcher(entries: readonly string[]): (host: string) => boolean {
  const names = new Set(entries.filter((entry) => !entry.includes('/')));
  const blocks = new BlockList();
  blocks.addSubnet('127.0.0.0', 8, 'ipv4');
  blocks.addAddress('::1', 'ipv6');
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    if (bits !== undefined && isIP(address))
      blocks.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return (host) => {
    const name = hostName(host);
    if (name === 'localhost' || names.has(host) || names.has(name)) return true;
    const version = isIP(name);
    return version > 0 && blocks.check(name, version === 6 ? 'ipv6' : 'ipv4');
  };
}

/** Extra CA and client certificates for a host, laid out as dockerd's certs.d. */
function certificatesFor(host: string): { ca: string[]; cert?: string; key?: string } {
  const ca: string[] = [];
  let pair: { cert: string; key: string } | undefined;
  for (const base of CERT_FOLDERS) {
    const folder = path.join(base, host);
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) {
      const file = path.join(folder, name);
      if (name.endsWith('.crt')) ca.push(readFileSync(file, 'utf8'));
      const key = file.replace(/\.cert$/, '.key');
      if (name.endsWith('.cert') && existsSync(key))
        pair ??= { cert: readFileSync(file, 'utf8'), key: readFileSync(key, 'utf8') };
    }
  }
  return { ca, ...pair };
}

/** What a failed request looks like in Go, which is what people search for. */
function words(error: unknown, url: URL): string {
  const failure = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
    errors?: NodeJS.ErrnoException[];
    cause?: unknown;
  };
  const first = (failure.errors?.[0] ?? failure) as typeof failure;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const target = `${first.address ?? hostName(url.host)}:${first.port ?? port}`;
  switch (first.code) {
    case 'ECONNREFUSED':
      return `dial tcp ${target}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${target}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${target}: connect: network is unreachable`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${hostName(url.host)}: ${first.code === 'ENOTFOUND' ? 'no such host' : 'temporary failure in name resolution'}`;
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `dial tcp ${target}: i/o timeout`;
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return 'net/http: request canceled (the registry does not answer)';
    case 'ECONNRESET':
      return `read tcp ${target}: connection reset by peer`;
    default:
      if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(first.code ?? ''))
        return `tls: failed to verify certificate: ${first.message}: put the registry's CA into ${CERT_FOLDERS[0]}/${url.host}/ca.crt, or start galleyd with --insecure-registry ${url.host}`;
      if (
        first.code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
        first.code === 'EPROTO' ||
        /wrong version number|packet length too long/.test(first.message)
      )
        return `http: server gave HTTP response to HTTPS client: if that is meant, start galleyd with --insecure-registry ${url.host}`;
      return first.message || String(first.code ?? error);
  }
}

export class RegistryHttp {
  readonly isInsecure: (host: string) => boolean;
  /** The scheme that worked with an insecure host. */
  readonly #schemes = new Map<string, 'https' | 'http'>();
  readonly #agents = new Map<string, Dispatcher>();

  readonly #stallMs: number;

  /** @param stallMs a registry that sends nothing for so long is taken for dead. */
  constructor(insecureRegistries: readonly string[], stallMs: number) {
    this.#stallMs = stallMs;
    this.isInsecure = insecureMatcher(insecureRegistries);
  }

  async close(): Promise<void> {
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  #agent(host: string): Dispatcher {
    let agent = this.#agents.get(host);
    if (agent) return agent;
    const insecure = this.isInsecure(host);
    const own = certificatesFor(host);
    const ca = insecure ? [] : [...tls.getCACertificates('default'), ...tls.getCACertificates('system'), ...own.ca];
    const connect = {
      timeout: CONNECT_TIMEOUT,
      rejectUnauthorized: !insecure,
      ...(insecure ? {} : { ca }),
      ...(own.cert ? { cert: own.cert, key: own.key } : {}),
    };
    const options = { connect, headersTimeout: this.#stallMs, bodyTimeout: this.#stallMs };
    const name = hostName(host);
    const loopback = name === 'localhost' || name === '::1' || name.startsWith('127.');
    const { env } = process;
    const proxied = !loopback && (env.HTTPS_PROXY || env.https_proxy || env.HTTP_PROXY || env.http_proxy);
    agent = proxied ? new EnvHttpProxyAgent({ ...options, requestTls: connect }) : new Agent(options);
    this.#agents.set(host, agent);
    return agent;
  }

  /**
   * One request to `scheme://host/path`, https first and http only where it is allowed; follows redirects, and Authorization does
   * not follow to another host. The caller reads or destroys the body.
   * @param base `https://host` or `http://host` fixes the scheme; a bare host does not.
   * @throws EngineError with the URL and what failed; the signal's reason.
   */
  async send(base: string, target: string, options: RegistryRequest): Promise<RegistryAnswer> {
    const fixed = /^https?:\/\//.test(base);
    const host = fixed ? new URL(base).host : base;
    const known = this.#schemes.get(host);
    const schemes = fixed
      ? [base.slice(0, base.indexOf(':'))]
      : known
        ? [known]
        : this.isInsecure(host)
          ? ['https', 'http']
          : ['https'];
    for (const [index, scheme] of schemes.entries()) {
      try {
        const answer = await this.#follow(new URL(target, `${scheme}://${host}`), options);
        if (!fixed) this.#schemes.set(host, scheme as 'https' | 'http');
        return answer;
      } catch (error) {
        options.signal.throwIfAborted();
        if (index === schemes.length - 1) throw error;
      }
    }
    throw new Error(`no scheme for ${host}`);
  }

  async #follow(start: URL, options: RegistryRequest): Promise<RegistryAnswer> {
    let url = start;
    let headers = options.headers;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const answer = await this.#once(url, { ...options, headers });
      const location = answer.headers.location;
      if (![301, 302, 303, 307, 308].includes(answer.status) || !location) return answer;
      answer.body.on('error', () => {}).destroy();
      const next = URL.parse(location, url.href);
      if (next?.protocol !== 'http:' && next?.protocol !== 'https:')
        throw imageErrors.requestFailed(
          options.method,
          start.href,
          `the registry redirects to ${JSON.stringify(location)}, which is no address`,
        );
      if (next.host !== url.host || (url.protocol === 'https:' && next.protocol !== 'https:')) {
        headers = Object.fromEntries(
          Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
        );
      }
      url = next;
    }
    throw imageErrors.requestFailed(options.method, start.href, `stopped after ${MAX_REDIRECTS} redirects`);
  }

  async #once(url: URL, { method, headers, body, signal }: RegistryRequest): Promise<RegistryAnswer> {
    try {
      const answer = await request(url, {
        method,
        headers: { 'user-agent': 'galley', ...headers },
        body: typeof body === 'function' ? body() : (body ?? null),
        signal,
        dispatcher: this.#agent(url.host),
      });
      const flat: Record<string, string> = {};
      for (const [name, value] of Object.entries(answer.headers))
        if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
      return { status: answer.statusCode, headers: flat, body: answer.body, url: url.href };
    } catch (error) {
      signal.throwIfAborted();
      const why = words(error, url);
      // Docker asks for /v2/ first, so that is where people see a registry fail that cannot be reached.
      const where = why.startsWith('dial ') && url.pathname.startsWith('/v2/') ? `${url.origin}/v2/` : url.href;
      const failure = imageErrors.requestFailed(method, where, why, error);
      throw /^(tls: |http: |dial tcp: lookup .*no such host)/.test(why)
        ? failure
        : new TransientError(failure.message, { cause: error });
    }
  }
}

/** The whole body, up to a limit: manifests, tokens, error texts. @throws Error naming the limit. */
export async function readBody(answer: RegistryAnswer, limit = MAX_ERROR_BODY): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer.body) {
    size += (piece as Buffer).length;
    if (size > limit) {
      answer.body.destroy();
      throw imageErrors.badAnswer(answer.url, answer.status, `the body is larger than ${limit} bytes`);
    }
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}
