/** Images as the API shows them: list, inspect, history. */
import {
  type Filters,
  familiarString,
  type ImageHistoryItem,
  type ImageInspect,
  type ImageSummary,
} from '../../src/api/index.ts';
import type { LayerStore } from '../layers/types.ts';
import type { Catalog, ImageRecord } from './catalog.ts';
import { chainIds } from './config.ts';
import { createdMs, imageFilter, referenceMatches, ZERO_TIME } from './filters.ts';

export interface ViewDeps {
  catalog: Catalog;
  layers: LayerStore;
}

const chainOf = (image: ImageRecord) => chainIds(image.config.rootfs.diff_ids ?? []);

function sizeOf(layers: LayerStore, image: ImageRecord): number {
  return chainOf(image).reduce((sum, chainId) => sum + (layers.get(chainId)?.size ?? 0), 0);
}

/** Bytes of the layers that another image has too. */
function sharedSizes({ catalog, layers }: ViewDeps): (image: ImageRecord) => number {
  const users = new Map<string, number>();
  for (const image of catalog.all())
    for (const chainId of new Set(chainOf(image))) users.set(chainId, (users.get(chainId) ?? 0) + 1);
  return (image) =>
    chainOf(image).reduce((sum, id) => sum + ((users.get(id) ?? 0) > 1 ? (layers.get(id)?.size ?? 0) : 0), 0);
}

/** Newest first. @throws EngineError for a bad filter. */
export function listImages(deps: ViewDeps, filters: Filters, withShared: boolean): ImageSummary[] {
  const { catalog, layers } = deps;
  const matches = imageFilter(catalog, filters);
  const patterns = filters.reference ?? [];
  const shared = withShared ? sharedSizes(deps) : () => -1;
  const summaries: ImageSummary[] = [];
  for (const image of catalog.all()) {
    if (!matches(image)) continue;
    const references = catalog
      .referencesOf(image.id)
      .filter((r) => patterns.length === 0 || referenceMatches(patterns, r));
    if (patterns.length > 0 && references.length === 0) continue;
    summaries.push({
      Id: image.id,
      ParentId: '',
      RepoTags: references
        .filter((r) => r.digest === undefined)
        .map(familiarString)
        .sort(),
      RepoDigests: references
        .filter((r) => r.digest !== undefined)
        .map(familiarString)
        .sort(),
      Created: Math.floor(createdMs(image) / 1000),
      Size: sizeOf(layers, image),
      SharedSize: shared(image),
      Labels: image.config.config?.Labels ?? null,
      Containers: -1,
    });
  }
  return summaries.sort((a, b) => b.Created - a.Created || a.Id.localeCompare(b.Id));
}

export function inspectImage({ catalog, layers }: ViewDeps, image: ImageRecord, layersFolder: string): ImageInspect {
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: catalog.tagsOf(image.id),
    RepoDigests: catalog.digestsOf(image.id),
    Parent: '',
    Comment: config.comment,
    Created: config.created ?? ZERO_TIME,
    DockerVersion: config.docker_version,
    Author: config.author,
    Config: config.config ?? null,
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    Size: sizeOf(layers, image),
    GraphDriver: { Name: 'overlay2', Data: { LayersDir: layersFolder } },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids ?? [] },
    Metadata: { LastTagTime: image.lastTagTime },
  };
}

/** Newest step first; only the top one has an ID, as no intermediate images exist. */
export function imageHistory({ catalog, layers }: ViewDeps, image: ImageRecord): ImageHistoryItem[] {
  const chain = chainOf(image);
  let layer = 0;
  const items = (image.config.history ?? []).map((step): ImageHistoryItem => {
    const chainId = step.empty_layer ? undefined : chain[layer++];
    return {
      Id: '<missing>',
      Created: Math.floor((Date.parse(step.created ?? ZERO_TIME) || Date.parse(ZERO_TIME)) / 1000),
      CreatedBy: step.created_by,
      Tags: null,
      Size: chainId === undefined ? 0 : (layers.get(chainId)?.size ?? 0),
      Comment: step.comment,
    };
  });
  const top = items.at(-1);
  const tags = catalog.tagsOf(image.id);
  if (top) Object.assign(top, { Id: image.id, Tags: tags.length > 0 ? tags : null });
  return items.reverse();
}
