/** The whole screen as lines: pure, so that a golden file can hold it. */
import {
  cells,
  countOf,
  type DetailState,
  detailFor,
  type Facts,
  fitCells,
  PANES,
  rowsOf,
  selectedRow,
  TABS,
  tabOf,
  type View,
} from '../store/index.ts';
import { detailLines } from './details.ts';
import { actionsHere } from './keys/actions.ts';
import { shownKey } from './keys/names.ts';
import { type Area, BARS, layoutOf, SMALLEST } from './layout.ts';
import { endNote, listLines, type StartWay, startLines } from './lists.ts';
import { searchNote } from './text-view.ts';
import { beside, fitLine, type Line, lineCells, panel, type Segment } from './widgets/line.ts';

export interface ScreenInput {
  facts: Facts;
  view: View;
  detail: DetailState;
  host: string;
  start: StartWay;
  columns: number;
  rows: number;
  /** Unix milliseconds. */
  now: number;
}

/** Text of at most `width` cells; its middle gives way, because both ends of an address tell it apart. */
function middleCut(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.max(0, Math.floor((width - 1) / 2));
  return `${text.slice(0, Math.max(0, width - 1 - tail))}…${text.slice(text.length - tail)}`;
}

function header({ facts, host, columns }: ScreenInput): Line {
  const { engine, connection } = facts;
  const state: Segment =
    connection.state === 'connected'
      ? { text: '● live ', tone: 'good' }
      : connection.state === 'lost'
        ? { text: engine ? '✗ lost ' : '✗ no answer ', tone: 'bad' }
        : { text: '… connecting ', tone: 'warn' };
  const running = [...facts.containers.values()].filter((one) => one.State === 'running').length;
  const all = facts.containers.size;
  const name: Segment[] = [
    { text: ' galley ', tone: 'selected' },
    { text: ` ${engine ? `${engine.name} ${engine.version}` : 'no engine'}  `, tone: 'title' },
  ];
  // Where this is comes before how many: the count gives way, then the machine, then the middle of the address.
  const counts = engine ? [` ${running} of ${all} running  `, ` ${running}/${all} `, ' '] : [' '];
  const free = columns - lineCells(name) - cells(state.text);
  const count = counts.find((text) => text.length + host.length <= free) ?? ' ';
  const room = free - count.length;
  const machine = engine ? `  on ${engine.hostname}, ${engine.os}, ${engine.cpus} cpus` : '';
  const where = host.length + cells(machine) <= room ? host + machine : middleCut(host, room);
  const right: Segment[] = [{ text: count }, state];
  return [...fitLine([...name, { text: where, tone: 'dim' }], columns - lineCells(right)), ...right];
}

function listPanel(input: ScreenInput, list: Area & { pane: View['pane'] }, tabs: boolean): Line[] {
  const { facts, view, now } = input;
  const { pane, width, height } = list;
  const focused = view.pane === pane && view.focus === 'list';
  const filter = view.filter[pane];
  const title: Segment[] = tabs
    ? PANES.flatMap((one, at): Segment[] => [
        { text: `${at + 1} ${one} ${countOf(facts, one)}`, tone: one === pane ? 'title' : 'dim' },
        { text: at < PANES.length - 1 ? ' · ' : '', tone: 'dim' },
      ])
    : [
        { text: `${PANES.indexOf(pane) + 1} ${pane}`, tone: focused ? 'title' : 'dim' },
        { text: ` ${countOf(facts, pane)}`, tone: 'dim' },
      ];
  if (filter !== '') title.push({ text: `  /${filter} ${rowsOf(facts, view, pane).length}`, tone: 'warn' });
  if (pane === 'containers' && !view.all) title.push({ text: '  running only', tone: 'warn' });
  const foot = focused && view.marked.size > 0 ? `${view.marked.size} marked` : '';
  const inside = listLines({ facts, view, pane, width: width - 2, height: height - 2, now });
  return panel(title, inside, width, height, focused, foot);
}

function detailFoot(view: View, detail: DetailState, ended: string): string {
  const tab = tabOf(view);
  const logs = tab === 'logs';
  const text = logs || tab === 'inspect';
  return [
    logs && ended,
    text && searchNote(detail, view),
    logs && (view.follow ? (detail.ended ? 'end' : 'following') : 'paused, f follows'),
    text && view.wrap && 'wrapped',
    text && view.across > 0 && `from column ${view.across + 1}`,
    logs && view.timestamps && 'time',
    text && `${detail.dropped > 0 ? 'last ' : ''}${detail.lines.length} lines`,
  ]
    .filter(Boolean)
    .join(' · ');
}

