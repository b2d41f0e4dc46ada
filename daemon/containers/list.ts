import { type ContainerSummary, type Filters, hasLabel, parseTimestamp } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import { EngineError } from '../errors/engine-error.ts';
import type { Core } from './core.ts';
import { compileFilters, impliesAll, isListedByDefault, PRUNE_FILTERS } from './filters.ts';
import { type ContainerRecord, isAlive } from './record.ts';
import { removeContainer } from './remove.ts';
import { sizesOf } from './sizes.ts';
import { networkSettingsOf, portsOf, summaryOf } from './views.ts';

export interface ListOptions {
  all: boolean;
  limit: number;
  size: boolean;
  filters: Filters;
}

/** Newest first. @throws EngineError 400 for a filter, 404 for an absent before/since */
export async function listContainers(core: Core, options: ListOptions): Promise<ContainerSummary[]> {
  const { images } = core.deps;
  const matches = compileFilters(options.filters, {
    ancestors: (reference) => {
      const image = images.resolve(reference);
      return new Set(image ? [image.id] : []);
    },
    container: (reference) => core.store.find(reference).record,
    networkNames: (record) =>
      Object.entries(networkSettingsOf(core, record).Networks).flatMap(([name, { NetworkID = '' }]) => [
        name,
        NetworkID,
      ]),
    ports: (record) => (isAlive(record) ? portsOf(networkSettingsOf(core, record)) : []),
  });
  const all = options.all || options.limit > 0 || impliesAll(options.filters);
  let records = core.store
    .all()
    .map(({ record }) => record)
    .filter((record) => (all || isListedByDefault(record)) && matches(record))
    .sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0));
  if (options.limit > 0) records = records.slice(0, options.limit);
  const imageName = memo((reference: string) => images.resolve(reference)?.id);
  const now = Date.now();
  const rows = records.map((record) => summaryOf(core, record, now, shownImage(record, imageName)));
  if (!options.size) return rows;
  return Promise.all(rows.map(async (row) => ({ ...row, ...(await sizesOf(core, row.Id)) })));
}

/** A name that means another image now says nothing true: then the id is shown. */
function shownImage(record: ContainerRecord, idOf: (reference: string) => string | undefined): string {
  return idOf(record.config.Image) === record.imageId ? record.config.Image : record.imageId;
}

function memo<T>(make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    if (!known.has(key)) known.set(key, make(key));
    return known.get(key) as T;
  };
}

/** Removes what does not run. @throws EngineError 400 for a filter */
export async function pruneContainers(
  core: Core,
  filters: Filters,
): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
  for (const key of Object.keys(filters)) if (!PRUNE_FILTERS.includes(key)) throw containerErrors.badFilter(key);
  const until = (filters['until'] ?? []).map((text) => {
    const at = parseTimestamp(text);
    if (at === undefined) throw containerErrors.badFilterValue('until', text);
    return at;
  });
  const wanted = filters['label'] ?? [];
  const unwanted = filters['label!'] ?? [];
  const removed: string[] = [];
  let SpaceReclaimed = 0;
  for (const entry of core.store.all()) {
    const { record } = entry;
    if (isAlive(record) || record.status === 'restarting' || record.removing) continue;
    if (until.some((at) => Date.parse(record.created) > at)) continue;
    const labelled = (label: string) => hasLabel(record.config.Labels, label);
    if (!wanted.every(labelled) || unwanted.some(labelled)) continue;
    const size = await core.deps.layers.rootSize(record.id);
    try {
      await removeContainer(core, entry, record.id, { force: false, volumes: false });
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'conflict') continue; // started, or removed by another, meanwhile
      throw error;
    }
    removed.push(record.id);
    SpaceReclaimed += size;
  }
  core.deps.publish('prune', '', { reclaimed: String(SpaceReclaimed) });
  return { ContainersDeleted: removed.length > 0 ? removed : null, SpaceReclaimed };
}
