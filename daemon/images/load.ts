/** `docker load`: Docker archives (old and new), OCI image layouts, and tars that are both (field/engine-api.md section 3.3). */
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { familiarString, type ImageReference, tagNameOnly } from '../../src/api/index.ts';
import { messageOf } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';
import type { LayerStore } from '../layers/types.ts';
import type { Lease, Leases } from '../state/index.ts';
import { type ArchiveFile, ArchiveFiles, packingOfFile } from './archive-files.ts';
import { type BlobRow, type Catalog, parse } from './catalog.ts';
import { chainIds, parseImageConfig } from './config.ts';
import type { ContentStore } from './content.ts';
import { decompressed, type Packing } from './decompress.ts';
import {
  choosePlatform,
  type Descriptor,
  descriptorSchema,
  hostPlatform,
  manifestMediaType,
  parseManifest,
  type RawManifest,
} from './manifest.ts';
import { LayerProgress } from './progress.ts';
import type { ImageEventSink, LoadRequest } from './types.ts';

export interface LoadDeps {
  catalog: Catalog;
  content: ContentStore;
  layers: LayerStore;
  leases: Leases;
  publish: ImageEventSink;
}

const dockerSchema = z
  .array(
    z.object({
      Config: z.string(),
      RepoTags: z.array(z.string()).nullish(),
      Layers: z.array(z.string()).nullish(),
    }),
  )
  .min(1);
const indexSchema = z.object({
  manifests: z.array(descriptorSchema.extend({ annotations: z.record(z.string(), z.string()).optional() })),
});
const PLAIN_TAR = 'application/vnd.oci.image.layer.v1.tar';
const BY_PACKING: Readonly<Partial<Record<Packing, string>>> = {
  gzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
};
const blobName = (digest: string) => `blobs/sha256/${digest.slice('sha256:'.length)}`;

/** An image as the archive describes it. */
interface Found {
  config: ArchiveFile;
  layers: ArchiveFile[];
  /** Of an OCI layout: manifest and the indexes above it, kept so that a push gives the same digests. */
  manifests: RawManifest[];
  /** What the manifest calls the layers. */
  descriptors: Descriptor[];
  references: ImageReference[];
}

function json<T>(files: ArchiveFiles, name: string, schema: z.ZodType<T>): T {
  const bytes = files.bytes(name);
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw imageErrors.badArchive(`${name} is not JSON: ${messageOf(error)}`);
    const issue = error.issues[0];
    throw imageErrors.badArchive(`${name}: ${issue?.path.join('.')}: ${issue?.message}`);
  }
}

function fromDocker(files: ArchiveFiles): Found[] {
  return json(files, 'manifest.json', dockerSchema).map((one) => ({
    config: files.need(one.Config),
    layers: (one.Layers ?? []).map((name) => files.need(name)),
    manifests: [],
    descriptors: [],
    references: (one.RepoTags ?? []).map((name) => tagNameOnly(parse(name))),
  }));
}

/** The name that an index entry carries, as containerd, Docker, skopeo and podman write it. */
function nameOf(annotations: Readonly<Record<string, string>>): ImageReference[] {
  const full = annotations['io.containerd.image.name'];
  if (full) return [tagNameOnly(parse(full))];
  const reference = annotations['org.opencontainers.image.ref.name'];
  // A bare tag names no repository.
  return reference && /[/:]/.test(reference) ? [tagNameOnly(parse(reference))] : [];
}

function manifestBlob(files: ArchiveFiles, digest: string): RawManifest | undefined {
  const file = files.get(blobName(digest));
  if (!file) return undefined;
  if (file.digest !== digest) throw imageErrors.manifestDigest(digest, file.digest);
  const bytes = files.bytes(blobName(digest));
  return { bytes, digest, mediaType: manifestMediaType(bytes, '') };
}

function fromLayout(files: ArchiveFiles): Found[] {
  const found: Found[] = [];
  for (const entry of json(files, 'index.json', indexSchema).manifests) {
    const raws: RawManifest[] = [];
    for (let digest = entry.digest; ; ) {
      const raw = manifestBlob(files, digest);
      // Docker's archives may name manifests, say of attestations, that they do not hold.
      if (!raw || raws.length > 3) break;
      raws.push(raw);
      const parsed = parseManifest(raw, digest);
      if (parsed.kind === 'index') {
        const here = parsed.manifests.filter((one) => files.get(blobName(one.digest)));
        digest = choosePlatform(here.length > 0 ? here : parsed.manifests, hostPlatform()).digest;
        continue;
      }
      found.push({
        config: checked(files, parsed.config),
        layers: parsed.layers.map((layer) => checked(files, layer)),
        manifests: raws,
        descriptors: parsed.layers,
        references: nameOf(entry.annotations ?? {}),
      });
      break;
    }
  }
  return found;
}

function checked(files: ArchiveFiles, { digest }: Descriptor): ArchiveFile {
  const file = files.need(blobName(digest));
  if (file.digest !== digest) throw imageErrors.blobDigest(digest, file.digest);
  return file;
}

/** The archive's images: what Docker's table says, with the manifests of the layout beside it. */
function imagesOf(files: ArchiveFiles): Found[] {
  const layout = files.get('index.json') && files.get('oci-layout') ? fromLayout(files) : [];
  if (!files.get('manifest.json')) {
    if (layout.length === 0)
      throw imageErrors.notAnArchive('it has neither a manifest.json nor an OCI index with an image for this platform');
    return layout;
  }
  return fromDocker(files).map((image) => {
    const same = layout.find(
      (one) =>
        one.config.digest === image.config.digest &&
        one.layers.length === image.layers.length &&
        one.layers.every((layer, index) => layer.digest === image.layers[index]?.digest),
    );
    return same ? { ...image, manifests: same.manifests, descriptors: same.descriptors } : image;
  });
}

