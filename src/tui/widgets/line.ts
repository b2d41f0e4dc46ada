import { cells, fitCells, sliceCells } from '../../store/index.ts';

export type Tone = 'plain' | 'dim' | 'good' | 'bad' | 'warn' | 'accent' | 'title' | 'selected' | 'faint-selected';
export interface Segment {
  text: string;
  tone?: Tone;
}
/** One row of the screen. */
export type Line = readonly Segment[];

export const lineText = (line: Line): string => line.map((one) => one.text).join('');

/** A line of exactly `width` cells. */
export function fitLine(line: Line, width: number): Line {
  let left = width;
  const out: Segment[] = [];
  for (const segment of line) {
    if (left <= 0) break;
    const size = cells(segment.text);
    out.push(size <= left ? segment : { ...segment, text: sliceCells(segment.text, 0, left) });
    left -= Math.min(size, left);
  }
  if (left > 0) out.push({ text: ' '.repeat(left) });
  return out;
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
  const head = fitLine([{ text: ' ' }, ...title, { text: ' ' }], Math.min(inner - 1, cells(lineText(title)) + 2));
  const rest = inner - 1 - cells(lineText(head));
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
