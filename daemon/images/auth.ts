/** How registries let clients in (distribution's token specification): bearer tokens, basic auth, identity tokens. */
import { z } from 'zod';
import type { RegistryAuth } from '../../src/api/index.ts';
import { imageErrors } from '../errors/images.ts';
import { type RegistryHttp, readBody } from './http.ts';

export interface Challenge {
  scheme: 'bearer' | 'basic';
  parameters: Record<string, string>;
}

/** `Bearer realm="…",service="…",scope="…"`, also several in one header. Schemes that we do not speak are left out. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let present: Challenge | undefined;
  const token = /\s*,?\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)|(?=\s|$))/y;
  for (let match = token.exec(header); match; match = token.exec(header)) {
    const [, name = '', value] = match;
    if (value === undefined) {
      const scheme = name.toLowerCase();
      present = undefined;
      if (scheme === 'bearer' || scheme === 'basic') challenges.push((present = { scheme, parameters: {} }));
    } else if (present) {
      present.parameters[name.toLowerCase()] = value.startsWith('"')
        ? value.slice(1, -1).replace(/\\(.)/g, '$1')
        : value;
    }
  }
  return challenges;
}

const tokenSchema = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});
/** The specification's default life, and what a token loses to the clock and the way. */
const DEFAULT_LIFE_S = 60;
const MARGIN_S = 5;

const basic = (auth: RegistryAuth | undefined) =>
  `Basic ${Buffer.from(`${auth?.username ?? ''}:${auth?.password ?? ''}`).toString('base64')}`;
const hasPassword = (auth: RegistryAuth | undefined): boolean => Boolean(auth?.username || auth?.password);

/** Tokens of all registries, kept as long as they live. */
export class TokenStore {
  readonly #http: RegistryHttp;
  readonly #tokens = new Map<string, { value: string; expires: number }>();

  constructor(http: RegistryHttp) {
    this.#http = http;
  }

  /**
   * The Authorization header that answers a 401.
   * @throws EngineError when the registry wants credentials that we do not have or refuses them.
   */
  async authorize(
    request: { method: string; url: string },
    challengeHeader: string,
    scope: string,
    auth: RegistryAuth | undefined,
    options: { fresh: boolean; familiarName: string; signal: AbortSignal },
  ): Promise<string> {
    const challenges = parseChallenges(challengeHeader);
    const bearer = challenges.find((c) => c.scheme === 'bearer' && c.parameters.realm);
    if (bearer) return `Bearer ${await this.#token(bearer.parameters, scope, auth, options)}`;
    if (!challenges.some((c) => c.scheme === 'basic'))
      throw imageErrors.badAnswer(
        request.url,
        401,
        `it asks for ${JSON.stringify(challengeHeader)}, which galley does not speak`,
      );
    if (!hasPassword(auth)) throw imageErrors.noBasicCredentials(request.method, request.url);
    return basic(auth);
  }

  async #token(
    parameters: Record<string, string>,
    wantedScope: string,
    auth: RegistryAuth | undefined,
    { fresh, familiarName, signal }: { fresh: boolean; familiarName: string; signal: AbortSignal },
  ): Promise<string> {
    if (auth?.registrytoken) return auth.registrytoken;
    const realm = new URL(parameters.realm as string);
    const service = parameters.service ?? '';
    const scope = parameters.scope || wantedScope;
    const key = JSON.stringify([realm.href, service, scope, auth?.username, auth?.password, auth?.identitytoken]);
    const cached = this.#tokens.get(key);
    if (cached && !fresh && cached.expires > Date.now()) return cached.value;
    // A password must not leave in clear text because a registry says so.
    if (realm.protocol !== 'https:' && auth && !this.#http.isInsecure(realm.host))
      throw imageErrors.requestFailed(
        'GET',
        realm.href,
        `the token service speaks plain http: start galleyd with --insecure-registry ${realm.host} if that is meant`,
      );
    const answer = auth?.identitytoken
      ? await this.#http.send(realm.origin, realm.pathname + realm.search, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({
            grant_type: 'refresh_token',
            service,
            client_id: 'galley',
            scope,
            refresh_token: auth.identitytoken,
          }).toString(),
          signal,
        })
      : await this.#http.send(realm.origin, withQuery(realm, service, scope), {
          method: 'GET',
          headers: hasPassword(auth) ? { authorization: basic(auth) } : {},
          signal,
        });
    const body = await readBody(answer, 1 << 20);
    if (answer.status === 401 || answer.status === 403)
      throw imageErrors.accessDenied(
        familiarName,
        hasPassword(auth) || auth?.identitytoken
          ? 'unauthorized: incorrect username or password'
          : 'denied: requested access to the resource is denied',
      );
    if (answer.status !== 200)
      throw imageErrors.badAnswer(realm.href, answer.status, body.toString('utf8').slice(0, 200));
    let parsed: z.infer<typeof tokenSchema>;
    try {
      parsed = tokenSchema.parse(JSON.parse(body.toString('utf8')));
    } catch (error) {
      throw imageErrors.requestFailed('GET', realm.href, 'the token service did not answer with a token', error);
    }
    const value = parsed.token ?? parsed.access_token;
    if (!value)
      throw imageErrors.requestFailed(
        'GET',
        realm.href,
        'authorization server did not include a token in the response',
      );
    const life = Math.max(parsed.expires_in ?? DEFAULT_LIFE_S, DEFAULT_LIFE_S) - MARGIN_S;
    for (const [old, token] of this.#tokens) if (token.expires <= Date.now()) this.#tokens.delete(old);
    this.#tokens.set(key, { value, expires: Date.now() + life * 1000 });
    return value;
  }
}

function withQuery(realm: URL, service: string, scope: string): string {
  const query = new URLSearchParams(realm.search);
  if (service) query.set('service', service);
  for (const one of scope.split(/\s+(?=[a-z]+:)/).filter(Boolean)) query.append('scope', one);
  return `${realm.pathname}?${query.toString()}`;
}
