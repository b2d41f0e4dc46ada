/** A push (field/engine-api.md section 3.2): blobs that are missing there, the config, the manifest; digests are those the image came with. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { familiarName, familiarString, type ImageReference, type ProgressMessage } from '../../src/api/index.ts';
import { imageErrors } from '../errors/images.ts';
import type { Leases } from '../state/index.ts';
import { type ImageRecord, parse } from './catalog.ts';
import {
  completeManifest,
  type LayerBlobDeps,
  type LayerFile,
  layersOf,
  readRange,
  registryBlob,
  type StoredManifest,
  storedManifests,
} from './layer-blobs.ts';
import { type Descriptor, MEDIA } from './manifest.ts';
import { LayerProgress } from './progress.ts';
import { endpointsFor, Repository, type RepositoryDeps } from './registry.ts';
import { retrying } from './retry.ts';
import { Semaphore } from './semaphore.ts';
import type { TransferSettings } from './transfers.ts';
import type { ImageEventSink, PushRequest } from './types.ts';
import { isTransient, uploadBlob } from './uploads.ts';

export interface PushDeps extends RepositoryDeps, LayerBlobDeps {
  leases: Leases;
  settings: TransferSettings;
  publish: ImageEventSink;
}

const UPLOADS = 5;
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';

/** The names to push: one, or every tag of the repository that is here. @throws EngineError */
function tagsOf(deps: PushDeps, request: PushRequest): ImageReference[] {
  const named = parse(request.image);
  if (named.digest !== undefined) throw imageErrors.pushDigest();
  const tag = request.tag ?? named.tag;
  const name = familiarName(named);
  const known = deps.catalog
    .all()
    .flatMap((image) => deps.catalog.referencesOf(image.id))
    .filter((one) => one.name === named.name);
  if (known.length === 0) throw imageErrors.noLocalTags(name);
  if (tag !== undefined) {
    const reference = parse(`${name}:${tag}`);
    if (deps.catalog.idOf(reference) === undefined) throw imageErrors.noLocalTag(familiarString(reference));
    return [reference];
  }
  const all = known.filter((one) => one.digest === undefined);
  return all.sort((a, b) => ((a.tag ?? '') < (b.tag ?? '') ? -1 : 1));
}

/** @throws EngineError; after the first line of progress, too. */
export async function push(deps: PushDeps, request: PushRequest): Promise<void> {
  const named = parse(request.image);
  request.onProgress({ status: `The push refers to repository [${named.name}]` });
  const references = tagsOf(deps, request);
  const endpoint = endpointsFor(named.domain, [], request.auth)[0];
  if (!endpoint) throw imageErrors.noLocalTags(familiarName(named));
  const repository = new Repository(deps, endpoint, named.path, familiarName(named), 'pull,push');
  for (const reference of references) await pushOne(deps, repository, reference, request);
}

/** Repositories of the same registry that are known to have a blob, by the digests of images that came from or went there. */
function neighbours(deps: PushDeps, reference: ImageReference, blob: Descriptor): string[] {
  const found = new Set<string>();
  for (const image of deps.catalog.all()) {
    const mine = deps.catalog.referencesOf(image.id).filter((one) => one.digest !== undefined);
    const near = mine.filter((one) => one.domain === reference.domain && one.path !== reference.path);
    if (near.length === 0) continue;
    const has = storedManifests(deps, image.id).some(({ manifest }) =>
      manifest.layers.some((layer) => layer.digest === blob.digest),
    );
    if (has) for (const one of near) found.add(one.path);
  }
  return [...found];
}

interface Prepared {
  layers: Descriptor[];
  mediaType: string;
  bytes: Buffer;
  digest: string;
}

/** The manifest that the image came with. One of plain tars goes on only where it came from a registry: an archive's are made smaller first. */
function original(deps: PushDeps, image: ImageRecord): { stored: StoredManifest; files: LayerFile[] } | undefined {
  const digests = new Set(deps.catalog.referencesOf(image.id).map((one) => one.digest));
  return completeManifest(
    deps,
    image,
    (one) =>
      digests.has(one.digest) || one.manifest.layers.every((layer) => !/v1\.tar$|diff\.tar$/.test(layer.mediaType)),
  );
}

/** A manifest for layers that came without one. */
function made(deps: PushDeps, image: ImageRecord, layers: Descriptor[]): Prepared {
  const config = { mediaType: DOCKER_CONFIG, size: deps.content.size(image.id), digest: image.id };
  const value = { schemaVersion: 2, mediaType: MEDIA.dockerManifest, config, layers };
  const bytes = Buffer.from(JSON.stringify(value, null, 3));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { layers, mediaType: MEDIA.dockerManifest, bytes, digest };
}

