/** Rows of the lists out of facts and view. Pure. */
import type { ContainerFact, Facts } from './facts.ts';
import type { Pane, View } from './view.ts';

export interface Row {
  id: string;
  name: string;
  /** What the filter looks at. */
  haystack: string;
}

const STATES = ['running', 'paused', 'restarting', 'created', 'removing', 'exited', 'dead'];

export const nameOf = (container: ContainerFact): string =>
  (container.Names[0] ?? container.Id.slice(0, 12)).replace(/^\//, '');

/** True when the letters of `query` occur in `text` in this order; `!query` turns it round, several words must all match. */
export function matches(text: string, query: string): boolean {
  const lower = text.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => {
      const inverse = word.startsWith('!');
      const wanted = inverse ? word.slice(1) : word;
      if (inverse) return wanted === '' || !lower.includes(wanted);
      let at = 0;
      for (const letter of wanted) {
        at = lower.indexOf(letter, at) + 1;
        if (at === 0) return false;
      }
      return true;
    });
}

function allRows(facts: Facts, view: View, pane: Pane): Row[] {
  if (pane === 'containers') {
    return [...facts.containers.values()]
      .filter((one) => view.all || one.State === 'running' || one.State === 'paused' || one.State === 'restarting')
      .sort(
        (a, b) =>
          STATES.indexOf(a.State) - STATES.indexOf(b.State) ||
          b.Created - a.Created ||
          (nameOf(a) < nameOf(b) ? -1 : 1),
      )
      .map((one) => ({
        id: one.Id,
        name: nameOf(one),
        haystack: `${nameOf(one)} ${one.Image} ${one.State} ${one.Id.slice(0, 12)}`,
      }));
  }
  if (pane === 'images') {
    return [...facts.images.values()]
      .map((one) => {
        const name = one.RepoTags?.[0] ?? one.RepoDigests?.[0]?.replace(/@.*/, '@<none>') ?? '<none>:<none>';
        return { id: one.Id, name, haystack: `${(one.RepoTags ?? []).join(' ')} ${name} ${one.Id.slice(7, 19)}` };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  if (pane === 'volumes')
    return [...facts.volumes.values()]
      .map((one) => ({ id: one.Name, name: one.Name, haystack: `${one.Name} ${one.Driver}` }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...facts.networks.values()]
    .map((one) => ({ id: one.Id, name: one.Name, haystack: `${one.Name} ${one.Driver}` }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The rows of a pane in their order, after the filter. */
export function rowsOf(facts: Facts, view: View, pane: Pane): Row[] {
  const rows = allRows(facts, view, pane);
  const filter = view.filter[pane];
  return filter === '' ? rows : rows.filter((row) => matches(row.haystack, filter));
}

/** Index of the selected row; where it is gone, the row now in its place. -1 in an empty list. */
export function selectedIndex(rows: readonly Row[], view: View, pane: Pane): number {
  const at = rows.findIndex((row) => row.id === view.selected[pane]);
  return at >= 0 ? at : Math.min(view.position[pane], rows.length - 1);
}

export function selectedRow(facts: Facts, view: View, pane: Pane = view.pane): Row | undefined {
  const rows = rowsOf(facts, view, pane);
  return rows[selectedIndex(rows, view, pane)];
}

/** First visible row so that `index` is on a window of `height` rows, moved as little as a stateless view can. */
export function windowStart(count: number, index: number, height: number): number {
  if (count <= height) return 0;
  return Math.max(0, Math.min(index - Math.floor(height / 2), count - height));
}
