/** The insides of the dialogs as lines. Pure. */
import { humanSize } from '../format/units.ts';
import { cells, type Dialog, fitCells, type View, wrapWords } from '../store/index.ts';
import { ACTIONS } from './keys/actions.ts';
import { paletteEntries } from './keys/dispatch.ts';
import { shownKey } from './keys/names.ts';
import type { Action } from './keys/types.ts';
import type { Line, Tone } from './widgets/line.ts';

export interface Shape {
  title: string;
  lines: readonly Line[];
  width: number;
  foot: string;
  /** Rows of the table that covers the first lines. */
  table?: readonly Record<string, string>[];
}

const keysOf = (action: Action) => action.keys.map(shownKey).join(' ');
const asks = (action: Action) =>
  action.danger && !action.title.includes('asks first') ? `${action.title} (asks first)` : action.title;

const GROUPS: readonly [title: string, holds: (action: Action) => boolean][] = [
  ['Containers', (one) => one.where.includes('containers')],
  ['Every list', (one) => one.where.includes('list')],
  ['Logs and other text', (one) => one.where.includes('detail') && !one.where.includes('list')],
  ['Everywhere', (one) => one.where.includes('global')],
];

function helpLines(): Line[] {
  return GROUPS.flatMap(([title, holds], at): Line[] => [
    ...(at > 0 ? [[]] : []),
    [{ text: ` ${title}`, tone: 'title' }],
    ...ACTIONS.filter(holds).map(
      (one): Line => [{ text: ` ${fitCells(keysOf(one), 15)} `, tone: 'accent' }, { text: asks(one) }],
    ),
  ]);
}
const HELP = helpLines();

function helpShape(dialog: Extract<Dialog, { kind: 'help' }>, columns: number, height: number): Shape {
  const start = Math.max(0, Math.min(dialog.scroll, HELP.length - height));
  const more = HELP.length > height ? `j k scroll, ${Math.min(HELP.length, start + height)} of ${HELP.length} · ` : '';
  return {
    title: 'Keys',
    lines: HELP.slice(start, start + height),
    width: Math.min(columns - 4, 96),
    foot: `${more}Esc closes`,
  };
}

/** A window of `entries` around `index`, the chosen one shown as such. */
function menu(entries: readonly (readonly [string, string])[], index: number, width: number, height: number): Line[] {
  const start = Math.max(0, Math.min(index - Math.floor(height / 2), entries.length - height));
  return entries.slice(start, start + height).map(([left, right], at): Line => {
    const note = cells(right) + 1;
    const here = start + at === index;
    return [
      {
        text: `${here ? '▸' : ' '}${fitCells(left, width - 4 - note)} ${right} `,
        tone: here ? 'selected' : 'plain',
      },
    ];
  });
}

function paletteShape(
  view: View,
  dialog: Extract<Dialog, { kind: 'palette' }>,
  columns: number,
  height: number,
): Shape {
  const entries = paletteEntries(view, dialog.query);
  const width = Math.min(columns - 4, 84);
  const lines = menu(
    entries.map((one) => [one.title, keysOf(one)] as const),
    dialog.index,
    width,
    height - 1,
  );
  return {
    title: 'Actions',
    lines: [
      [{ text: ` : ${dialog.query}▏`, tone: 'accent' }],
      ...(lines.length > 0 ? lines : [[{ text: ' no action is called that', tone: 'dim' as Tone }]]),
    ],
    width,
    foot: 'type to find · Enter runs · Esc closes',
  };
}

