/** A line of output as it may be drawn: text without control characters, and the colours its SGR sequences asked for. Pure. */
import { cells } from './cells.ts';

export interface Style {
  /** SGR parameters of the colour: `31`, `38;5;208`, `38;2;255;136;0`. */
  fg?: string;
  bg?: string;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
  inverse?: boolean;
}

/** `style` holds for the characters of `text` from `from` up to `to`. */
export interface Span {
  from: number;
  to: number;
  style: Style;
}

export interface TextLine {
  text: string;
  /** In order, without overlap; absent where nothing is styled. */
  spans?: readonly Span[];
}

// CSI and its 8-bit form, then OSC, the other strings, and two-character escapes.
const ESCAPE =
  /(?:\x1b\[|\x9b)([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[PX^_][^\x1b]*(?:\x1b\\)?|\x1b[ -/]*[0-~]/g;
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** Joiners, variation selectors, skin tones, keycaps: terminals disagree about the width of what they make, so each sign stands alone. */
const JOINING = /[\u200b-\u200d\u2060]|\u20e3|[\ufe00-\ufe0f]|[\u{1f3fb}-\u{1f3ff}]|[\u{e0000}-\u{e0fff}]/gu;
/** Longer lines are cut: one of them would cost more than a screen is worth. */
const LINE_LIMIT = 4096;
const TAB = 8;
/** The colour of `38;5;n` and `38;2;r;g;b`; takes its parts from `rest`. Undefined where it is none. */
function extended(code: number, rest: number[]): string | undefined {
  const kind = rest.shift();
  const parts = rest.splice(0, kind === 5 ? 1 : kind === 2 ? 3 : 0);
  const count = kind === 5 ? 1 : 3;
  const right = parts.length === count && parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255);
  return right ? [code, kind, ...parts].join(';') : undefined;
}

/** A copy without what the sequence switches off, so that an empty style is an empty object. */
function without(style: Style, ...keys: (keyof Style)[]): Style {
  const next = { ...style };
  for (const key of keys) delete next[key];
  return next;
}

function withColour(style: Style, key: 'fg' | 'bg', colour: string | undefined): Style {
  return colour === undefined ? style : { ...style, [key]: colour };
}

/** The style after one SGR sequence. */
function applySgr(before: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map(Number);
  let style = before;
  while (codes.length > 0) {
    const code = codes.shift() as number;
    if (code === 0) style = {};
    else if (code === 1) style = { ...style, bold: true };
    else if (code === 2) style = { ...style, dim: true };
    else if (code === 3) style = { ...style, italic: true };
    else if (code === 4) style = { ...style, underline: true };
    else if (code === 7) style = { ...style, inverse: true };
    else if (code === 22) style = without(style, 'bold', 'dim');
    else if (code === 23) style = without(style, 'italic');
    else if (code === 24) style = without(style, 'underline');
    else if (code === 27) style = without(style, 'inverse');
    else if (code === 38) style = withColour(style, 'fg', extended(38, codes));
    else if (code === 48) style = withColour(style, 'bg', extended(48, codes));
    else if (code === 39) style = without(style, 'fg');
    else if (code === 49) style = without(style, 'bg');
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) style = { ...style, fg: String(code) };
    else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) style = { ...style, bg: String(code) };
  }
  return style;
}

function expandTabs(piece: string, column: number): string {
  if (!piece.includes('\t')) return piece;
  let out = '';
  for (const part of piece.split(/(\t)/)) out += part === '\t' ? ' '.repeat(TAB - ((column + cells(out)) % TAB)) : part;
  return out;
}

/**
 * One line of a log: the last rewrite of a line with \r, tabs as spaces, colours kept, every other escape, control and
 * bidi character dropped. A style ends with its line.
 */
export function styledLine(raw: string): TextLine {
  if (raw.length <= LINE_LIMIT && /^[\x20-\x7e]*$/.test(raw)) return { text: raw };
  const ended = raw.replace(/\r+$/, '');
  const line = ended.slice(ended.lastIndexOf('\r') + 1);
  const spans: Span[] = [];
  let text = '';
  let style: Style = {};
  let at = 0;
  const take = (piece: string) => {
    const room = LINE_LIMIT - text.length;
    if (room <= 0 || piece === '') return;
    const clean = expandTabs(
      piece.slice(0, room).replace(UNSAFE, '').replace(JOINING, ''),
      piece.includes('\t') ? cells(text) : 0,
    );
    if (clean !== '' && Object.keys(style).length > 0)
      spans.push({ from: text.length, to: text.length + clean.length, style });
    text += clean;
    if (piece.length > room) text += '…';
  };
  for (const match of line.matchAll(ESCAPE)) {
    take(line.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] === 'm' && /^[\d;:]*$/.test(match[1] ?? '')) style = applySgr(style, match[1] ?? '');
  }
  take(line.slice(at));
  return spans.length > 0 ? { text, spans } : { text };
}

/** The same without colours, for words of the engine and of errors. */
export const cleanLine = (raw: string): string => styledLine(raw).text;
