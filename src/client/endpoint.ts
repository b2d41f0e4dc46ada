/** Which engine a command talks to, and why (issue 2: -H, -c, DOCKER_HOST, a docker context, galleyd). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const GALLEY_SOCKET = '/run/galley/galley.sock';
export const GALLEY_HOST_DEFAULT = `unix://${GALLEY_SOCKET}`;

/** PEM texts of a mutual TLS connection. `verify` false accepts any server certificate. */
export interface TlsMaterial {
  ca?: string;
  cert?: string;
  key?: string;
  verify: boolean;
}

export type EndpointSource =
  | 'host flag'
  | 'context flag'
  | 'DOCKER_HOST'
  | 'DOCKER_CONTEXT'
  | 'docker context'
  | 'galley';

interface Common {
  /** For people, and accepted by -H: `unix:///run/galley/galley.sock`. */
  readonly host: string;
  readonly source: EndpointSource;
  /** Name of the docker context it came from. */
  readonly context?: string;
}
export interface UnixEndpoint extends Common {
  readonly kind: 'unix';
  readonly socketPath: string;
}
export interface TcpEndpoint extends Common {
  readonly kind: 'tcp';
  readonly hostname: string;
  readonly port: number;
  readonly tls?: TlsMaterial;
}
export interface SshEndpoint extends Common {
  readonly kind: 'ssh';
  readonly hostname: string;
  readonly user?: string;
  readonly port?: number;
}
export type Endpoint = UnixEndpoint | TcpEndpoint | SshEndpoint;

export interface ResolveOptions {
  hostFlag?: string;
  contextFlag?: string;
  /** --config: the folder of config.json; else DOCKER_CONFIG, else ~/.docker. */
  configDir?: string;
  tls?: { enabled?: boolean; verify?: boolean; ca?: string; cert?: string; key?: string };
  env: NodeJS.ProcessEnv;
}

/** A person's mistake in naming an engine; the message says what and the way out. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
}

/** The folder with config.json and contexts/. */
export function configDirOf(options: Pick<ResolveOptions, 'configDir' | 'env'>): string {
  return options.configDir || options.env['DOCKER_CONFIG'] || join(options.env['HOME'] || '/root', '.docker');
}

/**
 * Picks the engine: -H/--host, -c/--context, DOCKER_HOST, DOCKER_CONTEXT or the current docker context unless it is
 * `default`, else galleyd's socket (GALLEY_HOST moves it).
 * @throws EndpointError for a malformed address, an unknown context or unreadable TLS material.
 */
export function resolveEndpoint(options: ResolveOptions): Endpoint {
  const { env } = options;
  if (options.hostFlag && options.contextFlag) {
    throw new EndpointError('conflicting options: cannot specify both --host and --context');
  }
  if (options.hostFlag) return withTls(parseHost(options.hostFlag, 'host flag'), options);
  if (options.contextFlag) return fromContext(options.contextFlag, 'context flag', options);
  if (env['DOCKER_HOST']) return withTls(parseHost(env['DOCKER_HOST'], 'DOCKER_HOST'), options);
  const named = env['DOCKER_CONTEXT'];
  if (named && named !== 'default') return fromContext(named, 'DOCKER_CONTEXT', options);
  const current = named ? undefined : currentContext(options);
  if (current && current !== 'default') return fromContext(current, 'docker context', options);
  return galleyEndpoint(env);
}

/** galleyd's own address. */
export function galleyEndpoint(env: NodeJS.ProcessEnv): Endpoint {
  return parseHost(env['GALLEY_HOST'] || GALLEY_HOST_DEFAULT, 'galley');
}

/** Parses `unix://`, `tcp://`, `http(s)://`, `ssh://` or a bare `host:port`. @throws EndpointError naming the text. */
export function parseHost(text: string, source: EndpointSource, context?: string): Endpoint {
  const common = { source, ...(context ? { context } : {}) };
  const match = /^([a-z]+):\/\/(.*)$/.exec(text);
  if (match?.[1] === 'unix') {
    const path = match[2] || '/var/run/docker.sock';
    if (!path.startsWith('/'))
      throw new EndpointError(
        `invalid host ${JSON.stringify(text)}: a unix socket needs an absolute path, as in unix:///run/galley/galley.sock`,
      );
    return { kind: 'unix', host: `unix://${path}`, socketPath: path, ...common };
  }
  const scheme = match ? match[1] : 'tcp';
  if (scheme !== 'tcp' && scheme !== 'http' && scheme !== 'https' && scheme !== 'ssh') {
    throw new EndpointError(
      `invalid host ${JSON.stringify(text)}: use unix://PATH, tcp://HOST:PORT or ssh://USER@HOST`,
    );
  }
  const url = URL.canParse(`http://${match ? match[2] : text}`)
    ? new URL(`http://${match ? match[2] : text}`)
    : undefined;
  if (!url?.hostname || (!match && !text.includes(':'))) {
    throw new EndpointError(
      `invalid host ${JSON.stringify(text)}: use unix://PATH, tcp://HOST:PORT or ssh://USER@HOST`,
    );
  }
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  if (scheme === 'ssh') {
    // The name goes onto ssh's command line: one that starts with a dash would be an option.
    if (hostname.startsWith('-')) throw new EndpointError(`invalid ssh host ${JSON.stringify(hostname)}`);
    const user = decodeURIComponent(url.username);
    const port = url.port || (/:80$/.test(url.host) ? '80' : '');
    return {
      kind: 'ssh',
      host: text,
      hostname,
      ...(user ? { user } : {}),
      ...(port ? { port: Number(port) } : {}),
      ...common,
    };
  }
  const port = url.port
    ? Number(url.port)
    : /:80(\/|$)/.test(match?.[2] ?? text)
      ? 80
      : scheme === 'https'
        ? 2376
        : 2375;
  const tls = scheme === 'https' ? { tls: { verify: true } } : {};
  return { kind: 'tcp', host: `tcp://${url.hostname}:${port}`, hostname, port, ...tls, ...common };
}

