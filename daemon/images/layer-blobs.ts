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

/** Whether a blob has been unpacked to this layer, or is its plain tar. */
export function isLayerBlob({ catalog }: LayerBlobDeps, diffId: string, digest: string): boolean {
  return digest === diffId || catalog.layerBlobs(diffId).some((blob) => blob.digest === digest);
}

/** The image manifests of an image that are here. */
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
  return found;
}

/** A layer's bytes as a manifest names them: the blob, or the plain tar in its image file; undefined: not here. */
export function layerFile(
  deps: LayerBlobDeps,
  layer: Descriptor,
  diffId: string,
  chainId: string,
): LayerFile | undefined {
  const { content, layers } = deps;
  if (content.has(layer.digest) && isLayerBlob(deps, diffId, layer.digest))
    return { file: content.file(layer.digest), offset: 0, size: layer.size };
  return layer.digest === diffId ? layers.tar(chainId) : undefined;
}

/** A stored manifest all of whose layers are here. */
export function completeManifest(
  deps: LayerBlobDeps,
  image: ImageRecord,
  accepts: (one: StoredManifest) => boolean = () => true,
): { stored: StoredManifest; files: LayerFile[] } | undefined {
  const layers = layersOf(image);
  for (const stored of storedManifests(deps, image.id)) {
    if (!accepts(stored) || stored.manifest.layers.length !== layers.length) continue;
    const files = stored.manifest.layers.map((layer, index) => {
      const { diffId = '', chainId = '' } = layers[index] ?? {};
      return layerFile(deps, layer, diffId, chainId);
    });
    if (files.every((file) => file !== undefined)) return { stored, files };
  }
  return undefined;
}

/** The compressed blob of a layer, whichever image brought it; undefined: none is here. */
export function knownBlob({ catalog, content }: LayerBlobDeps, diffId: string): Descriptor | undefined {
  return catalog.layerBlobs(diffId).find((blob) => blob.digest !== diffId && content.has(blob.digest));
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
  await deps.content.guarded(() => deps.content.adopt(spool.file, digest));
  const blob = { mediaType: DOCKER_GZIP, digest, size };
  deps.catalog.noteLayerBlob(diffId, blob);
  return blob;
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
