import { Text, type TextProps } from 'ink';
import { memo, type ReactElement } from 'react';
import type { Style } from '../../store/index.ts';
import type { Line, Segment, Tone } from './line.ts';

type Look = Pick<TextProps, 'color' | 'backgroundColor' | 'bold' | 'dimColor' | 'italic' | 'underline' | 'inverse'>;

/** Every tone is told by an attribute or a sign too, for those who see or want no colour. */
const TONES: Readonly<Record<Tone, Look>> = {
  plain: {},
  dim: { dimColor: true },
  good: { color: 'green' },
  bad: { color: 'red', bold: true },
  warn: { color: 'yellow' },
  accent: { color: 'cyan' },
  title: { bold: true },
  selected: { inverse: true },
  'faint-selected': { bold: true },
  found: { underline: true, color: 'yellow' },
  'found-here': { inverse: true, color: 'yellow' },
};

function styled(style: Style): Look {
  return {
    ...(style.fg ? { color: style.fg } : {}),
    ...(style.bg ? { backgroundColor: style.bg } : {}),
    ...(style.bold ? { bold: true } : {}),
    ...(style.dim ? { dimColor: true } : {}),
    ...(style.italic ? { italic: true } : {}),
    ...(style.underline ? { underline: true } : {}),
    ...(style.inverse ? { inverse: true } : {}),
  };
}

function lookOf({ tone, style }: Segment, colour: boolean): Look {
  const look = { ...(style ? styled(style) : {}), ...TONES[tone ?? 'plain'] };
  if (colour) return look;
  const { color: _color, backgroundColor: _background, ...rest } = look;
  return rest;
}

const Row = memo(
  ({ line, colour }: { line: Line; colour: boolean }): ReactElement => (
    <Text wrap="truncate">
      {line.map((one, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a segment has no identity but its place
        <Text key={at} {...lookOf(one, colour)}>
          {one.text}
        </Text>
      ))}
    </Text>
  ),
  (before, after) => before.colour === after.colour && JSON.stringify(before.line) === JSON.stringify(after.line),
);

/** One <Text> per row: the cheapest shape for Ink (field/ink-and-node.md section 3). */
export function Lines({ lines, colour }: { lines: readonly Line[]; colour: boolean }): ReactElement[] {
  // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen has no identity but its place
  return lines.map((line, at) => <Row key={at} line={line} colour={colour} />);
}
