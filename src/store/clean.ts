/** Text from outside made safe to draw, and its width in terminal cells. Pure. */

const SGR_OR_ESCAPE =
  /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])/g;
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** Longer lines are cut: one of them would cost more than a screen is worth. */
const LINE_LIMIT = 4096;
const TAB = 8;

const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23ec],
  [0x2614, 0x2615],
  [0x2648, 0x2653],
  [0x26a1, 0x26a1],
  [0x26bd, 0x26be],
  [0x2705, 0x2705],
  [0x274c, 0x274c],
  [0x2753, 0x2755],
  [0x2795, 0x2797],
  [0x2b50, 0x2b50],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f004, 0x1f004],
  [0x1f0cf, 0x1f0cf],
  [0x1f18e, 0x1f19a],
  [0x1f200, 0x1f320],
  [0x1f32d, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f7e0, 0x1f7eb],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
];
const NONE = /\p{Mn}|\p{Me}|\p{Cf}/u;

function pointWidth(point: number): number {
  if (point < 0x300) return 1;
  if (NONE.test(String.fromCodePoint(point))) return 0;
  for (const [low, high] of WIDE) if (point >= low && point <= high) return 2;
  return 1;
}

/** Cells that `text` takes; it holds no control characters. */
export function cells(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += pointWidth(char.codePointAt(0) ?? 0);
  return width;
}

/** The part of `text` from cell `from`, at most `width` cells; a wide character that is cut becomes a space. */
export function sliceCells(text: string, from: number, width: number): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text.slice(from, from + width);
  let at = 0;
  let out = '';
  for (const char of text) {
    const size = pointWidth(char.codePointAt(0) ?? 0);
    if (at >= from + width) break;
    if (at >= from && at + size <= from + width) out += char;
    else if (at + size > from && size === 2) out += ' ';
    at += size;
  }
  return out;
}

/** Exactly `width` cells: cut with an ellipsis, or padded (on the left where `right`). */
export function fitCells(text: string, width: number, right = false): string {
  if (width <= 0) return '';
  const size = cells(text);
  if (size === width) return text;
  if (size > width) {
    const cut = `${sliceCells(text, 0, width - 1)}…`;
    return cut + ' '.repeat(Math.max(0, width - cells(cut)));
  }
  const space = ' '.repeat(width - size);
  return right ? space + text : text + space;
}

/** One line of a log as plain text: the last rewrite of a line with \r, tabs as spaces, no escapes, control or bidi characters. */
export function cleanLine(line: string): string {
  let text = line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT)}…` : line;
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  text = text.replace(/\r+$/, '');
  const rewrite = text.lastIndexOf('\r');
  if (rewrite >= 0) text = text.slice(rewrite + 1);
  text = text.replace(SGR_OR_ESCAPE, '').replace(UNSAFE, '');
  if (!text.includes('\t')) return text;
  let out = '';
  for (const piece of text.split(/(\t)/)) out += piece === '\t' ? ' '.repeat(TAB - (cells(out) % TAB)) : piece;
  return out;
}

/** `text` cut into lines of at most `width` cells; an empty text is one line. */
export function wrapCells(text: string, width: number): string[] {
  const size = cells(text);
  if (size <= width) return [text];
  const lines: string[] = [];
  for (let at = 0; at < size; at += width) lines.push(sliceCells(text, at, width));
  return lines;
}
