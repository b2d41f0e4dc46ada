import { Box } from 'ink';
import { Table } from 'ink-table';
import type { ReactElement } from 'react';
import { humanSize } from '../format/units.ts';
import { type Dialog, fitCells, type View, wrapCells } from '../store/index.ts';
import { ACTIONS } from './keys/actions.ts';
import { paletteEntries } from './keys/dispatch.ts';
import { Lines } from './widgets/Lines.tsx';
import { type Line, panel } from './widgets/line.ts';

interface Shape {
  title: string;
  lines: Line[];
  width: number;
  foot: string;
}

function helpShape(dialog: Extract<Dialog, { kind: 'help' }>, columns: number, height: number): Shape {
  const all = ACTIONS.map(
    (one): Line => [
      { text: ` ${fitCells(one.keys.join(' '), 14)} `, tone: 'accent' },
      { text: fitCells(one.where.join(', '), 12), tone: 'dim' },
      { text: ` ${one.title}` },
    ],
  );
  const start = Math.max(0, Math.min(dialog.scroll, all.length - height));
  return {
    title: 'Keys',
    lines: all.slice(start, start + height),
    width: Math.min(columns - 4, 88),
    foot: 'j k scroll · Esc closes',
  };
}

function paletteShape(
  view: View,
  dialog: Extract<Dialog, { kind: 'palette' }>,
  columns: number,
  height: number,
): Shape {
  const entries = paletteEntries(view, dialog.query);
  const start = Math.max(0, dialog.index - height + 3);
  const width = Math.min(columns - 4, 76);
  const lines = entries.slice(start, start + height - 1).map((one, at): Line => {
    const text = ` ${fitCells(one.title, width - 20)}${fitCells(one.keys.join(' '), 16, true)}`;
    return [{ text, tone: start + at === dialog.index ? 'selected' : 'plain' }];
  });
  return {
    title: 'Actions',
    lines: [[{ text: ` : ${dialog.query}▏`, tone: 'accent' }], ...lines],
    width,
    foot: 'type to find · Enter runs · Esc closes',
  };
}

function pullShape(dialog: Extract<Dialog, { kind: 'pull' }>, columns: number, height: number): Shape {
  const width = Math.min(columns - 4, 84);
  const bar = Math.max(8, width - 52);
  const lines = dialog.layers.slice(-(height - 2)).map((layer): Line => {
    const done = /complete|exists/i.test(layer.status);
    const part = done ? 1 : layer.total > 0 ? Math.min(1, layer.current / layer.total) : 0;
    const filled = Math.round(part * bar);
    const size = layer.total > 0 && !done ? `${humanSize(layer.current, 3)}/${humanSize(layer.total, 3)}` : '';
    return [
      { text: ` ${fitCells(layer.id, 12)} `, tone: 'dim' },
      { text: fitCells(layer.status, 17) },
      { text: ` ${'█'.repeat(filled)}`, tone: done ? 'good' : 'accent' },
      { text: '░'.repeat(bar - filled), tone: 'dim' },
      { text: ` ${fitCells(size, 15, true)}`, tone: 'dim' },
    ];
  });
  const last: Line[] =
    dialog.error === ''
      ? [[{ text: ` ${dialog.ended ? '✓ ' : ''}${dialog.line}`, tone: dialog.ended ? 'good' : 'plain' }]]
      : wrapCells(`✗ ${dialog.error}`, width - 4).map((text): Line => [{ text: ` ${text}`, tone: 'bad' }]);
  return {
    title: `Pull ${dialog.name}`,
    lines: [...lines, [], ...last],
    width,
    foot: dialog.ended ? 'Esc closes' : 'Esc cancels',
  };
}

function confirmShape(dialog: Extract<Dialog, { kind: 'confirm' }>, columns: number): Shape {
  const button = (text: string, on: boolean): Line[number] => ({
    text: on ? `▸ ${text} ` : `  ${text} `,
    tone: on ? 'selected' : 'dim',
  });
  // The first five lines are ink-table's: heading, one row and its frame.
  const lines: Line[] = [
    [],
    [],
    [],
    [],
    [],
    [{ text: ` ${dialog.note}`, tone: 'dim' }],
    [],
    [{ text: '   ' }, button('Cancel', !dialog.yes), { text: '   ' }, button(dialog.verb, dialog.yes)],
  ];
  return { title: dialog.title, lines, width: Math.min(columns - 2, 78), foot: 'Tab chooses · Enter · Esc cancels' };
}

/** The dialog over the screen; its frame covers what is below. */
export function DialogView({
  view,
  columns,
  rows,
  colour,
}: {
  view: View;
  columns: number;
  rows: number;
  colour: boolean;
}): ReactElement | null {
  const { dialog } = view;
  if (!dialog) return null;
  const most = Math.max(3, rows - 6);
  const shape: Shape =
    dialog.kind === 'help'
      ? helpShape(dialog, columns, most)
      : dialog.kind === 'palette'
        ? paletteShape(view, dialog, columns, Math.min(most, 18))
        : dialog.kind === 'pull'
          ? pullShape(dialog, columns, most)
          : dialog.kind === 'confirm'
            ? confirmShape(dialog, columns)
            : {
                title: 'Pull an image',
                lines: [
                  [],
                  [{ text: ` Name: ${dialog.text}▏`, tone: 'accent' }],
                  [],
                  [{ text: ' for example nginx, or registry.example:5000/team/app:1.2', tone: 'dim' }],
                ],
                width: Math.min(columns - 4, 72),
                foot: 'Enter pulls · Esc cancels',
              };
  const height = shape.lines.length + 2;
  const left = Math.max(0, Math.floor((columns - shape.width) / 2));
  const top = Math.max(0, Math.floor((rows - height) / 2));
  const framed = panel([{ text: shape.title, tone: 'title' }], shape.lines, shape.width, height, true, shape.foot);
  return (
    <>
      <Box
        position="absolute"
        marginLeft={left}
        marginTop={top}
        flexDirection="column"
        width={shape.width}
        height={height}
      >
        <Lines lines={framed} colour={colour} />
      </Box>
      {dialog.kind === 'confirm' && (
        <Box
          position="absolute"
          marginLeft={left + 2}
          marginTop={top + 1}
          height={5}
          width={shape.width - 4}
          overflow="hidden"
        >
          <Table data={[dialog.object]} />
        </Box>
      )}
    </>
  );
}
