import { Text, type TextProps } from 'ink';
import { memo, type ReactElement } from 'react';
import type { Line, Tone } from './line.ts';

const COLOUR: Readonly<Record<Tone, Pick<TextProps, 'color' | 'bold' | 'dimColor' | 'inverse'>>> = {
  plain: {},
  dim: { dimColor: true },
  good: { color: 'green' },
  bad: { color: 'red' },
  warn: { color: 'yellow' },
  accent: { color: 'cyan' },
  title: { bold: true },
  selected: { inverse: true },
  'faint-selected': { bold: true },
};

const styleOf = (tone: Tone, colour: boolean) => {
  const { color, ...rest } = COLOUR[tone];
  return colour || color === undefined ? COLOUR[tone] : rest;
};

const Row = memo(
  ({ line, colour }: { line: Line; colour: boolean }): ReactElement => (
    <Text wrap="truncate">
      {line.map((one, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a segment has no identity but its place
        <Text key={at} {...styleOf(one.tone ?? 'plain', colour)}>
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
