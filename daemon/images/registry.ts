/** A registry's repository as a pull sees it (OCI distribution-spec): manifests, blobs, tags. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RegistryAuth } from '../../src/api/index.ts';
import { EngineError } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';
import type { TokenStore } from './auth.ts';
import { type RegistryAnswer, type RegistryHttp, type RegistryRequest, readBody, TransientError } from './http.ts';
import { ACCEPT, type RawManifest } from './manifest.ts';

/** Where a repository is looked for: the registry itself, or a mirror of docker.io. */
export interface Endpoint {
  /** Bare host (scheme by what is allowed) or `http(s)://host`. */
  base: string;
  auth: RegistryAuth | undefined;
  mirror: boolean;
}

const MAX_MANIFEST = 4 << 20;
const HUB = 'registry-1.docker.io';

/** Mirrors hold for docker.io only, are asked first and get no credentials; then the registry itself. */
export function endpointsFor(domain: string, mirrors: readonly string[], auth: RegistryAuth | undefined): Endpoint[] {
  if (domain !== 'docker.io') return [{ base: domain, auth, mirror: false }];
  const fromMirrors = mirrors.map((base) => ({ base: base.replace(/\/+$/, ''), auth: undefined, mirror: true }));
  return [...fromMirrors, { base: HUB, auth, mirror: false }];
}

const errorsSchema = z.object({
  errors: z.array(z.object({ code: z.string().default('UNKNOWN'), message: z.string().default('') })).min(1),
});

/** Docker's `code: message`, e.g. `manifest unknown: manifest unknown`. */
function parseErrors(body: Buffer): { code: string; text: string } | undefined {
  try {
    const first = errorsSchema.parse(JSON.parse(body.toString('utf8'))).errors[0];
    if (!first) return undefined;
    const name = first.code.toLowerCase().replaceAll('_', ' ');
    return { code: first.code, text: first.message ? `${name}: ${first.message}` : name };
  } catch {
    return undefined;
  }
}

/** Seconds or a date (RFC 9110 section 10.2.3), at most a minute. */
function retryAfter(answer: RegistryAnswer): number | undefined {
  const value = answer.headers['retry-after'];
  if (value === undefined) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 60) * 1000 : undefined;
}

export interface RepositoryDeps {
  http: RegistryHttp;
  tokens: TokenStore;
}

export class Repository {
  readonly #deps: RepositoryDeps;
  readonly endpoint: Endpoint;
  readonly #path: string;
  readonly #familiarName: string;
  readonly #actions: 'pull' | 'pull,push';
  #authorization = '';

  constructor(
    deps: RepositoryDeps,
    endpoint: Endpoint,
    path: string,
    familiarName: string,
    actions: 'pull' | 'pull,push' = 'pull',
  ) {
    this.#deps = deps;
    this.endpoint = endpoint;
    this.#path = path;
    this.#familiarName = familiarName;
    this.#actions = actions;
  }

  /** `/v2/<repository><rest>` */
  target(rest: string): string {
    return `/v2/${this.#path}${rest}`;
  }

  /**
   * One request with the credentials that the registry asks for.
   * @param target a path at the registry, or a whole URL that it gave (upload locations).
   * @throws EngineError
   */
  async request(target: string, options: RegistryRequest): Promise<RegistryAnswer> {
    const { http, tokens } = this.#deps;
    const { method, headers, signal } = options;
    const scope = `repository:${this.#path}:${this.#actions}`;
    const absolute = /^https?:\/\//.test(target) ? new URL(target) : undefined;
    const base = absolute ? absolute.origin : this.endpoint.base;
    // An upload address on another host gets no credentials of ours.
    const ours =
      !absolute ||
      absolute.host === new URL(`${absolute.protocol}//${this.endpoint.base.replace(/^https?:\/\//, '')}`).host;
    for (let attempt = 0; ; attempt += 1) {
      const authorization: Record<string, string> =
        this.#authorization && ours ? { authorization: this.#authorization } : {};
      const answer = await http.send(base, absolute ? absolute.pathname + absolute.search : target, {
        ...options,
        headers: { ...headers, ...authorization },
      });
      const challenge = answer.headers['www-authenticate'];
      if (answer.status !== 401 || !challenge || attempt >= 2 || !ours) return answer;
      const refused = this.#authorization !== '';
      const next = await tokens
        .authorize({ method, url: answer.url }, challenge, scope, this.endpoint.auth, {
          fresh: refused,
          familiarName: this.#familiarName,
          signal,
        })
        .finally(() => answer.body.on('error', () => {}).destroy());
      if (next === this.#authorization) throw this.#denied('unauthorized: authentication required');
      this.#authorization = next;
    }
  }

  #send(
    method: 'GET' | 'HEAD',
    target: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<RegistryAnswer> {
    return this.request(target, { method, headers, signal });
  }

  #denied(why: string): EngineError {
    return this.#actions === 'pull' ? imageErrors.accessDenied(this.#familiarName, why) : imageErrors.pushDenied(why);
  }

