import { describe, expect, it } from 'vitest';
import type { ContainerSummary } from '../../../src/api/index.ts';
import { createFacts } from '../../../src/store/facts.ts';
import { ACTIONS, actionFor, keyTable } from '../../../src/tui/actions.ts';
import { bytes, rowsOf, windowOf } from '../../../src/tui/rows.ts';
import { cleanLine, fitWidth } from '../../../src/tui/text.ts';

const container = (name: string, State: ContainerSummary['State'], Created: number): ContainerSummary =>
  ({
    Id: name.padEnd(64, '0'),
    Names: [`/${name}`],
    Image: 'busybox',
    State,
    Status: `${State} 1 minute`,
    Created,
    Ports: [],
  }) as unknown as ContainerSummary;

describe('rows of the dashboard', () => {
  it('running first, then newest; glyph and word tell the state; every line is as wide as asked', () => {
    const facts = createFacts('unix:///x');
    for (const c of [container('old', 'running', 1), container('gone', 'exited', 9), container('new', 'running', 5)])
      facts.setState({ containers: new Map(facts.getState().containers).set(c.Id, c) });
    const rows = rowsOf(facts.getState(), 'containers', '', 78);
    expect(rows.map((row) => row.name)).toEqual(['new', 'old', 'gone']);
    expect(rows.map((row) => row.line[0])).toEqual(['●', '●', '○']);
    expect(rows.every((row) => row.line.length === 78)).toBe(true);
    expect(rowsOf(facts.getState(), 'containers', 'GON', 78).map((row) => row.name)).toEqual(['gone']);
  });

  it('a window always holds the selected row', () => {
    for (let count = 0; count < 30; count += 1)
      for (let selected = 0; selected < count; selected += 1) {
        const { from, to } = windowOf(count, selected, 7);
        expect(selected >= from && selected < to && to - from === Math.min(count, 7)).toBe(true);
      }
  });

  it('says sizes as docker does', () => {
    expect([bytes(0), bytes(999), bytes(1_980_000), bytes(2_500_000_000)]).toEqual(['0B', '999B', '1.98MB', '2.50GB']);
  });
});

describe('log text', () => {
  it.each([
    ['a\tb', 'a    b'],
    ['10%\r20%\r30%', '30%'],
    ['line\r', 'line'],
    ['\u001b[31mred\u001b[0m \u001b]0;title\u0007x', 'red x'],
    ['bell\u0007 \u0000nul\u202e', 'bell nul'],
  ])('%j is drawn as %j', (raw, clean) => expect(cleanLine(raw)).toBe(clean));

  it('fits a cell', () =>
    expect([fitWidth('abc', 5), fitWidth('abcdef', 4), fitWidth('x', 0)]).toEqual(['abc  ', 'abc…', '']));
});

describe('the action table', () => {
  it('has no key twice in one pane, and asks before whatever cannot be taken back', () => {
    for (const pane of ['containers', 'images', 'volumes'] as const) {
      const keys = ACTIONS.filter((action) => action.where.includes(pane)).flatMap((action) => action.keys);
      expect(new Set(keys).size).toBe(keys.length);
    }
    expect(actionFor('d', 'volumes')?.danger).toBe(true);
    expect(actionFor('s', 'images')).toBeUndefined();
    expect(keyTable()).toContain('| d | remove (asks first): containers, images, volumes |');
  });
});
