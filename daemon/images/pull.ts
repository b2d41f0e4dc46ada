/** A pull (field/engine-api.md section 3.1): manifest, platform, config, layers side by side, then one transaction makes the image visible. */
import { familiarName, familiarString, type ImageReference, type ProgressMessage } from '../../src/api/index.ts';
import { messageOf } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';
import type { LayerStore } from '../layers/types.ts';
import type { Lease, Leases } from '../state/index.ts';
import type { Log } from '../system/log.ts';
import { type BlobRow, type Catalog, parse } from './catalog.ts';
import { chainIds, type ImageConfig, parseImageConfig } from './config.ts';
import type { ContentStore } from './content.ts';
import { isLayerBlob } from './layer-blobs.ts';
import {
  choosePlatform,
  compressionOf,
  type Descriptor,
  hostPlatform,
  type Manifest,
  manifestMediaType,
  parseManifest,
  parsePlatform,
  platformScore,
  platformText,
  type RawManifest,
} from './manifest.ts';
import { LayerProgress } from './progress.ts';
import { endpointsFor, Repository, type RepositoryDeps } from './registry.ts';
import { retrying } from './retry.ts';
import type { TransferEvent, Transfers } from './transfers.ts';
import type { ImageEventSink, PullRequest } from './types.ts';

export interface PullDeps extends RepositoryDeps {
  leases: Leases;
  layers: LayerStore;
  content: ContentStore;
  catalog: Catalog;
  transfers: Transfers;
  mirrors: readonly string[];
  publish: ImageEventSink;
  log: Log;
}

const MAX_CONFIG = 8 << 20;

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

async function fetchConfig(
  deps: PullDeps,
  repository: Repository,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<ImageConfig> {
  if (descriptor.size > MAX_CONFIG) throw imageErrors.badConfig(descriptor.digest, `it has ${descriptor.size} bytes`);
  await deps.transfers.fetch(repository, descriptor, () => {}, signal);
  return parseImageConfig(deps.content.read(descriptor.digest), descriptor.digest);
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
  const config = await fetchConfig(deps, repository, manifest.config, signal);
  checkConfig(config, manifest, request.platform, text);
  await pullLayers(deps, repository, manifest, config, lease, request);
  for (const raw of raws) await deps.content.put(raw.digest, raw.bytes);
  signal.throwIfAborted();
  const top = raws[0] as RawManifest;
  const byDigest: ImageReference = { ...reference, tag: undefined, digest: top.digest };
  const names = reference.digest === undefined ? [reference, byDigest] : [byDigest];
  const changed = deps.catalog.register(manifest.config.digest, config, blobRows(raws, manifest), names);
  onProgress({ status: `Digest: ${top.digest}` });
  onProgress({ status: `Status: ${changed ? 'Downloaded newer image' : 'Image is up to date'} for ${text}` });
  const labels = config.config?.Labels ?? {};
  deps.publish('pull', text, { ...labels, name: familiarName(reference) });
}

function blobRows(raws: readonly RawManifest[], manifest: Manifest): BlobRow[] {
  return [
    ...raws.map(({ digest, bytes, mediaType }) => ({
      digest,
      size: bytes.length,
      mediaType: manifestMediaType(bytes, mediaType),
    })),
    ...[manifest.config, ...manifest.layers].map(({ digest, size, mediaType }) => ({ digest, size, mediaType })),
  ];
}

function checkConfig(config: ImageConfig, manifest: Manifest, platform: string | undefined, text: string): void {
  const diffIds = config.rootfs.diff_ids ?? [];
  if (diffIds.length !== manifest.layers.length)
    throw imageErrors.badConfig(
      manifest.config.digest,
      `it names ${diffIds.length} layers, the manifest ${manifest.layers.length}`,
    );
  if (config.os !== 'linux')
    throw imageErrors.badConfig(
      manifest.config.digest,
      `image operating system "${config.os}" cannot be used on this platform`,
    );
  if (platform === undefined) return;
  const wanted = parsePlatform(platform);
  if (platformScore(wanted, config) < 0)
    throw imageErrors.wrongPlatform(text, platformText(wanted), platformText(config));
}

/** Downloads and unpacks what is missing. The first failure stops the rest; it is thrown when they have let go. */
async function pullLayers(
  deps: PullDeps,
  repository: Repository,
  manifest: Manifest,
  config: ImageConfig,
  lease: Lease,
  request: PullRequest,
): Promise<void> {
  const diffIds = config.rootfs.diff_ids ?? [];
  const chain = chainIds(diffIds);
  for (const chainId of chain) lease.hold('layer', chainId);
  const stop = new AbortController();
  const signal = AbortSignal.any([request.signal, stop.signal]);
  const jobs = manifest.layers.map((layer, index) => ({
    layer,
    chainId: chain[index] as string,
    parent: chain[index - 1] ?? null,
    diffId: diffIds[index] as string,
    progress: new LayerProgress(layer.digest, request.onProgress),
  }));
  // Docker shows every row before anything moves, so that a terminal's rows stay where they are.
  const missing = jobs.filter((job) => {
    // A blob that is here may still be another layer's: only what was unpacked once is believed.
    const here =
      deps.layers.get(job.chainId) !== undefined &&
      deps.content.has(job.layer.digest) &&
      isLayerBlob(deps, job.diffId, job.layer.digest);
    job.progress.status(here ? 'Already exists' : 'Pulling fs layer');
    return !here;
  });
  let failure: { error: unknown } | undefined;
  await Promise.all(
    missing.map(async (job) => {
      try {
        await downloadLayer(deps, repository, job, signal);
        await unpackLayer(deps, job, signal);
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
      }
    }),
  );
  if (failure) {
    request.signal.throwIfAborted();
    throw failure.error;
  }
}

interface LayerJob {
  layer: Descriptor;
  chainId: string;
  parent: string | null;
  diffId: string;
  progress: LayerProgress;
}

async function downloadLayer(
  deps: PullDeps,
  repository: Repository,
  { layer, progress }: LayerJob,
  signal: AbortSignal,
): Promise<void> {
  const listener = (event: TransferEvent) => {
    if (event.kind === 'waiting') progress.status('Waiting');
    else if (event.kind === 'progress') progress.amount('Downloading', event.current, event.total);
    else if (event.kind === 'verifying') progress.status('Verifying Checksum');
    else progress.status(`Retrying in ${event.seconds} second${event.seconds === 1 ? '' : 's'}`);
  };
  await deps.transfers.fetch(repository, layer, listener, signal);
  progress.status('Download complete');
}

async function unpackLayer(deps: PullDeps, job: LayerJob, signal: AbortSignal): Promise<void> {
  const { layer, progress, chainId, parent, diffId } = job;
  const compression = compressionOf(layer.mediaType);
  if (compression === undefined) throw imageErrors.notAnImage(layer.digest, layer.mediaType);
  progress.amount('Extracting', 0, layer.size);
  await deps.layers.unpack({
    chainId,
    parent,
    diffId,
    tar: { file: deps.content.file(layer.digest), compression },
    isKnown: () => isLayerBlob(deps, diffId, layer.digest),
    signal,
    onProgress: (bytes) => progress.amount('Extracting', Math.min(bytes, layer.size - 1), layer.size),
  });
  const { digest, size, mediaType } = layer;
  deps.catalog.noteLayerBlob(diffId, { digest, size, mediaType });
  progress.amount('Extracting', size, size);
  progress.status('Pull complete');
}
