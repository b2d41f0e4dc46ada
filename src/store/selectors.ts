/** Rows of the lists out of facts and view. Pure. */
import type { ContainerFact, Facts } from './facts.ts';
import { type Field, matchesFilter } from './filter.ts';
import type { Pane, View } from './view.ts';

export interface Row {
  /** Its identity in the list: an image has a row for each of its names. */
  key: string;
  /** The object's. */
  id: string;
  name: string;
  /** What `key:word` of the filter looks at; a bare word looks at all of it. */
  fields: Readonly<Record<Field, string>>;
}

/** A column that can order its list: `of` gives what is compared, `down` starts with the largest. */
export interface Order {
  column: string;
  down?: true;
  of(facts: Facts, row: Row): number | string;
}

const STATES = ['running', 'paused', 'restarting', 'created', 'removing', 'exited', 'dead'];

export const nameOf = (container: ContainerFact): string =>
  (container.Names[0] ?? container.Id.slice(0, 12)).replace(/^\//, '');

/** Rows of a pane without a filter. */
export function countOf(facts: Facts, pane: Pane): number {
  if (pane !== 'images') return facts[pane].size;
  return [...facts.images.values()].reduce((sum, one) => sum + Math.max(1, one.RepoTags?.length ?? 0), 0);
}

/** The containers that use an image, a volume or a network. */
export function usersOf(facts: Facts, pane: Pane, id: string): ContainerFact[] {
  const uses = (one: ContainerFact): boolean => {
    if (pane === 'images') return one.ImageID === id;
    if (pane === 'volumes') return one.Mounts?.some((mount) => mount.Type === 'volume' && mount.Name === id) ?? false;
    if (pane === 'networks')
      return Object.values(one.NetworkSettings?.Networks ?? {}).some((network) => network?.NetworkID === id);
    return false;
  };
  return [...facts.containers.values()].filter(uses);
}

const newest = (facts: Facts, row: Row) => facts.stats.get(row.id)?.at(-1);
const byName: Order = { column: 'NAME', of: (_facts, row) => row.name };
const byUse = (pane: Pane): Order => ({
  column: 'USED',
  down: true,
  of: (facts, row) => usersOf(facts, pane, row.id).length,
});

/** The first is the list's own. */
export const ORDERS: Readonly<Record<Pane, readonly Order[]>> = {
  containers: [
    { column: 'STATE', of: (facts, row) => STATES.indexOf(facts.containers.get(row.id)?.State ?? '') },
    byName,
    { column: 'IMAGE', of: (facts, row) => facts.containers.get(row.id)?.Image ?? '' },
    { column: 'CPU', down: true, of: (facts, row) => newest(facts, row)?.cpuPercent ?? -1 },
    { column: 'MEM', down: true, of: (facts, row) => newest(facts, row)?.memory ?? -1 },
    { column: 'AGE', of: (facts, row) => -(facts.containers.get(row.id)?.since ?? 0) },
  ],
  images: [
    byName,
    { column: 'SIZE', down: true, of: (facts, row) => facts.images.get(row.id)?.Size ?? 0 },
    byUse('images'),
    { column: 'AGE', of: (facts, row) => -(facts.images.get(row.id)?.Created ?? 0) },
  ],
  volumes: [byName, byUse('volumes')],
  networks: [byName, { column: 'DRIVER', of: (facts, row) => facts.networks.get(row.id)?.Driver ?? '' }],
};

const labelsOf = (labels: Readonly<Record<string, string>> | null | undefined): string =>
  Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');

function allRows(facts: Facts, view: View, pane: Pane): Row[] {
  if (pane === 'containers')
    return [...facts.containers.values()]
      .filter((one) => view.all || one.State === 'running' || one.State === 'paused' || one.State === 'restarting')
      .sort((a, b) => b.Created - a.Created || (nameOf(a) < nameOf(b) ? -1 : 1))
      .map((one) => ({
        key: one.Id,
        id: one.Id,
        name: nameOf(one),
        fields: {
          name: nameOf(one),
          image: one.Image,
          state: one.State,
          id: one.Id.slice(0, 12),
          label: labelsOf(one.Labels),
          driver: '',
        },
      }));
  if (pane === 'images')
    return [...facts.images.values()].flatMap((one) => {
      const nameless = one.RepoDigests?.[0]?.replace(/@.*/, '@<none>') ?? '<none>:<none>';
      const names = one.RepoTags?.length ? one.RepoTags : [nameless];
      const fields = { image: '', state: '', id: one.Id.slice(7, 19), label: labelsOf(one.Labels), driver: '' };
      return names.map((name) => ({ key: `${one.Id} ${name}`, id: one.Id, name, fields: { ...fields, name } }));
    });
  if (pane === 'volumes')
    return [...facts.volumes.values()].map((one) => ({
      key: one.Name,
      id: one.Name,
      name: one.Name,
      fields: { name: one.Name, image: '', state: '', id: '', label: labelsOf(one.Labels), driver: one.Driver },
    }));
  return [...facts.networks.values()].map((one) => ({
    key: one.Id,
    id: one.Id,
    name: one.Name,
    fields: {
      name: one.Name,
      image: '',
      state: '',
      id: one.Id.slice(0, 12),
      label: labelsOf(one.Labels),
      driver: one.Driver,
    },
  }));
}

function compute(facts: Facts, view: View, pane: Pane): Row[] {
  const filter = view.filter[pane];
  const rows = allRows(facts, view, pane).filter((row) => matchesFilter(row.fields, filter));
  const { column, reverse } = view.order[pane];
  const order = ORDERS[pane].find((one) => one.column === column) ?? (ORDERS[pane][0] as Order);
  const keyed = rows.map((row, at) => ({ row, at, key: order.of(facts, row) }));
  const sign = (order.down ? -1 : 1) * (reverse ? -1 : 1);
  // Rows that are equal stay as they were: newest container first, everything else by name.
  const tie = pane === 'containers' ? (a: { at: number }, b: { at: number }) => a.at - b.at : undefined;
  keyed.sort((a, b) => {
    if (a.key !== b.key) return a.key < b.key ? -sign : sign;
    return tie ? tie(a, b) : a.row.name < b.row.name ? -1 : 1;
  });
  return keyed.map((one) => one.row);
}

interface Memory {
  needs: readonly unknown[];
  rows: Row[];
}
const remembered = new Map<Pane, Memory>();

/** The rows of a pane in their order, after the filter. The same question twice is answered from memory. */
export function rowsOf(facts: Facts, view: View, pane: Pane): Row[] {
  const { column, reverse } = view.order[pane];
  const live = column === 'CPU' || column === 'MEM' ? facts.stats : undefined;
  const users = column === 'USED' ? facts.containers : undefined;
  const needs = [facts[pane], view.all, view.filter[pane], column, reverse, live, users];
  const before = remembered.get(pane);
  if (before && needs.every((one, at) => one === before.needs[at])) return before.rows;
  const rows = compute(facts, view, pane);
  remembered.set(pane, { needs, rows });
  return rows;
}

/** Index of the selected row; where it is gone, the row now in its place. -1 in an empty list. */
export function selectedIndex(rows: readonly Row[], view: View, pane: Pane): number {
  const at = rows.findIndex((row) => row.key === view.selected[pane]);
  return at >= 0 ? at : Math.min(view.position[pane], rows.length - 1);
}

export function selectedRow(facts: Facts, view: View, pane: Pane = view.pane): Row | undefined {
  const rows = rowsOf(facts, view, pane);
  return rows[selectedIndex(rows, view, pane)];
}

/** The marked rows that are in sight, or the selected one when none is marked. */
export function chosenRows(facts: Facts, view: View): Row[] {
  const rows = rowsOf(facts, view, view.pane);
  const marked = rows.filter((row) => view.marked.has(row.key));
  if (marked.length > 0) return marked;
  const row = rows[selectedIndex(rows, view, view.pane)];
  return row ? [row] : [];
}

/** First visible row: `top` moved as little as needed so that `index` is in a window of `height` rows. */
export function windowStart(count: number, index: number, height: number, top: number): number {
  const least = Math.max(0, index - height + 1);
  const most = Math.max(0, Math.min(index, count - height));
  return Math.max(least, Math.min(top, most));
}