  /** Turns an answer that is no success into Docker's error. `reference` is as the user knows it. */
  async failure(answer: RegistryAnswer, reference: string): Promise<EngineError> {
    const body = await readBody(answer).catch(() => Buffer.alloc(0));
    const said = parseErrors(body);
    if (said?.code === 'MANIFEST_UNKNOWN') return imageErrors.manifestUnknown(reference, said.text);
    if (said?.code === 'NAME_UNKNOWN') return imageErrors.repositoryUnknown(this.#familiarName, said.text);
    if (answer.status === 401 || answer.status === 403)
      return this.#denied(said?.text ?? 'denied: requested access to the resource is denied');
    if (answer.status === 429)
      return new TransientError(`toomanyrequests: ${said?.text ?? 'too many requests'}`, {
        retryAfterMs: retryAfter(answer),
        answered: true,
      });
    if (answer.status === 404) return imageErrors.manifestUnknown(reference, said?.text ?? 'manifest unknown');
    const plain = imageErrors.badAnswer(
      answer.url,
      answer.status,
      said?.text ?? body.toString('utf8').trim().slice(0, 200),
    );
    return answer.status >= 500 || answer.status === 408
      ? new TransientError(plain.message, { retryAfterMs: retryAfter(answer), answered: true })
      : plain;
  }

  /** The digest that a tag points at, without its manifest; undefined when the registry does not say. */
  async head(tagOrDigest: string, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#send(
      'HEAD',
      `/v2/${this.#path}/manifests/${tagOrDigest}`,
      { accept: ACCEPT.join(', ') },
      signal,
    );
    answer.body.on('error', () => {}).resume();
    const digest = answer.headers['docker-content-digest'];
    return answer.status === 200 && digest && /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : undefined;
  }

  /** @throws EngineError (404 with Docker's text; a digest that is not the one asked for). */
  async manifest(tagOrDigest: string, reference: string, signal: AbortSignal): Promise<RawManifest> {
    const answer = await this.#send(
      'GET',
      `/v2/${this.#path}/manifests/${tagOrDigest}`,
      { accept: ACCEPT.join(', ') },
      signal,
    );
    if (answer.status !== 200) throw await this.failure(answer, reference);
    const bytes = await readBody(answer, MAX_MANIFEST);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const expected = tagOrDigest.includes(':') ? tagOrDigest : answer.headers['docker-content-digest'];
    if (expected?.startsWith('sha256:') && expected !== digest) throw imageErrors.manifestDigest(expected, digest);
    return { bytes, digest, mediaType: (answer.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '' };
  }

  /**
   * Opens a blob at `offset`. `offset` of the result is where the body really begins: 0 when the registry knows no ranges.
   * @throws EngineError
   */
  async blob(
    digest: string,
    offset: number,
    signal: AbortSignal,
  ): Promise<{ body: RegistryAnswer['body']; offset: number }> {
    const range: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const answer = await this.#send(
      'GET',
      `/v2/${this.#path}/blobs/${digest}`,
      { 'accept-encoding': 'identity', ...range },
      signal,
    );
    if (answer.status === 200) return { body: answer.body, offset: 0 };
    if (answer.status === 206 && new RegExp(`^bytes ${offset}-`).test(answer.headers['content-range'] ?? ''))
      return { body: answer.body, offset };
    if (answer.status === 416 || answer.status === 206) {
      answer.body.on('error', () => {}).destroy();
      if (offset > 0) return this.blob(digest, 0, signal);
    }
    const failure = await this.failure(answer, digest);
    if (answer.status === 404)
      throw new EngineError('notFound', `blob ${digest} of ${this.#familiarName} is not in the registry`);
    throw failure;
  }

  /** All tags, page by page. @throws EngineError */
  async tags(signal: AbortSignal): Promise<string[]> {
    const tags: string[] = [];
    let target: string | undefined = `/v2/${this.#path}/tags/list`;
    while (target !== undefined) {
      const answer: RegistryAnswer = await this.#send('GET', target, {}, signal);
      if (answer.status !== 200) throw await this.failure(answer, this.#familiarName);
      const body = await readBody(answer, MAX_MANIFEST);
      const page = z.object({ tags: z.array(z.string()).nullish() }).parse(JSON.parse(body.toString('utf8')));
      tags.push(...(page.tags ?? []));
      const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(answer.headers.link ?? '')?.[1];
      const url: URL | undefined = next ? new URL(next, answer.url) : undefined;
      target = url ? url.pathname + url.search : undefined;
    }
    return tags;
  }
}
