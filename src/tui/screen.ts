/** The whole screen as lines: pure, so that a golden file can hold it. */
import {
  cells,
  type DetailState,
  type Facts,
  fitCells,
  PANES,
  type Pane,
  rowsOf,
  selectedRow,
  TABS,
  tabOf,
  type View,
} from '../store/index.ts';
import { detailLines } from './details.ts';
import { actionsHere } from './keys/actions.ts';
import { listLines } from './lists.ts';
import { beside, fitLine, type Line, lineText, panel, type Segment } from './widgets/line.ts';

export const SMALLEST = { columns: 60, rows: 15 };
const SIDE_BY_SIDE = 150;

export interface ScreenInput {
  facts: Facts;
  view: View;
  detail: DetailState;
  host: string;
  columns: number;
  rows: number;
  /** Unix milliseconds. */
  now: number;
}

/** Rows of text that the areas show, for paging. */
export function pageOf(view: View, columns: number, rows: number): number {
  const body = rows - 4;
  if (view.zoom !== 'none') return Math.max(1, body - 2);
  if (columns >= SIDE_BY_SIDE) return Math.max(1, (view.focus === 'detail' ? body : Math.ceil(body / 2)) - 2);
  return Math.max(1, Math.floor(body / 2) - 2);
}

function header({ facts, host, columns }: ScreenInput): Line {
  const { engine, connection } = facts;
  const running = [...facts.containers.values()].filter((one) => one.State === 'running').length;
  const left: Segment[] = [
    { text: ' galley ', tone: 'selected' },
    { text: engine ? `  ${engine.name} ${engine.version}` : '  no engine', tone: 'title' },
    { text: `  ${host}${engine && columns >= 110 ? ` on ${engine.hostname}, ${engine.cpus} cpus` : ''}`, tone: 'dim' },
  ];
  const right: Segment[] = [
    {
      text: ` ${running}/${facts.containers.size} running  ${facts.images.size} images  ${facts.volumes.size} volumes `,
      tone: 'plain',
    },
    connection.state === 'connected'
      ? { text: '● live ', tone: 'good' }
      : connection.state === 'lost'
        ? { text: '✗ lost ', tone: 'bad' }
        : { text: '… connecting ', tone: 'warn' },
  ];
  const room = columns - cells(lineText(right));
  return [...fitLine(left, Math.max(0, room)), ...right];
}

function listPanel(input: ScreenInput, pane: Pane, width: number, height: number, tabs: boolean): Line[] {
  const { facts, view } = input;
  const focused = view.pane === pane && view.focus === 'list';
  const filter = view.filter[pane];
  const title: Segment[] = tabs
    ? PANES.flatMap((one, at): Segment[] => [
        { text: `${at + 1} ${one} ${facts[one].size}`, tone: one === pane ? 'title' : 'dim' },
        { text: at < PANES.length - 1 ? ' · ' : '', tone: 'dim' },
      ])
    : [
        { text: `${PANES.indexOf(pane) + 1} ${pane}`, tone: focused ? 'title' : 'dim' },
        { text: ` ${facts[pane].size}`, tone: 'dim' },
      ];
  if (filter !== '') title.push({ text: `  /${filter} ${rowsOf(facts, view, pane).length}`, tone: 'warn' });
  if (pane === 'containers' && !view.all) title.push({ text: '  running only', tone: 'warn' });
  return panel(title, listLines(facts, view, pane, width - 2, height - 2, input.now), width, height, focused);
}

function detailPanel(input: ScreenInput, width: number, height: number): Line[] {
  const { facts, view, detail } = input;
  const row = selectedRow(facts, view);
  const now = tabOf(view);
  const focused = view.focus === 'detail';
  const title: Segment[] = TABS[view.pane].flatMap((tab): Segment[] => [
    { text: tab === now ? `[${tab}]` : ` ${tab} `, tone: tab === now ? 'title' : 'dim' },
  ]);
  if (row) title.push({ text: `  ${row.name}`, tone: 'accent' });
  const flags =
    now === 'logs'
      ? [
          view.follow ? (detail.ended ? 'end' : 'following') : 'f follows',
          view.wrap && 'wrap',
          view.timestamps && 'time',
          `${detail.lines.length} lines`,
        ]
          .filter(Boolean)
          .join(' · ')
      : '';
  return panel(title, detailLines(facts, view, detail, row, width - 2, height - 2), width, height, focused, flags);
}

