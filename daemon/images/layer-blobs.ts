/** Where a layer's bytes come from when an image leaves again: the blob it came with, the tar inside its image file, or a blob made from that. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { imageErrors } from '../errors/images.ts';
import type { LayerStore } from '../layers/types.ts';
import type { Catalog, ImageRecord } from './catalog.ts';
import { chainIds } from './config.ts';
import type { ContentStore } from './content.ts';
import { type Descriptor, type Manifest, manifestMediaType, parseManifest } from './manifest.ts';

export interface LayerBlobDeps {
  catalog: Catalog;
  content: ContentStore;
  layers: LayerStore;
}

/** A manifest that is here, with its bytes. */
export interface StoredManifest {
  digest: string;
  mediaType: string;
  bytes: Buffer;
  manifest: Manifest;
}

/** Bytes of a file that are a layer, compressed or not. */
export interface LayerFile {
  file: string;
  offset: number;
  size: number;
}

const DOCKER_GZIP = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

/** The image manifests of an image that are here; those first whose layers all are, too. */
export function storedManifests({ catalog, content }: LayerBlobDeps, imageId: string): StoredManifest[] {
  const found: StoredManifest[] = [];
  for (const digest of catalog.manifestsOf(imageId)) {
    if (!content.has(digest)) continue;
    const bytes = content.read(digest);
    const mediaType = manifestMediaType(bytes, '');
    const parsed = parseManifest({ bytes, digest, mediaType }, digest);
    if (parsed.kind === 'image' && parsed.config.digest === imageId)
      found.push({ digest, mediaType, bytes, manifest: parsed });
  }
  const complete = (one: StoredManifest) => one.manifest.layers.every((layer) => content.has(layer.digest));
  return [...found.filter(complete), ...found.filter((one) => !complete(one))];
}

export const isComplete = ({ content }: LayerBlobDeps, one: StoredManifest): boolean =>
  one.manifest.layers.every((layer) => content.has(layer.digest));

/** The compressed blob of a layer, whichever image brought it; undefined: none is here. */
export function knownBlob(deps: LayerBlobDeps, diffId: string): Descriptor | undefined {
  for (const image of deps.catalog.all()) {
    const index = (image.config.rootfs.diff_ids ?? []).indexOf(diffId);
    if (index < 0) continue;
    for (const { manifest } of storedManifests(deps, image.id)) {
      const layer = manifest.layers[index];
      if (layer && deps.content.has(layer.digest) && !/v1\.tar$|diff\.tar$/.test(layer.mediaType)) return layer;
    }
  }
  return undefined;
}

/** The uncompressed tar of a layer as bytes of a file; undefined: it is here only compressed, or not at all. */
export async function plainTar(deps: LayerBlobDeps, diffId: string, chainId: string): Promise<LayerFile | undefined> {
  const range = deps.layers.tar(chainId);
  if (range) return range;
  if (!deps.content.has(diffId)) return undefined;
  const file = deps.content.file(diffId);
  return { file, offset: 0, size: (await stat(file)).size };
}

/**
 * Compresses a layer into a blob. The same tar gives the same blob with the same zlib.
 * @throws EngineError when the layer's content is gone.
 */
async function compress(
  deps: LayerBlobDeps,
  diffId: string,
  chainId: string,
  signal: AbortSignal,
): Promise<Descriptor> {
  const tar = await plainTar(deps, diffId, chainId);
  if (!tar) throw imageErrors.layerGone(diffId);
  using spool = deps.content.temporary();
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(
    readRange(tar),
    createGzip(),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(spool.file, { mode: 0o600 }),
    { signal },
  );
  const digest = `sha256:${hash.digest('hex')}`;
  await deps.content.adopt(spool.file, digest);
  return { mediaType: DOCKER_GZIP, digest, size };
}

/** A stream of the bytes. */
export function readRange({ file, offset, size }: LayerFile): ReturnType<typeof createReadStream> {
  if (size === 0) return createReadStream('/dev/null');
  return createReadStream(file, { start: offset, end: offset + size - 1, highWaterMark: 1 << 19 });
}

/** A blob for a registry: the one the layer came with, never compressed again; else one made now. @throws EngineError */
export async function registryBlob(
  deps: LayerBlobDeps,
  diffId: string,
  chainId: string,
  signal: AbortSignal,
): Promise<Descriptor> {
  return knownBlob(deps, diffId) ?? compress(deps, diffId, chainId, signal);
}

/** The layers of an image, lowest first. */
export function layersOf(image: ImageRecord): { diffId: string; chainId: string; parent: string | null }[] {
  const diffIds = image.config.rootfs.diff_ids ?? [];
  const chain = chainIds(diffIds);
  return diffIds.map((diffId, index) => ({
    diffId,
    chainId: chain[index] as string,
    parent: chain[index - 1] ?? null,
  }));
}
