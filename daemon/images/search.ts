/** Questions to a registry that fetch no image: search, and what a name points at (distribution inspect). */
import { z } from 'zod';
import {
  type DistributionInspect,
  type Filters,
  familiarName,
  type RegistryAuth,
  type SearchResult,
  tagNameOnly,
} from '../../src/api/index.ts';
import { imageErrors } from '../errors/images.ts';
import { parse } from './catalog.ts';
import { parseImageConfig } from './config.ts';
import { readBody } from './http.ts';
import { manifestMediaType, type Platform, parseManifest } from './manifest.ts';
import { endpointsFor, Repository, type RepositoryDeps } from './registry.ts';

export interface SearchRequest {
  term: string;
  limit: number;
  filters: Filters;
  auth: RegistryAuth | undefined;
  signal: AbortSignal;
}

const HUB_INDEX = 'index.docker.io';
const MAX_BODY = 4 << 20;
const MAX_PAGES = 10;
const v1Schema = z.object({
  results: z
    .array(
      z.object({
        name: z.string(),
        description: z.string().nullish(),
        star_count: z.number().default(0),
        is_official: z.boolean().default(false),
        is_automated: z.boolean().default(false),
      }),
    )
    .nullish(),
});

/** `host:port/words` asks that registry, everything else Docker Hub. */
function splitTerm(term: string): { host: string; words: string } {
  const slash = term.indexOf('/');
  const first = slash < 0 ? '' : term.slice(0, slash);
  if (/[.:]/.test(first) || first === 'localhost') {
    const host = first === 'docker.io' || first === 'index.docker.io' ? HUB_INDEX : first;
    return { host, words: term.slice(slash + 1) };
  }
  return { host: HUB_INDEX, words: term };
}

function passes(filters: Filters): (one: SearchResult) => boolean {
  const flagOf = (name: string): boolean | undefined => {
    const value = filters[name]?.[0];
    if (value === undefined) return undefined;
    if (!['true', 'false', '1', '0'].includes(value)) throw imageErrors.badFilterValue(name, value);
    return value === 'true' || value === '1';
  };
  const official = flagOf('is-official');
  const automated = flagOf('is-automated');
  const stars = (filters.stars ?? []).map((value) => {
    if (!/^\d+$/.test(value)) throw imageErrors.badFilterValue('stars', value);
    return Number(value);
  });
  return (one) =>
    (official === undefined || one.is_official === official) &&
    (automated === undefined || one.is_automated === automated) &&
    stars.every((least) => one.star_count >= least);
}

/** @throws EngineError: a bad limit or filter, a registry that cannot be asked. */
export async function search(deps: RepositoryDeps, request: SearchRequest): Promise<SearchResult[]> {
  const { limit, signal, term } = request;
  if (limit < 1 || limit > 100) throw imageErrors.searchLimit(limit);
  const wanted = passes(request.filters);
  const { host, words } = splitTerm(term);
  const query = new URLSearchParams({ q: words, n: String(limit) });
  const headers: Record<string, string> =
    request.auth?.username && request.auth.password
      ? {
          authorization: `Basic ${Buffer.from(`${request.auth.username}:${request.auth.password}`).toString('base64')}`,
        }
      : {};
  const answer = await deps.http.send(host, `/v1/search?${query}`, { method: 'GET', headers, signal });
  const body = await readBody(answer, MAX_BODY);
  if (answer.status === 200) {
    const { results } = v1Schema.parse(JSON.parse(body.toString('utf8')));
    return (results ?? [])
      .map((one) => ({ ...one, description: one.description ?? '' }))
      .filter(wanted)
      .slice(0, limit);
  }
  // Registries of today have no search, but many list what they hold.
  if (host === HUB_INDEX || answer.status !== 404) throw imageErrors.searchFailed(host, answer.status);
  return (await searchCatalog(deps, host, words, request)).filter(wanted).slice(0, limit);
}

async function searchCatalog(
  deps: RepositoryDeps,
  host: string,
  words: string,
  { auth, signal }: SearchRequest,
): Promise<SearchResult[]> {
  const endpoint = endpointsFor(host, [], auth)[0];
  if (!endpoint) return [];
  const repository = new Repository(deps, endpoint, '', host);
  const found: SearchResult[] = [];
  let target: string | undefined = '/v2/_catalog?n=1000';
  for (let page = 0; target && page < MAX_PAGES; page += 1) {
    const answer = await repository.request(target, { method: 'GET', headers: {}, signal });
    if (answer.status !== 200) throw imageErrors.searchFailed(host, answer.status);
    const body = await readBody(answer, MAX_BODY);
    const { repositories } = z
      .object({ repositories: z.array(z.string()).nullish() })
      .parse(JSON.parse(body.toString('utf8')));
    for (const name of repositories ?? [])
      if (name.includes(words))
        found.push({ name, description: '', star_count: 0, is_official: false, is_automated: false });
    const next: string | undefined = /<([^>]+)>\s*;\s*rel="?next"?/.exec(answer.headers.link ?? '')?.[1];
    const url = next ? new URL(next, answer.url) : undefined;
    target = url && url.pathname + url.search;
  }
  return found;
}

const MAX_CONFIG = 8 << 20;
const plain = ({ architecture, os, variant }: Platform) => ({ architecture, os, ...(variant ? { variant } : {}) });

/** What a name points at in its registry, and for which platforms. @throws EngineError */
export async function distributionInspect(
  deps: RepositoryDeps,
  name: string,
  auth: RegistryAuth | undefined,
  signal: AbortSignal,
): Promise<DistributionInspect> {
  const reference = tagNameOnly(parse(name));
  const endpoint = endpointsFor(reference.domain, [], auth)[0];
  if (!endpoint) throw imageErrors.noSuchImage(name);
  const repository = new Repository(deps, endpoint, reference.path, familiarName(reference));
  const raw = await repository.manifest(reference.digest ?? reference.tag ?? 'latest', name, signal);
  const mediaType = manifestMediaType(raw.bytes, raw.mediaType);
  const Descriptor = { mediaType, digest: raw.digest, size: raw.bytes.length };
  const parsed = parseManifest({ ...raw, mediaType }, name);
  if (parsed.kind === 'index') {
    const platforms = parsed.manifests.flatMap((one) => (one.platform ? [plain(one.platform)] : []));
    return { Descriptor, Platforms: platforms };
  }
  const { body } = await repository.blob(parsed.config.digest, 0, signal);
  const bytes = await readBody({ status: 200, headers: {}, body, url: parsed.config.digest }, MAX_CONFIG);
  return { Descriptor, Platforms: [plain(parseImageConfig(bytes, parsed.config.digest))] };
}
