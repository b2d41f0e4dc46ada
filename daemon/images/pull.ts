/** A pull (field/engine-api.md section 3.1): manifest, platform, config, layers side by side, then one transaction makes the image visible. */
import { familiarName, familiarString, type ImageReference, type ProgressMessage } from '../../src/api/index.ts';
import { messageOf } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';
import { type BlobRow, parse } from './catalog.ts';
import {
  choosePlatform,
  type Descriptor,
  hostPlatform,
  type Manifest,
  manifestMediaType,
  parseManifest,
  parsePlatform,
  type RawManifest,
} from './manifest.ts';
import { dropSpared, fetchAll, keptLayers, type PullDeps } from './pull-content.ts';
import { endpointsFor, Repository } from './registry.ts';
import { retrying } from './retry.ts';
import type { PullRequest } from './types.ts';

/** What a client's `image` and `tag` mean; without either tag or digest: every tag of the repository. */
export function pullReference(image: string, tag: string | undefined): ImageReference {
  const reference = parse(image);
  if (tag === undefined) return reference;
  const name = familiarName(reference);
  return parse(tag.includes(':') ? `${name}@${tag}` : `${name}:${tag}`);
}

/** @throws EngineError */
export async function pull(deps: PullDeps, request: PullRequest): Promise<void> {
  const reference = pullReference(request.image, request.tag);
  const platform = request.platform === undefined || request.platform === '' ? undefined : request.platform;
  if (platform !== undefined) parsePlatform(platform);
  const endpoints = endpointsFor(reference.domain, deps.mirrors, request.auth);
  let failure: unknown;
  for (const endpoint of endpoints) {
    const repository = new Repository(deps, endpoint, reference.path, familiarName(reference));
    // A mirror that fails before anything was shown is passed over; after that its error is the pull's.
    let shown = false;
    const onProgress = (message: ProgressMessage) => {
      shown = true;
      request.onProgress(message);
    };
    try {
      await pullFrom(deps, repository, reference, { ...request, platform, onProgress });
      return;
    } catch (error) {
      if (request.signal.aborted || !endpoint.mirror || shown) throw error;
      failure ??= error;
      deps.log.warn('a mirror failed, trying the next registry', { mirror: endpoint.base, error: messageOf(error) });
    }
  }
  throw failure;
}

async function pullFrom(
  deps: PullDeps,
  repository: Repository,
  reference: ImageReference,
  request: PullRequest,
): Promise<void> {
  if (reference.tag !== undefined || reference.digest !== undefined)
    return pullOne(deps, repository, reference, request);
  const { signal } = request;
  const tags = await retrying(deps.transfers.settings, signal, () => repository.tags(signal));
  if (tags.length === 0) throw imageErrors.manifestUnknown(familiarName(reference), 'the repository has no tags');
  for (const tag of tags) await pullOne(deps, repository, { ...reference, tag }, request);
}

interface Chosen {
  manifest: Manifest;
  /** All manifests passed on the way: index, then image. */
  raws: RawManifest[];
}

async function chooseManifest(
  deps: PullDeps,
  repository: Repository,
  reference: ImageReference,
  request: PullRequest,
): Promise<Chosen> {
  const text = familiarString(reference);
  const { signal } = request;
  const wanted = request.platform === undefined ? hostPlatform() : parsePlatform(request.platform);
  const raws: RawManifest[] = [await fetchTop(deps, repository, reference, text, signal)];
  for (let depth = 0; depth < 4; depth += 1) {
    const parsed = parseManifest(raws.at(-1) as RawManifest, text);
    if (parsed.kind === 'image') return { manifest: parsed, raws };
    const chosen = choosePlatform(parsed.manifests, wanted);
    raws.push(await fetchManifest(deps, repository, chosen.digest, text, signal));
  }
  throw imageErrors.badManifest(text, 'indexes within indexes go too deep');
}

/** A HEAD costs nothing of a rate limit, so a manifest that is here already is not fetched again. */
async function fetchTop(
  deps: PullDeps,
  repository: Repository,
  reference: ImageReference,
  text: string,
  signal: AbortSignal,
): Promise<RawManifest> {
  if (reference.digest !== undefined) return fetchManifest(deps, repository, reference.digest, text, signal);
  const tag = reference.tag ?? 'latest';
  if (deps.catalog.idOf(reference) !== undefined) {
    const digest = await repository.head(tag, signal);
    if (digest !== undefined && deps.content.has(digest)) return stored(deps, digest);
  }
  return retrying(deps.transfers.settings, signal, () => repository.manifest(tag, text, signal));
}

function stored(deps: PullDeps, digest: string): RawManifest {
  return { bytes: deps.content.read(digest), digest, mediaType: '' };
}

async function fetchManifest(
  deps: PullDeps,
  repository: Repository,
  digest: string,
  text: string,
  signal: AbortSignal,
): Promise<RawManifest> {
  if (deps.content.has(digest)) return stored(deps, digest);
  return retrying(deps.transfers.settings, signal, () => repository.manifest(digest, text, signal));
}

async function pullOne(
  deps: PullDeps,
  repository: Repository,
  reference: ImageReference,
  request: PullRequest,
): Promise<void> {
  const text = familiarString(reference);
  const { onProgress, signal } = request;
  using lease = deps.leases.open(`pull ${text}`);
  const { manifest, raws } = await chooseManifest(deps, repository, reference, request);
  lease.hold('blob', manifest.config.digest);
  for (const { digest } of [...raws, ...manifest.layers]) lease.hold('blob', digest);
  onProgress({ status: `Pulling from ${reference.path}`, id: reference.tag ?? reference.digest ?? 'latest' });
  const config = await fetchAll(deps, repository, manifest, lease, { ...request, text });
  for (const raw of raws) await deps.content.put(raw.digest, raw.bytes);
  signal.throwIfAborted();
  const top = raws[0] as RawManifest;
  const byDigest: ImageReference = { ...reference, tag: undefined, digest: top.digest };
  const names = reference.digest === undefined ? [reference, byDigest] : [byDigest];
  const changed = deps.catalog.register(
    manifest.config.digest,
    config,
    blobRows(raws, manifest, keptLayers(deps, manifest, config)),
    names,
  );
  await dropSpared(deps, manifest, config);
  onProgress({ status: `Digest: ${top.digest}` });
  onProgress({ status: `Status: ${changed ? 'Downloaded newer image' : 'Image is up to date'} for ${text}` });
  const labels = config.config?.Labels ?? {};
  deps.publish('pull', text, { ...labels, name: familiarName(reference) });
}

function blobRows(raws: readonly RawManifest[], manifest: Manifest, layers: readonly Descriptor[]): BlobRow[] {
  return [
    ...raws.map(({ digest, bytes, mediaType }) => ({
      digest,
      size: bytes.length,
      mediaType: manifestMediaType(bytes, mediaType),
    })),
    ...[manifest.config, ...layers].map(({ digest, size, mediaType }) => ({ digest, size, mediaType })),
  ];
}
