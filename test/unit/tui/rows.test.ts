/** The lists: order, filter and the window around the selection. */
import { describe, expect, it } from 'vitest';
import type { ContainerSummary } from '../../../src/api/index.ts';
import { type Facts, initialView, matchesFilter, NO_FACTS, rowsOf, windowStart } from '../../../src/store/index.ts';
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
          return [name.padEnd(64, '0'), container(name, state as never, Number(created))];
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

  it.each([
    ['web', true],
    ['wb1', true],
    ['xgn', false],
    ['web !running', false],
    ['web !exited', true],
    ['state:run', true],
    ['image:web', false],
    ['label:tier=front', true],
    ['tier=front', false],
    ['!label:tier', false],
    ['exited', false],
  ])('the filter %s', (filter, expected) => {
    const fields = { name: 'web-1', image: 'nginx', state: 'running', id: 'abc', label: 'tier=front', driver: '' };
    expect(matchesFilter(fields, filter)).toBe(expected);
  });

  it('a window always holds the selected row, and moves no more than it must', () => {
    for (let count = 0; count < 30; count += 1)
      for (let selected = 0; selected < count; selected += 1)
        for (const top of [0, 5, 40]) {
          const from = windowStart(count, selected, 7, top);
          expect(selected >= from && selected < from + 7 && from >= 0).toBe(true);
          if (count > 7) expect(from + 7 <= count || from === selected).toBe(true);
        }
    expect(windowStart(30, 10, 7, 8)).toBe(8);
    expect(windowStart(30, 15, 7, 8)).toBe(9);
    expect(windowStart(30, 3, 7, 8)).toBe(3);
  });
});

describe('the action table', () => {
  it('has no key twice in one place, and asks before whatever cannot be taken back', () => {
    for (const place of ['global', 'list', 'containers', 'images', 'volumes', 'networks', 'detail'] as const) {
      const keys = ACTIONS.filter((action) => action.where.includes(place)).flatMap((action) => action.keys);
      expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
    }
    expect(actionFor('d', { ...initialView(), pane: 'volumes' })?.danger).toBe(true);
    expect(actionFor('s', { ...initialView(), pane: 'images' })).toBeUndefined();
  });
});
