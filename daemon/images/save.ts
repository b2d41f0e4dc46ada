/**
 * `docker save`: one tar that is an OCI image layout and a Docker archive at once (image-spec image-layout.md; field/engine-api.md
 * section 3.3). Blobs go out as they came, so digests survive; a layer that never was a blob goes as its plain tar.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { familiarString, fullString, type ImageReference } from '../../src/api/index.ts';
import { imageErrors } from '../errors/images.ts';
import { padding, TAR_END, tarHeader } from '../layers/index.ts';
import type { Leases } from '../state/index.ts';
import { type ImageRecord, parse } from './catalog.ts';
import {
  completeManifest,
  knownBlob,
  type LayerBlobDeps,
  type LayerFile,
  layersOf,
  plainTar,
  readRange,
} from './layer-blobs.ts';
import { type Descriptor, MEDIA } from './manifest.ts';

export interface SaveDeps extends LayerBlobDeps {
  leases: Leases;
}

const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const OCI_TAR = 'application/vnd.oci.image.layer.v1.tar';
const blobPath = (digest: string) => `blobs/sha256/${digest.slice('sha256:'.length)}`;
const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const descriptor = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: sha256(bytes), size: bytes.length });

interface Wanted {
  image: ImageRecord;
  references: ImageReference[];
}

/** What the names ask for: an ID has no tags, a bare name all of them, each image once. @throws EngineError */
function wantedImages(deps: SaveDeps, names: readonly string[]): Wanted[] {
  const wanted = new Map<string, Wanted>();
  const add = (image: ImageRecord, references: readonly ImageReference[]) => {
    const entry = wanted.get(image.id) ?? { image, references: [] };
    for (const one of references)
      if (!entry.references.some((known) => fullString(known) === fullString(one))) entry.references.push(one);
    wanted.set(image.id, entry);
  };
  for (const name of names) {
    if (!deps.catalog.find(name) && !deps.catalog.hasRepository(name)) throw imageErrors.noSuchImage(name);
    if (deps.catalog.isId(name)) {
      add(deps.catalog.need(name), []);
      continue;
    }
    const reference = parse(name);
    if (reference.tag !== undefined || reference.digest !== undefined) {
      add(deps.catalog.need(name), reference.digest === undefined ? [reference] : []);
      continue;
    }
    const tags = deps.catalog
      .all()
      .flatMap((image) => deps.catalog.referencesOf(image.id).map((one) => ({ image, one })))
      .filter(({ one }) => one.digest === undefined && one.name === reference.name);
    if (tags.length === 0) add(deps.catalog.need(name), []);
    for (const { image, one } of tags) add(image, [one]);
  }
  return [...wanted.values()];
}

interface Planned extends Wanted {
  manifest: Buffer;
  mediaType: string;
  config: Buffer;
  layers: { digest: string; file: LayerFile }[];
}

async function planLayer(
  deps: SaveDeps,
  { diffId, chainId }: { diffId: string; chainId: string },
): Promise<{ descriptor: Descriptor; file: LayerFile }> {
  const tar = await plainTar(deps, diffId, chainId);
  if (tar) return { descriptor: { mediaType: OCI_TAR, digest: diffId, size: tar.size }, file: tar };
  const blob = knownBlob(deps, diffId);
  if (!blob) throw imageErrors.layerGone(diffId);
  return { descriptor: blob, file: { file: deps.content.file(blob.digest), offset: 0, size: blob.size } };
}

