/** The visible part of a text: scrolling, following, wrapping and search. Pure. */
import { cells, type DetailState, matchesIn, type TextLine, type View } from '../store/index.ts';
import { cutLine, type Line, type Segment, type Tone, wrapLine } from './widgets/line.ts';

const heightOf = (line: TextLine, width: number, wrap: boolean): number =>
  wrap ? Math.max(1, Math.ceil(cells(line.text) / width)) : 1;

/** First line of the last page, as an index into `lines`. */
export function lastTop(lines: readonly TextLine[], width: number, height: number, wrap: boolean): number {
  let left = height;
  let at = lines.length;
  while (at > 0 && left > 0) {
    left -= heightOf(lines[at - 1] as TextLine, width, wrap);
    if (left >= 0) at -= 1;
  }
  // A line that is higher than the window is shown from its start.
  return at === lines.length ? Math.max(0, at - 1) : at;
}

/** The first visible line as an index into `lines`. */
export function topOf(detail: DetailState, view: View, width: number, height: number, follows: boolean): number {
  const last = lastTop(detail.lines, width, height, view.wrap);
  return follows ? last : Math.max(0, Math.min(view.scroll - detail.dropped, last));
}

/** The line in pieces, each with one style; what is searched for in pieces of its own. */
function segmentsOf(line: TextLine, search: string, tone: Tone, foundTone: Tone): Line {
  const { text, spans = [] } = line;
  const marks: [from: number, to: number][] = [];
  if (search !== '') {
    const lower = text.toLowerCase();
    const wanted = search.toLowerCase();
    for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + wanted.length))
      marks.push([at, at + wanted.length]);
  }
  if (spans.length === 0 && marks.length === 0) return [{ text, tone }];
  const edges = [0, text.length, ...marks.flat(), ...spans.flatMap((span) => [span.from, span.to])];
  const cuts = [...new Set(edges)].sort((a, b) => a - b);
  const out: Segment[] = [];
  for (let at = 0; at + 1 < cuts.length; at++) {
    const from = cuts[at] as number;
    const style = spans.find((span) => span.from <= from && from < span.to)?.style;
    const marked = marks.some(([start, end]) => start <= from && from < end);
    out.push({
      text: text.slice(from, cuts[at + 1]),
      tone: marked ? foundTone : style ? 'plain' : tone,
      ...(style ? { style } : {}),
    });
  }
  return out;
}

const JSON_LINE = /^(\s*)("(?:[^"\\]|\\.)*": )?(.*)$/;

/** A line of indented JSON: names apart from values. */
export function jsonLine(text: string): Line {
  const [, indent = '', name = '', value = ''] = JSON_LINE.exec(text) ?? [];
  const tone: Tone = value.startsWith('"') ? 'good' : /^[\d\-tfn]/.test(value) ? 'warn' : 'plain';
  return [{ text: indent }, { text: name, tone: 'accent' }, { text: value, tone }];
}

export interface TextViewOptions {
  detail: DetailState;
  view: View;
  width: number;
  height: number;
  follows: boolean;
  tone: (text: string) => Tone;
  json: boolean;
}

export function textViewLines({ detail, view, width, height, follows, tone, json }: TextViewOptions): Line[] {
  const { lines, dropped } = detail;
  const top = topOf(detail, view, width, height, follows);
  const out: Line[] = [];
  for (let at = top; at < lines.length && (out.length < height || follows); at++) {
    const line = lines[at] as TextLine;
    const here = at + dropped === view.match;
    const coloured =
      json && (view.search === '' || !line.text.toLowerCase().includes(view.search.toLowerCase()))
        ? jsonLine(line.text)
        : segmentsOf(line, view.search, tone(line.text), here ? 'found-here' : 'found');
    if (view.wrap) out.push(...wrapLine(coloured, width));
    else out.push(cutLine(coloured, view.across, width));
  }
  // While following, a last line that is too high shows its end.
  return follows ? out.slice(-height) : out.slice(0, height);
}

/** What the foot of the frame says about the search; empty without one. */
export function searchNote(detail: DetailState, view: View): string {
  if (view.search === '') return '';
  const found = matchesIn(detail.lines, view.search);
  if (found.length === 0) return `no ${view.search}`;
  const at = found.indexOf(view.match - detail.dropped);
  return `${at >= 0 ? `${at + 1} of ` : ''}${found.length} lines with ${view.search}`;
}
