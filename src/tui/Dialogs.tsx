import { Box } from 'ink';
import { Table } from 'ink-table';
import type { ReactElement } from 'react';
import type { View } from '../store/index.ts';
import { shapeOf, tableHeight } from './dialogs.ts';
import { Lines } from './widgets/Lines.tsx';
import { panel } from './widgets/line.ts';

interface DialogProps {
  view: View;
  columns: number;
  rows: number;
  colour: boolean;
}

/** The dialog over the screen; its frame covers what is below. */
export function DialogView({ view, columns, rows, colour }: DialogProps): ReactElement | null {
  const { dialog } = view;
  if (!dialog) return null;
  const { title, lines, width, foot, table } = shapeOf(view, dialog, columns, Math.max(3, rows - 5));
  const height = Math.min(lines.length + 2, rows);
  const left = Math.max(0, Math.floor((columns - width) / 2));
  const top = Math.max(0, Math.floor((rows - height) / 2));
  const framed = panel([{ text: title, tone: 'title' }], lines, width, height, true, foot);
  return (
    <>
      <Box position="absolute" marginLeft={left} marginTop={top} flexDirection="column" width={width} height={height}>
        <Lines lines={framed} colour={colour} />
      </Box>
      {table && (
        <Box
          position="absolute"
          marginLeft={left + 2}
          marginTop={top + 1}
          height={tableHeight(table.length)}
          width={width - 4}
          overflow="hidden"
        >
          <Table data={[...table]} />
        </Box>
      )}
    </>
  );
}
