import { describe, expect, it } from 'vitest';
import { ellipsis, goQuote, indentJson } from '../../../src/format/json-text.ts';
import { alignColumns, displayWidth } from '../../../src/format/table.ts';

describe('columns', () => {
  it('are at least ten wide with three blanks between, and the last is not padded', () => {
    expect(alignColumns('A\tLONGER THAN TEN\tC\n1\t2\t3\n')).toBe(
      'A         LONGER THAN TEN   C\n1         2                 3\n',
    );
  });
  it('are aligned per block of neighbouring lines', () => {
    expect(alignColumns('aaaaaaaaaaaa\tb\nplain\nc\td')).toBe('aaaaaaaaaaaa   b\nplain\nc         d');
  });
  it('count wide characters as two cells', () => {
    expect(displayWidth('日本e\u0301')).toBe(5);
    expect(alignColumns('日本語日本語\tx\nab\ty')).toBe('日本語日本語   x\nab             y');
  });
});

describe('JSON text', () => {
  it('keeps key order, large numbers and strings with brackets', () => {
    const text = '{"b":9007199254740993,"a":{},"c":[],"d":["x{\\"}",1]}';
    expect(indentJson(text)).toBe(
      '{\n    "b": 9007199254740993,\n    "a": {},\n    "c": [],\n    "d": [\n        "x{\\"}",\n        1\n    ]\n}',
    );
  });
  it('is what JSON.stringify makes of the same value', () => {
    const value = { a: [1, { b: null, c: [[], {}] }], d: 'e\n"', f: -1.5e-7, g: true };
    expect(indentJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 4));
  });
  it('quotes and cuts as Go does', () => {
    expect(goQuote('a "b" \\ \n\u0001ö')).toBe('"a \\"b\\" \\\\ \\n\\x01ö"');
    expect(ellipsis('abcdefghij', 5)).toBe('abcd…');
    expect(ellipsis('abc', 5)).toBe('abc');
  });
});
