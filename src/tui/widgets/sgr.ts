/** A line as text with SGR sequences. Pure. One preformatted string a row costs Ink a fraction of a tree of styled pieces. */
import type { Style } from '../../store/index.ts';
import type { Line, Segment, Tone } from './line.ts';

/** Every tone is told by an attribute or a sign too, for those who see or want no colour. Colours are those of the terminal's own theme. */
const TONES: Readonly<Record<Tone, Style>> = {
  plain: {},
  dim: { dim: true },
  good: { fg: '32' },
  bad: { fg: '31', bold: true },
  warn: { fg: '33' },
  accent: { fg: '36' },
  title: { bold: true },
  selected: { inverse: true },
  'faint-selected': { bold: true },
  found: { underline: true, fg: '33' },
  'found-here': { inverse: true, fg: '33' },
};

function codesOf({ tone, style }: Segment, colour: boolean): string {
  const look = { ...style, ...TONES[tone ?? 'plain'] };
  const codes = [
    look.bold && '1',
    look.dim && '2',
    look.italic && '3',
    look.underline && '4',
    look.inverse && '7',
    colour && look.fg,
    colour && look.bg,
  ];
  return codes.filter(Boolean).join(';');
}

/** `colour` false leaves the attributes. */
export function sgrText(line: Line, colour: boolean): string {
  let out = '';
  let open = '';
  for (const segment of line) {
    if (segment.text === '') continue;
    const codes = codesOf(segment, colour);
    if (codes !== open) {
      if (open !== '') out += '\x1b[0m';
      if (codes !== '') out += `\x1b[${codes}m`;
      open = codes;
    }
    out += segment.text;
  }
  return open === '' ? out : `${out}\x1b[0m`;
}
