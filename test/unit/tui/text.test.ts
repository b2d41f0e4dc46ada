/** Text from outside: what a log may hold must never break a frame, and a width that is wrong by one cell shifts the whole screen. */
import { describe, expect, it } from 'vitest';
import { cells, cleanLine, fitCells, sliceCells, styledLine, wrapCells } from '../../../src/store/index.ts';

describe('log text', () => {
  it.each([
    ['a\tb', 'a       b'],
    ['日\tb', '日      b'],
    ['10%\r20%\r30%', '30%'],
    ['line\r', 'line'],
    ['\u001b[31mred\u001b[0m \u001b]0;title\u0007x', 'red x'],
    ['bell\u0007 \u0000nul\u202e', 'bell nul'],
    ['\u001b[2J\u001b[5;5Hx', 'x'],
    ['\u009b31mx', 'x'],
    ['x\u001b[31', 'x31'],
    ['👩‍🔬 ❤️ 👍🏽', '👩🔬 ❤ 👍'],
  ])('%j is drawn as %j', (raw, clean) => expect(cleanLine(raw)).toBe(clean));

  it('a line of 90,000 characters is cut', () => {
    expect(cleanLine('x'.repeat(90_000))).toHaveLength(4097);
    expect(cleanLine(`\u001b[31m${'x'.repeat(90_000)}`).endsWith('…')).toBe(true);
  });

  it('colours are kept as spans of the clean text', () => {
    expect(styledLine('a \u001b[1;31mred\u001b[0m \u001b[38;5;208;48;2;1;2;3mx\u001b[39my\u001b[mz')).toEqual({
      text: 'a red xyz',
      spans: [
        { from: 2, to: 5, style: { bold: true, fg: '31' } },
        { from: 6, to: 7, style: { fg: '38;5;208', bg: '48;2;1;2;3' } },
        { from: 7, to: 8, style: { bg: '48;2;1;2;3' } },
      ],
    });
    expect(styledLine('\u001b[97mx').spans?.[0]?.style).toEqual({ fg: '97' });
    expect(styledLine('\u001b[4;7mx\u001b[24;27my').spans).toHaveLength(1);
    expect(styledLine('plain')).toEqual({ text: 'plain' });
  });

  it('nothing that comes out of any bytes can move the cursor', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed % below;
    };
    for (let round = 0; round < 2000; round += 1) {
      const raw = Array.from({ length: random(40) }, () =>
        String.fromCodePoint(random(4) ? random(0x120) : random(0x20000)),
      );
      const { text, spans = [] } = styledLine(raw.join('').replace(/\n/g, ''));
      expect(text).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/);
      for (const span of spans) expect(span.from < span.to && span.to <= text.length).toBe(true);
    }
  });
});

describe('cells', () => {
  it.each([
    ['abc', 3],
    ['日本語', 6],
    ['e\u0301', 1],
    ['🐳', 2],
    ['한국', 4],
    ['é ñ', 3],
    ['█▏…', 3],
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