function chooseShape(dialog: Extract<Dialog, { kind: 'choose' }>, columns: number, height: number): Shape {
  const width = Math.min(columns - 4, 84);
  const entries = dialog.choices.map((one) => [one.title, one.note] as const);
  return {
    title: dialog.title,
    lines: menu(entries, dialog.index, width, height),
    width,
    foot: 'j k · Enter · Esc closes',
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
      { text: fitCells(layer.status, 18) },
      { text: ` ${'█'.repeat(filled)}`, tone: done ? 'good' : 'accent' },
      { text: '░'.repeat(bar - filled), tone: 'dim' },
      { text: ` ${fitCells(size, 14, true)}`, tone: 'dim' },
    ];
  });
  const failed = dialog.error !== '';
  const last: Line[] = failed
    ? wrapWords(`✗ ${dialog.error}`, width - 4).map((text): Line => [{ text: ` ${text}`, tone: 'bad' }])
    : [[{ text: ` ${dialog.ended ? '✓ ' : ''}${dialog.line}`, tone: dialog.ended ? 'good' : 'plain' }]];
  return {
    title: `Pull ${dialog.name}`,
    lines: [...lines, ...(lines.length > 0 ? [[]] : []), ...last],
    width,
    foot: failed ? 'Enter changes the name · Esc closes' : dialog.ended ? 'Enter or Esc closes' : 'Esc cancels',
  };
}

function pullNameShape(dialog: Extract<Dialog, { kind: 'pull-name' }>, columns: number): Shape {
  return {
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
}

function runShape(dialog: Extract<Dialog, { kind: 'run' }>, columns: number): Shape {
  const width = Math.min(columns - 4, 100);
  const said: Line[] = (dialog.error || dialog.line)
    .split('\n')
    .flatMap((line) => wrapWords(line, width - 4))
    .map((text): Line => [{ text: ` ${text}`, tone: dialog.error ? 'bad' : 'plain' }]);
  const example: Line[] = [
    [{ text: ' for example  -p 8080:80 --name web nginx', tone: 'dim' }],
    [{ text: ' galley run --help tells every flag; -d is given already.', tone: 'dim' }],
  ];
  return {
    title: 'Run a container',
    lines: [
      [],
      ...wrapWords(`galley run -d ${dialog.text}▏`, width - 4).map(
        (text): Line => [{ text: ` ${text}`, tone: 'accent' }],
      ),
      [],
      ...(dialog.error || dialog.line ? said : example),
    ],
    width,
    foot: dialog.line ? 'Esc leaves it running' : 'Enter runs · Esc cancels',
  };
}

const OBJECTS_SHOWN = 4;
/** Lines of ink-table for so many rows: each with a rule above, heading and foot. */
export const tableHeight = (rows: number) => 2 * rows + 3;

function confirmShape(dialog: Extract<Dialog, { kind: 'confirm' }>, columns: number): Shape {
  const width = Math.min(columns - 2, 78);
  const button = (text: string, on: boolean): Line[number] => ({
    text: on ? `▸ ${text} ` : `  ${text} `,
    tone: on ? 'selected' : 'dim',
  });
  const table = dialog.objects.slice(0, OBJECTS_SHOWN);
  const left = dialog.objects.length - table.length;
  const notes = dialog.note.split('\n').flatMap((text) => wrapWords(text, width - 4));
  return {
    title: dialog.title,
    table,
    lines: [
      ...Array.from({ length: tableHeight(table.length) }, (): Line => []),
      ...(left > 0 ? [[{ text: ` and ${left} more`, tone: 'dim' as Tone }]] : []),
      ...notes.map((text): Line => [{ text: ` ${text}`, tone: 'dim' }]),
      [],
      [{ text: '   ' }, button('Cancel', !dialog.yes), { text: '   ' }, button(dialog.verb, dialog.yes)],
    ],
    width,
    foot: `Tab chooses · Enter · y ${dialog.verb.toLowerCase()}s · Esc cancels`,
  };
}

/** @param height lines that fit inside */
export function shapeOf(view: View, dialog: Dialog, columns: number, height: number): Shape {
  if (dialog.kind === 'help') return helpShape(dialog, columns, height);
  if (dialog.kind === 'palette') return paletteShape(view, dialog, columns, Math.min(height, 18));
  if (dialog.kind === 'choose') return chooseShape(dialog, columns, Math.min(height, 18));
  if (dialog.kind === 'pull') return pullShape(dialog, columns, height);
  if (dialog.kind === 'run') return runShape(dialog, columns);
  return dialog.kind === 'confirm' ? confirmShape(dialog, columns) : pullNameShape(dialog, columns);
}
