/** The content of an image on its way in: config and layers, side by side; what came of a bad image does not stay. */
import { EngineError } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';
import type { LayerStore } from '../layers/types.ts';
import type { Lease, Leases } from '../state/index.ts';
import type { Log } from '../system/log.ts';
import type { Catalog } from './catalog.ts';
import { chainIds, type ImageConfig, parseImageConfig } from './config.ts';
import type { ContentStore } from './content.ts';
import { TransientError } from './http.ts';
import { isLayerBlob } from './layer-blobs.ts';
import {
  compressionOf,
  type Descriptor,
  type Manifest,
  parsePlatform,
  platformScore,
  platformText,
} from './manifest.ts';
import { LayerProgress } from './progress.ts';
import type { Repository, RepositoryDeps } from './registry.ts';
import type { TransferEvent, Transfers } from './transfers.ts';
import type { ImageEventSink, PullRequest } from './types.ts';

export interface PullDeps extends RepositoryDeps {
  leases: Leases;
  layers: LayerStore;
  content: ContentStore;
  catalog: Catalog;
  transfers: Transfers;
  /** False: a layer's blob goes once its image file holds the tar. */
  keepBlobs: boolean;
  mirrors: readonly string[];
  publish: ImageEventSink;
  log: Log;
}

const MAX_CONFIG = 8 << 20;

/**
 * Config and layers. What came of an image that turns out to be bad is not kept; what a cut line or a leaving client left is.
 * @throws EngineError
 */
export async function fetchAll(
  deps: PullDeps,
  repository: Repository,
  manifest: Manifest,
  lease: Lease,
  request: PullRequest & { text: string },
): Promise<ImageConfig> {
  const { signal, text } = request;
  try {
    const config = await fetchConfig(deps, repository, manifest.config, signal);
    checkConfig(config, manifest, request.platform, text);
    await pullLayers(deps, repository, manifest, config, lease, request);
    return config;
  } catch (error) {
    if (!signal.aborted && error instanceof EngineError && !(error instanceof TransientError))
      await discard(deps, manifest, lease);
    throw error;
  }
}

async function discard(deps: PullDeps, manifest: Manifest, lease: Lease): Promise<void> {
  lease.release();
  for (const { digest } of [manifest.config, ...manifest.layers]) {
    const wanted =
      deps.catalog.liveBlobs().has(digest) || deps.transfers.has(digest) || deps.leases.held('blob').has(digest);
    if (!wanted) await deps.content.remove(digest);
  }
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
    const unpacked = deps.layers.get(job.chainId) !== undefined && isLayerBlob(deps, job.diffId, job.layer.digest);
    const here = unpacked && (deps.content.has(job.layer.digest) || isSpared(deps, job.chainId));
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

/** Whether a layer does without its blob, because its image file gives the tar back. */
const isSpared = (deps: PullDeps, chainId: string) => !deps.keepBlobs && deps.layers.tar(chainId) !== undefined;

/** Removes the blobs that the layers of an image do without. They are no longer the image's by then. */
export async function dropSpared(deps: PullDeps, manifest: Manifest, config: ImageConfig): Promise<void> {
  const chain = chainIds(config.rootfs.diff_ids ?? []);
  for (const [index, { digest }] of manifest.layers.entries())
    if (isSpared(deps, chain[index] as string) && !deps.catalog.liveBlobs().has(digest))
      await deps.content.remove(digest);
}

/** The layers of a manifest whose blobs are kept. */
export function keptLayers(deps: PullDeps, manifest: Manifest, config: ImageConfig): Descriptor[] {
  const chain = chainIds(config.rootfs.diff_ids ?? []);
  return manifest.layers.filter(
    (layer, index) => deps.content.has(layer.digest) && !isSpared(deps, chain[index] as string),
  );
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
