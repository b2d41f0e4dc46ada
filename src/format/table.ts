/** Columns aligned as Go's text/tabwriter does it with Docker's settings (minimum width 10, padding 3, blanks). */
const MIN_WIDTH = 10;
const PADDING = 3;

/** Cells a string takes on a terminal: wide characters two, combining marks none. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if ((code >= 0x300 && code <= 0x36f) || (code >= 0x200b && code <= 0x200f) || (code >= 0xfe00 && code <= 0xfe0f))
      continue;
    width += isWide(code) ? 2 : 1;
  }
  return width;
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}

/**
 * Aligns tab-separated text. A column is a run of neighbouring lines that have a tab-terminated cell there, as in
 * tabwriter; the last cell of a line is never padded.
 */
export function alignColumns(text: string): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const out: string[] = lines.map(() => '');
  align(lines, out, 0, lines.length, 0);
  return out.join('\n');
}

function align(lines: string[][], out: string[], from: number, to: number, column: number): void {
  for (let line = from; line < to; line++) {
    const cells = lines[line] as string[];
    if (cells.length <= column) continue;
    if (cells.length === column + 1) {
      out[line] = `${out[line] ?? ''}${cells[column]}`;
      continue;
    }
    let end = line;
    let width = MIN_WIDTH;
    while (end < to && (lines[end] ?? []).length > column + 1) {
      width = Math.max(width, displayWidth((lines[end] as string[])[column] as string) + PADDING);
      end++;
    }
    for (let at = line; at < end; at++) {
      const cell = (lines[at] as string[])[column] as string;
      out[at] = `${out[at] ?? ''}${cell}${' '.repeat(width - displayWidth(cell))}`;
    }
    align(lines, out, line, end, column + 1);
    line = end - 1;
  }
}

/** The process table of `top`: minimum width 20, padding 3, as Docker prints it. */
export function alignTop(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 20, displayWidth(cell) + PADDING);
    });
  }
  const pad = (cell: string, index: number, last: boolean) =>
    last ? cell : cell + ' '.repeat((widths[index] as number) - displayWidth(cell));
  return rows
    .map((row) => `${row.map((cell, index) => pad(cell, index, index === row.length - 1)).join('')}\n`)
    .join('');
}
