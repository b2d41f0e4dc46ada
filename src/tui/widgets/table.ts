/** The lists' table: windowed, each row one preformatted line. */
import { fitCells, windowStart } from '../../store/index.ts';
import type { Line, Segment, Tone } from './line.ts';

export interface Column<T> {
  title: string;
  /** Cells; 0 takes its part of what is left, by `grow`. */
  width: number;
  grow?: number;
  right?: boolean;
  /** Narrower tables leave the column out. */
  from?: number;
  cell(row: T): { text: string; tone?: Tone };
}

export interface TableOptions<T> {
  rows: readonly T[];
  columns: readonly Column<T>[];
  index: number;
  width: number;
  height: number;
  focused: boolean;
}

/** Heading and the visible rows, each of exactly `width` cells. */
export function tableLines<T>({ rows, columns, index, width, height, focused }: TableOptions<T>): Line[] {
  const used = columns.filter((column) => width >= (column.from ?? 0));
  const fixed = used.reduce((sum, column) => sum + column.width + 1, 2);
  const shares = used.reduce((sum, column) => sum + (column.grow ?? 0), 0);
  const spare = Math.max(0, width - fixed);
  const sizes = used.map((column) => column.width || Math.floor((spare * (column.grow ?? 0)) / (shares || 1)));
  const heading: Line = [
    { text: '  ' },
    {
      text: used.map((column, at) => `${fitCells(column.title, sizes[at] as number, column.right)} `).join(''),
      tone: 'dim',
    },
  ];
  const start = windowStart(rows.length, index, height - 1);
  const lines = rows.slice(start, start + height - 1).map((row, at): Line => {
    const here = start + at === index;
    const segments = used.map((column, number): Segment => {
      const { text, tone } = column.cell(row);
      return { text: `${fitCells(text, sizes[number] as number, column.right)} `, tone: tone ?? 'plain' };
    });
    if (!here) return [{ text: '  ' }, ...segments];
    const text = `${focused ? '▸' : '›'} ${segments.map((one) => one.text).join('')}`;
    return [{ text: fitCells(text, width), tone: focused ? 'selected' : 'faint-selected' }];
  });
  return [heading, ...lines];
}
