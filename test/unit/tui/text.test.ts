/** Text from outside: what a log may hold must never break a frame, and a width that is wrong by one cell shifts the whole screen. */
import { describe, expect, it } from 'vitest';
import { cells, cleanLine, fitCells, sliceCells, wrapCells } from '../../../src/store/index.ts';

describe('log text', () => {
  it.each([
    ['a\tb', 'a       b'],
    ['日\tb', '日      b'],
    ['10%\r20%\r30%', '30%'],
    ['line\r', 'line'],
    ['\u001b[31mred\u001b[0m \u001b]0;title\u0007x', 'red x'],
    ['bell\u0007 \u0000nul\u202e', 'bell nul'],
    ['\u001b[2J\u001b[5;5Hx', 'x'],
    ['\u009b31mx', '31mx'],
  ])('%j is drawn as %j', (raw, clean) => expect(cleanLine(raw)).toBe(clean));

  it('a line of 90,000 characters is cut', () => expect(cleanLine('x'.repeat(90_000)).length).toBeLessThan(5000));
});

describe('cells', () => {
  it.each([
    ['abc', 3],
    ['日本語', 6],
    ['e\u0301', 1],
    ['🐳', 2],
    ['한국', 4],
  ])('%s takes %i', (text, width) => expect(cells(text)).toBe(width));

  it('fits, cuts and wraps to whole cells', () => {
    expect([fitCells('abc', 5), fitCells('abcdef', 4), fitCells('x', 0), fitCells('7', 3, true)]).toEqual([
      'abc  ',
      'abc…',
      '',
      '  7',
    ]);
    expect(sliceCells('日本語', 1, 3)).toBe(' 本');
    expect(wrapCells('日本語x', 4)).toEqual(['日本', '語x']);
    for (const text of ['日本語', 'a日b本c', '🐳🐳', 'plain'])
      for (let width = 1; width < 9; width += 1) expect(cells(fitCells(text, width))).toBe(width);
  });
});