function body(input: ScreenInput, height: number): Line[] {
  const { view, columns } = input;
  if (view.zoom === 'detail') return detailPanel(input, columns, height);
  if (view.zoom === 'list') return listPanel(input, view.pane, columns, height, true);
  if (columns < SIDE_BY_SIDE) {
    const top = Math.ceil(height / 2);
    return [...listPanel(input, view.pane, columns, top, true), ...detailPanel(input, columns, height - top)];
  }
  const left = Math.floor(columns / 2);
  const shown: Pane[] = view.pane === 'networks' ? [...PANES] : PANES.slice(0, 3);
  const small = Math.max(4, Math.floor(height / (shown.length + 2)));
  const lists = shown.flatMap((pane) =>
    listPanel(input, pane, left, pane === view.pane ? height - small * (shown.length - 1) : small, false),
  );
  return beside(lists, detailPanel(input, columns - left, height));
}

const SHOWN_KEY: Readonly<Record<string, string>> = { enter: 'Enter', tab: 'Tab', esc: 'Esc' };

function hints({ view, columns }: ScreenInput): Line {
  const out: Segment[] = [{ text: ' ' }];
  let used = 1;
  const all = actionsHere(view.pane, view.focus).filter((one) => one.hint);
  // Help and quit must be there however narrow it is.
  const order = [
    ...all.filter((one) => one.id === 'app.help' || one.id === 'app.quit'),
    ...all.filter((one) => one.id !== 'app.help' && one.id !== 'app.quit'),
  ];
  const kept = new Set<string>();
  for (const one of order) {
    const size = cells(`${one.keys[0]} ${one.hint}  `);
    if (used + size > columns) continue;
    used += size;
    kept.add(one.id);
  }
  for (const one of all) {
    if (!kept.has(one.id)) continue;
    const key = one.keys[0] as string;
    out.push({ text: SHOWN_KEY[key] ?? key, tone: 'accent' }, { text: ` ${one.hint}  `, tone: 'dim' });
  }
  return out;
}

function messageLine({ view, facts, columns }: ScreenInput): Line {
  if (view.typing) {
    const text = view.typing === 'filter' ? view.filter[view.pane] : view.search;
    return [
      { text: ` ${view.typing} / `, tone: 'accent' },
      { text: fitCells(`${text}▏`, columns - 30) },
      { text: ' Enter keeps, Esc clears', tone: 'dim' },
    ];
  }
  if (view.message)
    return [
      { text: view.message.tone === 'error' ? ' ✗ ' : ' ', tone: 'bad' },
      { text: fitCells(view.message.text, columns - 4), tone: view.message.tone === 'error' ? 'bad' : 'plain' },
    ];
  if (facts.connection.state === 'lost')
    return [
      {
        text: fitCells(
          ` ✗ ${facts.engine ? 'The engine went away; this is what was known. Reconnecting' : 'Waiting for an engine'}: ${facts.connection.message}`,
          columns,
        ),
        tone: 'bad',
      },
    ];
  return [];
}

/** Exactly `rows` lines of exactly `columns` cells. */
export function screenLines(input: ScreenInput): Line[] {
  const { columns, rows } = input;
  const lines: Line[] =
    columns < SMALLEST.columns || rows < SMALLEST.rows
      ? [
          [{ text: `Too small: ${columns}x${rows}.`, tone: 'warn' }],
          [{ text: `galley needs ${SMALLEST.columns}x${SMALLEST.rows}.` }],
          [{ text: 'Enlarge it, or q quits.', tone: 'dim' }],
        ]
      : [header(input), ...body(input, rows - 3), messageLine(input), hints(input)];
  return Array.from({ length: rows }, (_, at) => fitLine(lines[at] ?? [], columns));
}