function detailPanel(input: ScreenInput, { width, height }: Area): Line[] {
  const { facts, view } = input;
  const row = selectedRow(facts, view);
  const now = tabOf(view);
  const detail = detailFor(input.detail, now, row?.id);
  const title: Segment[] = TABS[view.pane].flatMap((tab): Segment[] => [
    { text: tab === now ? `[${tab}]` : ` ${tab} `, tone: tab === now ? 'title' : 'dim' },
  ]);
  if (row) title.push({ text: `  ${row.name}`, tone: 'accent' });
  const inside = detailLines(facts, view, detail, row, width - 2, height - 2);
  return panel(
    title,
    inside,
    width,
    height,
    view.focus === 'detail',
    row ? detailFoot(view, detail, endNote(facts.containers.get(row.id))) : '',
  );
}

/** Before there is an engine: the whole screen says what is being done about it. */
function startPanel({ facts, start, columns, rows }: ScreenInput): Line[] {
  const height = rows - BARS;
  return panel([{ text: 'engine', tone: 'title' }], startLines(facts, start, columns - 2), columns, height, true);
}

function body(input: ScreenInput): Line[] {
  const { kind, lists, detail } = layoutOf(input.view, input.columns, input.rows);
  if (!input.facts.engine) return startPanel(input);
  const left = lists.flatMap((list) => listPanel(input, list, kind !== 'beside'));
  if (kind === 'list') return left;
  const right = detailPanel(input, detail);
  return kind === 'beside' ? beside(left, right) : [...left, ...right];
}

function hints({ view, facts, columns, start }: ScreenInput): Line {
  const row = selectedRow(facts, view);
  const state = row ? facts.containers.get(row.id)?.State : undefined;
  const now = { view, state, lost: facts.connection.state === 'lost', startable: start === 'key' };
  const shown = actionsHere(view)
    .filter((action) => (row || !action.row) && (facts.engine || action.id.startsWith('app.')))
    .map(({ keys, hint = '' }) => ({
      key: shownKey(keys[0] as string),
      text: typeof hint === 'string' ? hint : hint(now),
    }))
    .filter((one) => one.text !== '');
  // Help and quit must be there however narrow it is; the others in the order of the table.
  const last = shown.filter((one) => one.key === '?' || one.key === 'q');
  let room = columns - 1;
  const take = (one: { key: string; text: string }) => {
    const size = cells(`${one.key} ${one.text}  `);
    if (size > room + 2) return false;
    room -= size;
    return true;
  };
  const lastKept = last.filter(take);
  const kept = [...shown.filter((one) => !last.includes(one)).filter(take), ...lastKept];
  return [
    { text: ' ' },
    ...kept.flatMap((one): Segment[] => [
      { text: one.key, tone: 'accent' },
      { text: ` ${one.text}  `, tone: 'dim' },
    ]),
  ];
}

function messageLine({ view, facts, columns, start }: ScreenInput): Line {
  if (view.typing) {
    const text = view.typing === 'filter' ? view.filter[view.pane] : view.search;
    const help =
      view.typing === 'filter' ? 'Enter keeps · Esc clears · !not · state:exited' : 'Enter finds · Esc leaves';
    return [
      { text: ` ${view.typing} / `, tone: 'accent' },
      { text: fitCells(`${text}▏`, Math.max(1, columns - 14 - cells(help))) },
      { text: ` ${help}`, tone: 'dim' },
    ];
  }
  if (view.message)
    return [
      { text: view.message.tone === 'error' ? ' ✗ ' : ' ', tone: 'bad' },
      { text: fitCells(view.message.text, columns - 4), tone: view.message.tone === 'error' ? 'bad' : 'plain' },
    ];
  const { connection, engine } = facts;
  if (connection.state === 'lost' && engine) {
    const way = start === 'key' ? ' S starts it.' : '';
    const text = ` ✗ The engine went away. This is what was known; reconnecting …${way} ${connection.message}`;
    return [{ text: fitCells(text, columns), tone: 'bad' }];
  }
  if (connection.state === 'lost') return [{ text: ' … waiting for an engine', tone: 'warn' }];
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
      : [header(input), ...body(input), messageLine(input), hints(input)];
  return Array.from({ length: rows }, (_, at) => fitLine(lines[at] ?? [], columns));
}
