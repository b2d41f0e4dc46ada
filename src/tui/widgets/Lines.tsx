import { Text } from 'ink';
import { memo, type ReactElement } from 'react';
import type { Line } from './line.ts';
import { sgrText } from './sgr.ts';

const Row = memo(({ text }: { text: string }): ReactElement => <Text wrap="truncate">{text}</Text>);

/** One <Text> per row: the cheapest shape for Ink (field/ink-and-node.md section 3); a row whose text is the same is left alone. */
export function Lines({ lines, colour }: { lines: readonly Line[]; colour: boolean }): ReactElement[] {
  // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen has no identity but its place
  return lines.map((line, at) => <Row key={at} text={sgrText(line, colour)} />);
}
