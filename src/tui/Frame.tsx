import { Box } from 'ink';
import type { ReactElement } from 'react';
import { DialogView } from './Dialogs.tsx';
import { SMALLEST } from './layout.ts';
import { type ScreenInput, screenLines } from './screen.ts';
import { Lines } from './widgets/Lines.tsx';

/** One whole frame: the screen and the dialog over it. All it shows is in its properties. Nothing is clipped: every row has its exact width already, and clipping costs Ink as much as drawing. */
export function Frame({ input, colour }: { input: ScreenInput; colour: boolean }): ReactElement {
  const { view, columns, rows } = input;
  const usable = columns >= SMALLEST.columns && rows >= SMALLEST.rows;
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Lines lines={screenLines(input)} colour={colour} />
      {usable && <DialogView view={view} columns={columns} rows={rows} colour={colour} />}
    </Box>
  );
}