async function pushOne(
  deps: PushDeps,
  repository: Repository,
  reference: ImageReference,
  request: PushRequest,
): Promise<void> {
  const { onProgress, signal } = request;
  const image = deps.catalog.need(familiarString(reference));
  using lease = deps.leases.open(`push ${familiarString(reference)}`);
  lease.hold('blob', image.id);
  const layers = layersOf(image);
  for (const { chainId, diffId } of layers) {
    lease.hold('layer', chainId);
    lease.hold('blob', diffId);
  }
  for (const digest of deps.catalog.blobsOf(image.id)) lease.hold('blob', digest);
  // Top first, as Docker shows them.
  const jobs = layers.map((layer) => ({ ...layer, progress: new LayerProgress(layer.diffId, onProgress) }));
  for (const job of [...jobs].reverse()) job.progress.status('Preparing');
  const came = original(deps, image);
  const slots = new Semaphore(UPLOADS);
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const sent: (Descriptor | undefined)[] = jobs.map(() => undefined);
  const upload = async (index: number) => {
    const job = jobs[index];
    if (!job) return;
    if (slots.busy) job.progress.status('Waiting');
    const release = await slots.acquire(either);
    try {
      const blob = came?.stored.manifest.layers[index] ?? (await registryBlob(deps, job.diffId, job.chainId, either));
      const file = came?.files[index] ?? { file: deps.content.file(blob.digest), offset: 0, size: blob.size };
      lease.hold('blob', blob.digest);
      sent[index] = blob;
      if (blob.urls && blob.urls.length > 0 && /foreign|nondistributable/.test(blob.mediaType))
        job.progress.status('Skipped foreign layer');
      else await pushLayer(deps, repository, reference, { blob, file }, job.progress, either);
    } catch (error) {
      stop.abort(error);
      throw error;
    } finally {
      release();
    }
  };
  const order = jobs.map((_, index) => jobs.length - 1 - index);
  const results = await Promise.allSettled(order.map(upload));
  signal.throwIfAborted();
  const failure = results.find((one) => one.status === 'rejected');
  if (failure) throw stop.signal.reason ?? failure.reason;
  const manifest = came
    ? { ...came.stored, layers: came.stored.manifest.layers }
    : made(deps, image, sent as Descriptor[]);
  await pushConfig(deps, repository, image.id, signal);
  await putManifest(deps, repository, reference, manifest, signal);
  await deps.content.put(manifest.digest, manifest.bytes);
  const rows = [
    { digest: manifest.digest, size: manifest.bytes.length, mediaType: manifest.mediaType },
    ...manifest.layers
      .filter((layer) => deps.content.has(layer.digest))
      .map(({ digest, size, mediaType }) => ({ digest, size, mediaType })),
  ];
  deps.catalog.addBlobs(image.id, rows, { ...reference, tag: undefined, digest: manifest.digest });
  const Tag = reference.tag ?? 'latest';
  const { digest: Digest } = manifest;
  const Size = manifest.bytes.length;
  onProgress({ status: `${Tag}: digest: ${Digest} size: ${Size}` });
  onProgress({ progressDetail: {}, aux: { Tag, Digest, Size } } satisfies ProgressMessage);
  deps.publish('push', familiarString(reference), { name: familiarName(reference) });
}

async function pushLayer(
  deps: PushDeps,
  repository: Repository,
  reference: ImageReference,
  { blob, file }: { blob: Descriptor; file: LayerFile },
  progress: LayerProgress,
  signal: AbortSignal,
): Promise<void> {
  const source = {
    size: blob.size,
    open: (start: number, end: number) =>
      readRange({ file: file.file, offset: file.offset + start, size: end - start }),
  };
  const near = neighbours(deps, reference, blob);
  const result = await persist(deps, signal, progress, () =>
    uploadBlob(repository, blob, near, source, (current) => progress.amount('Pushing', current, blob.size), signal),
  );
  if (result.kind === 'exists') progress.status('Layer already exists');
  else if (result.kind === 'mounted') progress.status(`Mounted from ${result.from}`);
  else progress.status('Pushed');
}

/** Five attempts, each after a longer pause, as for downloads. */
async function persist<T>(
  deps: PushDeps,
  signal: AbortSignal,
  progress: LayerProgress,
  work: () => Promise<T>,
): Promise<T> {
  const { attempts, retryDelayMs } = deps.settings;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error) || attempt >= attempts) throw error;
      for (let left = error.retryAfterMs ?? attempt * retryDelayMs; left > 0; left -= 1000) {
        const seconds = Math.ceil(left / 1000);
        progress.status(`Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`);
        await sleep(Math.min(left, 1000), undefined, { signal });
      }
    }
  }
}

async function pushConfig(deps: PushDeps, repository: Repository, digest: string, signal: AbortSignal): Promise<void> {
  const blob = { digest, size: deps.content.size(digest), mediaType: DOCKER_CONFIG };
  const source = {
    size: blob.size,
    open: (start: number, end: number) =>
      readRange({ file: deps.content.file(digest), offset: start, size: end - start }),
  };
  await retrying(deps.settings, signal, () => uploadBlob(repository, blob, [], source, () => {}, signal));
}

async function putManifest(
  deps: PushDeps,
  repository: Repository,
  reference: ImageReference,
  { bytes, mediaType, digest }: Prepared,
  signal: AbortSignal,
): Promise<void> {
  await retrying(deps.settings, signal, async () => {
    const answer = await repository.request(repository.target(`/manifests/${reference.tag ?? 'latest'}`), {
      method: 'PUT',
      headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
      body: bytes,
      signal,
    });
    if (answer.status !== 201 && answer.status !== 200 && answer.status !== 202)
      throw await repository.failure(answer, familiarString(reference));
    answer.body.on('error', () => {}).resume();
    const got = answer.headers['docker-content-digest'];
    if (got && got !== digest) throw imageErrors.manifestDigest(digest, got);
  });
}
