/** The lists: order, filter and the window around the selection. */
import { describe, expect, it } from 'vitest';
import type { ContainerSummary } from '../../../src/api/index.ts';
import { type Facts, initialView, matches, NO_FACTS, rowsOf, windowStart } from '../../../src/store/index.ts';
import { ACTIONS, actionFor } from '../../../src/tui/keys/actions.ts';

const container = (name: string, State: ContainerSummary['State'], Created: number) =>
  ({ Id: name.padEnd(64, '0'), Names: [`/${name}`], Image: 'busybox', State, Status: '', Created, since: 0 }) as never;

describe('rows of the dashboard', () => {
  it('running first, then newest; the filter takes letters in their order', () => {
    const facts: Facts = {
      ...NO_FACTS,
      containers: new Map(
        (['old running 1', 'gone exited 9', 'new running 5'] as const).map((text) => {
          const [name = '', state, created] = text.split(' ');
          return [name, container(name, state as never, Number(created))];
        }),
      ),
    };
    const names = (filter: string) =>
      rowsOf(facts, { ...initialView(), filter: { ...initialView().filter, containers: filter } }, 'containers').map(
        (row) => row.name,
      );
    expect(names('')).toEqual(['new', 'old', 'gone']);
    expect(names('GON')).toEqual(['gone']);
    expect(names('!exited')).toEqual(['new', 'old']);
  });

  it('fuzzy and inverse words', () => {
    expect(matches('nginx:1.27', 'ngx')).toBe(true);
    expect(matches('nginx:1.27', 'xgn')).toBe(false);
    expect(matches('nginx:1.27', 'ng !1.26')).toBe(true);
  });

  it('a window always holds the selected row', () => {
    for (let count = 0; count < 30; count += 1)
      for (let selected = 0; selected < count; selected += 1) {
        const from = windowStart(count, selected, 7);
        expect(selected >= from && selected < from + 7 && from + Math.min(count, 7) <= count).toBe(true);
      }
  });
});

describe('the action table', () => {
  it('has no key twice in one place, and asks before whatever cannot be taken back', () => {
    for (const place of ['global', 'list', 'containers', 'images', 'volumes', 'networks', 'detail'] as const) {
      const keys = ACTIONS.filter((action) => action.where.includes(place)).flatMap((action) => action.keys);
      expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
    }
    expect(actionFor('d', 'volumes', 'list')?.danger).toBe(true);
    expect(actionFor('s', 'images', 'list')).toBeUndefined();
  });
});
