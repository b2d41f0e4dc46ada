/** Images that are made here and not fetched: `import` of a root file system, `commit` of a container's changes. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { familiarString, type ImageReference, type ImageRunConfig } from '../../src/api/index.ts';
import { packFolder } from '../layers/index.ts';
import type { LayerStore } from '../layers/types.ts';
import type { Lease, Leases } from '../state/index.ts';
import { type BlobRow, type Catalog, parse } from './catalog.ts';
import { applyChanges } from './changes.ts';
import { chainIds, type ImageConfig, parseImageConfig } from './config.ts';
import type { ContentStore } from './content.ts';
import { decompressed } from './decompress.ts';
import { hostPlatform, parsePlatform } from './manifest.ts';
import type { CommitRequest, ImageEventSink, ImportRequest } from './types.ts';

export interface MakeDeps {
  catalog: Catalog;
  content: ContentStore;
  layers: LayerStore;
  leases: Leases;
  publish: ImageEventSink;
}

/** sha256 of a tar without entries: no layer comes of it. */
const EMPTY_TAR = `sha256:${createHash('sha256').update(Buffer.alloc(1024)).digest('hex')}`;
const PLAIN_TAR = 'application/vnd.oci.image.layer.v1.tar';
const CONFIG = 'application/vnd.docker.container.image.v1+json';

/** `repository` and `tag` as the API has them apart; undefined for an image without a name. @throws EngineError */
function nameFor(repository: string, tag: string): ImageReference | undefined {
  if (repository === '') return undefined;
  const named = parse(repository);
  return parse(`${familiarString({ ...named, tag: undefined })}:${tag || named.tag || 'latest'}`);
}

interface SpooledTar {
  diffId: string;
  size: number;
}

async function spool(stream: AsyncIterable<Buffer>, file: string, signal: AbortSignal): Promise<SpooledTar> {
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(
    stream,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(file, { mode: 0o600, flags: 'wx' }),
    { signal },
  );
  return { diffId: `sha256:${hash.digest('hex')}`, size };
}

interface Recipe {
  base: { id: string; config: ImageConfig } | undefined;
  config: ImageRunConfig;
  os: string;
  architecture: string;
  variant?: string;
  author: string;
  comment: string;
  createdBy: string;
  reference: ImageReference | undefined;
}

/** Puts one layer from a spooled tar over the base, writes the config, and makes the image visible in one transaction. */
async function build(
  deps: MakeDeps,
  lease: Lease,
  file: string,
  tar: SpooledTar,
  recipe: Recipe,
  signal: AbortSignal,
): Promise<string> {
  const { base } = recipe;
  const diffIds = [...(base?.config.rootfs.diff_ids ?? [])];
  for (const chainId of chainIds(diffIds)) lease.hold('layer', chainId);
  const rows: BlobRow[] = [];
  const empty = tar.diffId === EMPTY_TAR;
  if (!empty) {
    const parent = chainIds(diffIds).at(-1) ?? null;
    diffIds.push(tar.diffId);
    const chainId = chainIds(diffIds).at(-1) as string;
    lease.hold('layer', chainId);
    lease.hold('blob', tar.diffId);
    await deps.layers.unpack({ chainId, parent, diffId: tar.diffId, tar: { file, compression: 'none' }, signal });
    if (!deps.layers.tar(chainId)) {
      await deps.content.adopt(file, tar.diffId);
      rows.push({ digest: tar.diffId, size: tar.size, mediaType: PLAIN_TAR });
    }
  }
  // What the base's layers came as is needed for a push of this image, too.
  if (base) rows.push(...deps.catalog.layerRowsOf(base.id));
  const created = new Date().toISOString();
  const step = {
    created,
    ...(recipe.author ? { author: recipe.author } : {}),
    ...(recipe.createdBy ? { created_by: recipe.createdBy } : {}),
    ...(recipe.comment ? { comment: recipe.comment } : {}),
    ...(empty ? { empty_layer: true } : {}),
  };
  const value = {
    architecture: recipe.architecture,
    ...(recipe.variant ? { variant: recipe.variant } : {}),
    os: recipe.os,
    created,
    ...(recipe.author ? { author: recipe.author } : {}),
    ...(recipe.comment ? { comment: recipe.comment } : {}),
    config: recipe.config,
    history: [...(base?.config.history ?? []), step],
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  const bytes = Buffer.from(JSON.stringify(value));
  const id = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  lease.hold('blob', id);
  await deps.content.put(id, bytes);
  rows.push({ digest: id, size: bytes.length, mediaType: CONFIG });
  signal.throwIfAborted();
  deps.catalog.register(id, parseImageConfig(bytes, id), rows, recipe.reference ? [recipe.reference] : []);
  if (recipe.reference) deps.publish('tag', id, { name: familiarString(recipe.reference) });
  return id;
}

/** @throws EngineError: a bad name, change or platform before anything is read; a tar that is none. */
export async function importTar(deps: MakeDeps, source: Readable, request: ImportRequest): Promise<string> {
  const { signal } = request;
  const reference = nameFor(request.repository, request.tag);
  const config = applyChanges({}, request.changes);
  const platform = request.platform ? parsePlatform(request.platform) : hostPlatform();
  using lease = deps.leases.open('import');
  using target = deps.content.temporary();
  const tar = await deps.content.guarded(async () =>
    spool((await decompressed(source, signal)).stream, target.file, signal),
  );
  const { message: comment } = request;
  const recipe = { base: undefined, config, ...platform, author: '', comment, createdBy: '', reference };
  const id = await build(deps, lease, target.file, tar, recipe, signal);
  deps.publish('import', id, { name: id });
  return id;
}

/** @throws EngineError */
export async function commit(deps: MakeDeps, request: CommitRequest): Promise<string> {
  const { signal } = request;
  const reference = nameFor(request.repository, request.tag);
  const config = applyChanges(request.config, request.changes);
  const base = request.baseImageId === undefined ? undefined : deps.catalog.need(request.baseImageId);
  using lease = deps.leases.open(`commit ${request.containerId}`);
  if (base) for (const digest of deps.catalog.blobsOf(base.id)) lease.hold('blob', digest);
  using target = deps.content.temporary();
  const tar = await deps.content.guarded(() =>
    spool(packFolder(request.upper, { overlay: true, signal }), target.file, signal),
  );
  const { os, architecture, variant } = base?.config ?? hostPlatform();
  const { author, message: comment, createdBy } = request;
  const from = { os, architecture, ...(variant ? { variant } : {}) };
  // Awaited here: the lease and the file must outlive the building.
  return await build(
    deps,
    lease,
    target.file,
    tar,
    { base, config, ...from, author, comment, createdBy, reference },
    signal,
  );
}
