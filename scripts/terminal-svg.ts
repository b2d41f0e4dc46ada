/** A terminal's screen as an SVG picture. Pure. */
import type { IBufferCell, Terminal } from '@xterm/headless';

const CELL = { width: 8.4, height: 18 };
const FONT = 14;
const MARGIN = 14;
const BACK = '#16181d';
const FRONT = '#d5d8de';
const NAMED = [
  '#3b4048',
  '#e06c75',
  '#98c379',
  '#e5c07b',
  '#61afef',
  '#c678dd',
  '#56b6c2',
  '#d5d8de',
  '#7f848e',
  '#f0858d',
  '#b1dd92',
  '#f2d399',
  '#84c3f8',
  '#d99bea',
  '#7fd0da',
  '#ffffff',
];

/** Colour number of the 256-colour palette. */
function palette(index: number): string {
  if (index < 16) return NAMED[index] as string;
  if (index >= 232) {
    const grey = (8 + (index - 232) * 10).toString(16).padStart(2, '0');
    return `#${grey}${grey}${grey}`;
  }
  const step = (value: number) => (value === 0 ? 0 : 55 + value * 40).toString(16).padStart(2, '0');
  const at = index - 16;
  return `#${step(Math.floor(at / 36))}${step(Math.floor(at / 6) % 6)}${step(at % 6)}`;
}

const rgb = (value: number) => `#${value.toString(16).padStart(6, '0')}`;
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

interface Look {
  front: string;
  back: string;
  bold: boolean;
  dim: boolean;
  underline: boolean;
}

function lookOf(cell: IBufferCell): Look {
  const front = cell.isFgDefault() ? FRONT : cell.isFgRGB() ? rgb(cell.getFgColor()) : palette(cell.getFgColor());
  const back = cell.isBgDefault() ? BACK : cell.isBgRGB() ? rgb(cell.getBgColor()) : palette(cell.getBgColor());
  const turned = Boolean(cell.isInverse());
  return {
    front: turned ? back : front,
    back: turned ? front : back,
    bold: Boolean(cell.isBold()),
    dim: Boolean(cell.isDim()),
    underline: Boolean(cell.isUnderline()),
  };
}

const number = (value: number) => String(Math.round(value * 10) / 10);

function rowParts(terminal: Terminal, row: number): string {
  const { active } = terminal.buffer;
  const line = active.getLine(active.viewportY + row);
  if (!line) return '';
  let out = '';
  let text = '';
  let start = 0;
  let look: Look | undefined;
  const top = MARGIN + row * CELL.height;
  const put = (end: number) => {
    if (!look) return;
    const x = number(MARGIN + start * CELL.width);
    const width = number((end - start) * CELL.width);
    if (look.back !== BACK)
      out += `<rect x="${x}" y="${number(top)}" width="${width}" height="${CELL.height}" fill="${look.back}"/>`;
    if (text.trim() === '') return;
    const style = `${look.bold ? ' font-weight="bold"' : ''}${look.dim ? ' opacity=".6"' : ''}${look.underline ? ' text-decoration="underline"' : ''}`;
    const fill = look.front === FRONT ? '' : ` fill="${look.front}"`;
    // The length is given, so that any font keeps the columns.
    out += `<text x="${x}" y="${number(top + 13.5)}" textLength="${width}"${fill}${style}>${escaped(text)}</text>`;
  };
  for (let column = 0; column < terminal.cols; column += 1) {
    const cell = line.getCell(column);
    if (!cell || cell.getWidth() === 0) continue;
    const next = lookOf(cell);
    if (!look || JSON.stringify(next) !== JSON.stringify(look)) {
      put(column);
      look = next;
      text = '';
      start = column;
    }
    text += cell.getChars() || ' ';
  }
  put(terminal.cols);
  return out;
}

/** @param title what the picture shows, for those who cannot see it */
export function svgOf(terminal: Terminal, title: string): string {
  const width = Math.ceil(terminal.cols * CELL.width + 2 * MARGIN);
  const height = Math.ceil(terminal.rows * CELL.height + 2 * MARGIN);
  const rows = Array.from({ length: terminal.rows }, (_, row) => rowParts(terminal, row)).filter(Boolean);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" rx="8" fill="${BACK}"/>
<g font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="${FONT}" fill="${FRONT}" xml:space="preserve">
${rows.join('\n')}
</g>
</svg>
`;
}
