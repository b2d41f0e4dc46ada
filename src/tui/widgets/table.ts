/** The lists' table: windowed, each row one preformatted line. */
import { fitCells, windowStart } from '../../store/index.ts';
import type { Line, Segment, Tone } from './line.ts';

export interface Column<T> {
  title: string;
  /** Cells; 0 takes its part of what is left, by `grow`. */
  width: number;
  grow?: number;
  right?: boolean;
  /** The end of the text tells more than its beginning: the beginning is cut. */
  tail?: true;
  /** Narrower tables leave the column out. */
  from?: number;
  cell(row: T): { text: string; tone?: Tone };
}

export interface TableOptions<T extends { key: string }> {
  rows: readonly T[];
  columns: readonly Column<T>[];
  index: number;
  /** First visible row of before. */
  top: number;
  marked: ReadonlySet<string>;
  /** The column that orders the rows, when it is not the list's own. */
  sorted?: { column: string; down: boolean };
  width: number;
  height: number;
  focused: boolean;
}

/** Heading and the visible rows, each of exactly `width` cells. */
export function tableLines<T extends { key: string }>(options: TableOptions<T>): Line[] {
  const { rows, columns, index, top, marked, sorted, width, height, focused } = options;
  const used = columns.filter((column) => width >= (column.from ?? 0));
  const fixed = used.reduce((sum, column) => sum + column.width + 1, 2);
  const shares = used.reduce((sum, column) => sum + (column.grow ?? 0), 0);
  const spare = Math.max(0, width - fixed);
  const sizes = used.map((column) => column.width || Math.floor((spare * (column.grow ?? 0)) / (shares || 1)));
  const titleOf = (column: Column<T>) =>
    column.title === sorted?.column ? `${column.title}${sorted.down ? '▼' : '▲'}` : column.title;
  const heading: Line = [
    { text: '  ' },
    {
      text: used.map((column, at) => `${fitCells(titleOf(column), sizes[at] as number, column.right)} `).join(''),
      tone: 'dim',
    },
  ];
  const start = windowStart(rows.length, index, height - 1, top);
  const lines = rows.slice(start, start + height - 1).map((row, at): Line => {
    const here = start + at === index;
    const mark = marked.has(row.key) ? '✓' : ' ';
    const segments = used.map((column, number): Segment => {
      const { text, tone } = column.cell(row);
      const size = sizes[number] as number;
      const shown = column.tail && text.length > size ? `…${text.slice(text.length - size + 1)}` : text;
      return { text: `${fitCells(shown, size, column.right)} `, tone: tone ?? 'plain' };
    });
    if (!here) return [{ text: ` ${mark}`, tone: 'accent' }, ...segments];
    const text = `${focused ? '▸' : '›'}${mark}${segments.map((one) => one.text).join('')}`;
    return [{ text: fitCells(text, width), tone: focused ? 'selected' : 'faint-selected' }];
  });
  return [heading, ...lines];
}