async function plan(deps: SaveDeps, wanted: Wanted): Promise<Planned> {
  const { image } = wanted;
  const config = deps.content.read(image.id);
  const complete = completeManifest(deps, image);
  if (complete) {
    const { stored, files } = complete;
    const layers = stored.manifest.layers.map(({ digest }, index) => ({ digest, file: files[index] as LayerFile }));
    return { ...wanted, config, manifest: stored.bytes, mediaType: stored.mediaType, layers };
  }
  const layers = await Promise.all(layersOf(image).map((layer) => planLayer(deps, layer)));
  const value = {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: descriptor(config, OCI_CONFIG),
    layers: layers.map((layer) => layer.descriptor),
  };
  const manifest = Buffer.from(JSON.stringify(value));
  return {
    ...wanted,
    config,
    manifest,
    mediaType: MEDIA.ociManifest,
    layers: layers.map((layer) => ({ digest: layer.descriptor.digest, file: layer.file })),
  };
}

function index(planned: readonly Planned[]): Buffer {
  const manifests = planned.flatMap((one) => {
    const base = descriptor(one.manifest, one.mediaType);
    if (one.references.length === 0) return [base];
    return one.references.map((reference) => ({
      ...base,
      annotations: {
        'io.containerd.image.name': fullString(reference),
        'org.opencontainers.image.ref.name': reference.tag ?? 'latest',
      },
    }));
  });
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests }));
}

function dockerManifest(planned: readonly Planned[]): Buffer {
  return Buffer.from(
    JSON.stringify(
      planned.map((one) => ({
        Config: blobPath(one.image.id),
        RepoTags: one.references.length > 0 ? one.references.map(familiarString) : null,
        Layers: one.layers.map((layer) => blobPath(layer.digest)),
      })),
    ),
  );
}

/** Docker's oldest table of names; only old clients read it. */
function repositories(planned: readonly Planned[]): Buffer {
  const table: Record<string, Record<string, string>> = {};
  for (const { references, layers } of planned)
    for (const reference of references)
      (table[familiarString({ ...reference, tag: undefined, digest: undefined })] ??= {})[reference.tag ?? 'latest'] = (
        layers.at(-1)?.digest ?? ''
      ).slice('sha256:'.length);
  return Buffer.from(JSON.stringify(table));
}

async function* archive(planned: readonly Planned[], lease: Disposable): AsyncGenerator<Buffer> {
  using _lease = lease;
  const written = new Set<string>();
  function* small(name: string, bytes: Buffer): Generator<Buffer> {
    if (written.has(name)) return;
    written.add(name);
    yield tarHeader({ name, type: 'file', mode: 0o644, size: bytes.length });
    yield bytes;
    yield padding(bytes.length);
  }
  for (const name of ['blobs', 'blobs/sha256']) yield tarHeader({ name, type: 'directory', mode: 0o755 });
  for (const one of planned) {
    for (const { digest, file } of one.layers) {
      const name = blobPath(digest);
      if (written.has(name)) continue;
      written.add(name);
      yield tarHeader({ name, type: 'file', mode: 0o644, size: file.size });
      for await (const chunk of readRange(file)) yield chunk as Buffer;
      yield padding(file.size);
    }
    yield* small(blobPath(one.image.id), one.config);
    yield* small(blobPath(sha256(one.manifest)), one.manifest);
  }
  yield* small('index.json', index(planned));
  yield* small('manifest.json', dockerManifest(planned));
  yield* small('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  yield* small('repositories', repositories(planned));
  yield TAR_END;
}

/** The archive as a stream. @throws EngineError before it begins: no such image, content gone. */
export async function save(deps: SaveDeps, names: readonly string[]): Promise<Readable> {
  const lease = deps.leases.open(`save ${names.join(' ')}`);
  try {
    const wanted = wantedImages(deps, names);
    for (const { image } of wanted) {
      for (const digest of [image.id, ...deps.catalog.blobsOf(image.id)]) lease.hold('blob', digest);
      for (const { chainId, diffId } of layersOf(image)) {
        lease.hold('layer', chainId);
        lease.hold('blob', diffId);
      }
    }
    const planned: Planned[] = [];
    for (const one of wanted) planned.push(await plan(deps, one));
    return Readable.from(archive(planned, lease), { objectMode: false });
  } catch (error) {
    lease.release();
    throw error;
  }
}
