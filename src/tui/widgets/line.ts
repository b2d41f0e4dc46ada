import { cells, fitCells, type Style, sliceCells } from '../../store/index.ts';

export type Tone =
  | 'plain'
  | 'dim'
  | 'good'
  | 'bad'
  | 'warn'
  | 'accent'
  | 'title'
  | 'selected'
  | 'faint-selected'
  | 'found'
  | 'found-here';
export interface Segment {
  text: string;
  tone?: Tone;
  /** What the text itself asked for; the tone wins where both speak. */
  style?: Style;
}
/** One row of the screen. */
export type Line = readonly Segment[];

export const lineText = (line: Line): string => line.map((one) => one.text).join('');
export const lineCells = (line: Line): number => line.reduce((sum, one) => sum + cells(one.text), 0);

/** The part of a line from cell `from`, at most `width` cells. */
export function cutLine(line: Line, from: number, width: number): Line {
  const out: Segment[] = [];
  let at = 0;
  for (const segment of line) {
    const size = cells(segment.text);
    const start = Math.max(0, from - at);
    const room = from + width - at;
    if (room <= 0) break;
    if (start < size) {
      const whole = start === 0 && size <= room;
      out.push(whole ? segment : { ...segment, text: sliceCells(segment.text, start, room - start) });
    }
    at += size;
  }
  return out;
}

/** A line of exactly `width` cells. */
export function fitLine(line: Line, width: number): Line {
  const cut = cutLine(line, 0, width);
  const left = width - lineCells(cut);
  return left > 0 ? [...cut, { text: ' '.repeat(left) }] : cut;
}

/** A line as several of at most `width` cells; an empty one stays one. */
export function wrapLine(line: Line, width: number): Line[] {
  const size = lineCells(line);
  if (size <= width) return [line];
  return Array.from({ length: Math.ceil(size / width) }, (_, at) => cutLine(line, at * width, width));
}

/** A frame with a title in its upper edge; `lines` are cut or filled to the inner size. */
export function panel(
  title: Line,
  lines: readonly Line[],
  width: number,
  height: number,
  focused: boolean,
  foot = '',
): Line[] {
  const edge: Tone = focused ? 'accent' : 'dim';
  const inner = width - 2;
  const [lt, rt, lb, rb, h, v] = focused ? ['┏', '┓', '┗', '┛', '━', '┃'] : ['╭', '╮', '╰', '╯', '─', '│'];
  const head = fitLine([{ text: ' ' }, ...title, { text: ' ' }], Math.min(inner - 1, lineCells(title) + 2));
  const rest = inner - 1 - lineCells(head);
  const out: Line[] = [
    [
      { text: `${lt}${h}`, tone: edge },
      ...head,
      { text: `${(h as string).repeat(Math.max(0, rest))}${rt}`, tone: edge },
    ],
  ];
  for (let at = 0; at < height - 2; at++)
    out.push([
      { text: v as string, tone: edge },
      ...fitLine(lines[at] ?? [], inner),
      { text: v as string, tone: edge },
    ]);
  const note = foot === '' ? '' : fitCells(` ${foot} `, Math.min(inner - 1, cells(foot) + 2));
  out.push([
    { text: `${lb}${(h as string).repeat(Math.max(0, inner - cells(note) - 1))}`, tone: edge },
    { text: note, tone: 'dim' },
    { text: `${h}${rb}`, tone: edge },
  ]);
  return out;
}

/** Two blocks of lines side by side. */
export const beside = (left: readonly Line[], right: readonly Line[]): Line[] =>
  Array.from({ length: Math.max(left.length, right.length) }, (_, at) => [...(left[at] ?? []), ...(right[at] ?? [])]);