/** @throws EngineError; images that are complete by then stay. */
export async function load(deps: LoadDeps, body: Readable, request: LoadRequest): Promise<void> {
  const { signal, onProgress } = request;
  const { stream } = await decompressed(body, signal);
  using files = new ArchiveFiles(deps.content);
  await files.readAll(stream);
  signal.throwIfAborted();
  for (const found of imagesOf(files)) {
    using lease = deps.leases.open('load');
    const id = await loadOne(deps, found, lease, request);
    for (const reference of found.references) {
      const old = deps.catalog.idOf(reference);
      if (old !== undefined && old !== id)
        onProgress({
          stream: `The image ${familiarString(reference)} already exists, renaming the old one with ID ${old} to empty string\n`,
        });
    }
    await registerOne(deps, found, id, lease);
    for (const reference of found.references) onProgress({ stream: `Loaded image: ${familiarString(reference)}\n` });
    if (found.references.length === 0) onProgress({ stream: `Loaded image ID: ${id}\n` });
    deps.publish('load', id, { name: id });
  }
}

async function loadOne(deps: LoadDeps, found: Found, lease: Lease, request: LoadRequest): Promise<string> {
  const { config: configFile } = found;
  const config = parseImageConfig(await readSmall(configFile), configFile.digest);
  const diffIds = config.rootfs.diff_ids ?? [];
  if (diffIds.length !== found.layers.length)
    throw imageErrors.badArchive(
      `invalid manifest, layers length mismatch: expected ${diffIds.length}, got ${found.layers.length}`,
    );
  if (config.os !== 'linux') throw imageErrors.badArchive(`cannot load ${config.os || 'unknown'} image on linux`);
  const chain = chainIds(diffIds);
  lease.hold('blob', configFile.digest);
  for (const [index, layer] of found.layers.entries()) {
    const diffId = diffIds[index] as string;
    const chainId = chain[index] as string;
    lease.hold('layer', chainId);
    lease.hold('blob', diffId);
    lease.hold('blob', layer.digest);
    // A layer that is here already is only checked: what this file is must be known before it is kept as that layer.
    if (!deps.layers.get(chainId) || layer.digest !== diffId)
      await unpack(deps, layer, { diffId, chainId, parent: chain[index - 1] ?? null }, request);
    await keepBlob(deps, found, index, layer, diffId, chainId);
  }
  return configFile.digest;
}

async function readSmall(file: ArchiveFile): Promise<Buffer> {
  if (file.size > 8 << 20) throw imageErrors.badConfig(file.digest, `it has ${file.size} bytes`);
  return readFile(file.file);
}

async function unpack(
  deps: LoadDeps,
  layer: ArchiveFile,
  { diffId, chainId, parent }: { diffId: string; chainId: string; parent: string | null },
  { signal, onProgress, quiet }: LoadRequest,
): Promise<void> {
  const compression = packingOfFile(layer.file);
  if (compression === 'xz' || compression === 'bzip2')
    throw imageErrors.badArchive(`layer ${diffId} is packed with ${compression}: only gzip and zstd may pack layers`);
  const progress = quiet ? undefined : new LayerProgress(diffId, onProgress);
  progress?.amount('Loading layer', 0, layer.size);
  // A stray blob may lie in the store already; the spooled file is read, whatever becomes of it afterwards.
  await deps.layers.unpack({
    chainId,
    parent,
    diffId,
    tar: { file: layer.file, compression },
    signal,
    onProgress: (bytes) => progress?.amount('Loading layer', Math.min(bytes, layer.size - 1), layer.size),
  });
  progress?.amount('Loading layer', layer.size, layer.size);
}

/** A layer's file becomes a blob where a manifest names it, or where nothing else gives the tar back. */
async function keepBlob(
  deps: LoadDeps,
  found: Found,
  index: number,
  layer: ArchiveFile,
  diffId: string,
  chainId: string,
): Promise<void> {
  const named = found.manifests.length > 0 && found.descriptors[index]?.mediaType !== PLAIN_TAR;
  const needed = named || (deps.layers.tar(chainId) === undefined && !deps.content.has(diffId));
  if (!needed) return;
  if (!deps.content.has(layer.digest)) {
    await deps.content.adopt(layer.file, layer.digest);
    layer.file = deps.content.file(layer.digest); // another image of the archive may have it, too
  }
  const mediaType = found.descriptors[index]?.mediaType ?? BY_PACKING[packingOfFile(layer.file)] ?? PLAIN_TAR;
  deps.catalog.noteLayerBlob(diffId, { digest: layer.digest, size: layer.size, mediaType });
}

async function registerOne(deps: LoadDeps, found: Found, id: string, lease: Lease): Promise<void> {
  const bytes = deps.content.has(id) ? deps.content.read(id) : await readSmall(found.config);
  await deps.content.put(id, bytes);
  const config = parseImageConfig(bytes, id);
  const rows: BlobRow[] = [{ digest: id, size: bytes.length, mediaType: 'application/vnd.oci.image.config.v1+json' }];
  for (const [index, layer] of found.layers.entries())
    if (deps.content.has(layer.digest))
      rows.push({
        digest: layer.digest,
        size: layer.size,
        mediaType: found.descriptors[index]?.mediaType ?? PLAIN_TAR,
      });
  for (const raw of found.manifests) {
    lease.hold('blob', raw.digest);
    await deps.content.put(raw.digest, raw.bytes);
    rows.push({ digest: raw.digest, size: raw.bytes.length, mediaType: raw.mediaType });
  }
  deps.catalog.register(id, config, rows, found.references);
}