function readPem(path: string, what: string, required: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!required && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new EndpointError(`could not read the ${what} ${path}: ${(error as Error).message}`);
  }
}

function withTls(endpoint: Endpoint, options: ResolveOptions): Endpoint {
  if (endpoint.kind !== 'tcp') return endpoint;
  const { env, tls = {} } = options;
  const verify = tls.verify ?? Boolean(env['DOCKER_TLS_VERIFY']);
  const enabled = tls.enabled || verify || Boolean(env['DOCKER_TLS']) || endpoint.tls !== undefined;
  if (!enabled) return endpoint;
  const folder = env['DOCKER_CERT_PATH'] || configDirOf(options);
  const read = (given: string | undefined, name: string, what: string) =>
    readPem(given || join(folder, name), what, given !== undefined);
  const ca = verify ? read(tls.ca, 'ca.pem', 'CA certificate') : undefined;
  const cert = read(tls.cert, 'cert.pem', 'client certificate');
  const key = read(tls.key, 'key.pem', 'client key');
  return {
    ...endpoint,
    tls: {
      verify: verify || (endpoint.tls?.verify ?? false),
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
    },
  };
}

function readJson(path: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new EndpointError(`could not read ${path}: ${(error as Error).message}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new EndpointError(`${path} is not a JSON object`);
  return parsed as Record<string, unknown>;
}

/** config.json as an object; empty when there is none. @throws EndpointError when it is malformed. */
export function readConfig(options: Pick<ResolveOptions, 'configDir' | 'env'>): Record<string, unknown> {
  const path = join(configDirOf(options), 'config.json');
  return existsSync(path) ? readJson(path) : {};
}

function currentContext(options: ResolveOptions): string | undefined {
  const name = readConfig(options)['currentContext'];
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Names of the docker contexts there are, without `default`. @throws EndpointError for one whose file is malformed */
export function contextNames(options: Pick<ResolveOptions, 'configDir' | 'env'>): string[] {
  const folder = join(configDirOf(options), 'contexts', 'meta');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((id) => {
    const path = join(folder, id, 'meta.json');
    const name = existsSync(path) ? readJson(path)['Name'] : undefined;
    return typeof name === 'string' ? [name] : [];
  });
}

function fromContext(name: string, source: EndpointSource, options: ResolveOptions): Endpoint {
  if (name === 'default') {
    return options.env['DOCKER_HOST']
      ? withTls(parseHost(options.env['DOCKER_HOST'], source), options)
      : { ...galleyEndpoint(options.env), source };
  }
  // Loaded only here: most commands name no context, and the module costs a millisecond.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const id = createHash('sha256').update(name).digest('hex');
  const root = join(configDirOf(options), 'contexts');
  const path = join(root, 'meta', id, 'meta.json');
  if (!existsSync(path)) {
    throw new EndpointError(
      `context ${JSON.stringify(name)} does not exist (${path} not found): see "docker context ls", or name the engine with -H`,
    );
  }
  const endpoints = readJson(path)['Endpoints'];
  const docker = (endpoints as Record<string, unknown> | undefined)?.['docker'] as Record<string, unknown> | undefined;
  const host = docker?.['Host'];
  if (typeof host !== 'string' || host === '')
    throw new EndpointError(`context ${JSON.stringify(name)} names no docker endpoint (${path})`);
  const endpoint = parseHost(host, source, name);
  if (endpoint.kind !== 'tcp') return endpoint;
  const tlsDir = join(root, 'tls', id, 'docker');
  if (!existsSync(tlsDir)) return endpoint;
  const read = (file: string) => readPem(join(tlsDir, file), `TLS file of context ${name}`, false);
  const [ca, cert, key] = [read('ca.pem'), read('cert.pem'), read('key.pem')];
  return {
    ...endpoint,
    tls: {
      verify: docker?.['SkipTLSVerify'] !== true,
      ...(ca ? { ca } : {}),
      ...(cert ? { cert } : {}),
      ...(key ? { key } : {}),
    },
  };
}
