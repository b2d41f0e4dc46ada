/** The panes' columns and what an empty pane says. Pure. */
import { binarySize, humanSize } from '../format/units.ts';
import {
  type ContainerFact,
  type Facts,
  ORDERS,
  type Pane,
  type Row,
  rowsOf,
  selectedIndex,
  usersOf,
  type View,
  wrapWords,
} from '../store/index.ts';
import { shortAge } from './age.ts';
import type { Line, Tone } from './widgets/line.ts';
import { type Column, tableLines } from './widgets/table.ts';

const LOOK: Readonly<Record<string, { glyph: string; tone: Tone }>> = {
  running: { glyph: '●', tone: 'good' },
  paused: { glyph: '‖', tone: 'warn' },
  restarting: { glyph: '↻', tone: 'warn' },
  created: { glyph: '○', tone: 'accent' },
  removing: { glyph: '…', tone: 'warn' },
  exited: { glyph: '■', tone: 'dim' },
  dead: { glyph: '✗', tone: 'bad' },
};
const plain = (text: string) => ({ text });

/** State as a sign, a word and an exit code: never by colour alone. */
export function stateCell(one: ContainerFact): { text: string; tone: Tone } {
  const look = LOOK[one.State] ?? { glyph: '?', tone: 'plain' };
  const code = /^Exited \((\d+)\)/.exec(one.Status)?.[1];
  const sick = /\(unhealthy\)/.test(one.Status);
  const starting = /\(health: starting\)/.test(one.Status);
  const bad = sick || (code !== undefined && code !== '0');
  const word = sick ? 'unhealthy' : starting ? 'starting' : one.State;
  return { text: `${look.glyph} ${word}${code ? ` ${code}` : ''}`, tone: bad ? 'bad' : look.tone };
}

const SIGNALS: Readonly<Record<string, string>> = {
  '125': 'the engine could not run it',
  '126': 'its command cannot be executed',
  '127': 'its command was not found',
  '129': 'SIGHUP',
  '130': 'SIGINT',
  '131': 'SIGQUIT',
  '132': 'SIGILL',
  '134': 'SIGABRT, it gave up',
  '135': 'SIGBUS',
  '136': 'SIGFPE',
  '137': 'SIGKILL: killed, or out of memory',
  '139': 'SIGSEGV, it crashed',
  '141': 'SIGPIPE',
  '143': 'SIGTERM, it was asked to stop',
};

/** Why a container that has ended did so, as far as its exit code tells; empty while it runs or after a plain end. */
export function endNote(one: ContainerFact | undefined): string {
  const code = one ? /^Exited \((\d+)\)/.exec(one.Status)?.[1] : undefined;
  return code === undefined || code === '0' ? '' : `exit ${code}${SIGNALS[code] ? `, ${SIGNALS[code]}` : ''}`;
}

function portsText(one: ContainerFact | undefined): string {
  const ports = (one?.Ports ?? []).filter((port) => port.PublicPort);
  const texts = ports.map(
    (port) => `${port.PublicPort}→${port.PrivatePort}${port.Type === 'tcp' ? '' : `/${port.Type}`}`,
  );
  return [...new Set(texts)].join(' ');
}

const columnsFor: Readonly<Record<Pane, (facts: Facts, now: number) => Column<Row>[]>> = {
  containers: (facts, now) => {
    const of = (row: Row) => facts.containers.get(row.id);
    const newest = (row: Row) => facts.stats.get(row.id)?.at(-1);
    return [
      {
        title: 'STATE',
        width: 12,
        cell: (row) => {
          const one = of(row);
          return one ? stateCell(one) : plain('');
        },
      },
      { title: 'NAME', width: 0, grow: 3, cell: (row) => plain(row.name) },
      {
        title: 'IMAGE',
        width: 0,
        grow: 3,
        from: 56,
        tail: true,
        cell: (row) => ({ text: (of(row)?.Image ?? '').replace(/^sha256:(.{12}).*/, '$1'), tone: 'dim' }),
      },
      {
        title: 'CPU',
        width: 6,
        right: true,
        cell: (row) => plain(newest(row) ? `${newest(row)?.cpuPercent.toFixed(1)}%` : '-'),
      },
      {
        title: 'MEM',
        width: 8,
        right: true,
        cell: (row) => plain(newest(row) ? binarySize(newest(row)?.memory ?? 0) : '-'),
      },
      { title: 'AGE', width: 4, right: true, cell: (row) => plain(shortAge(now - (of(row)?.since ?? now))) },
      { title: 'PORTS', width: 0, grow: 2, from: 70, cell: (row) => ({ text: portsText(of(row)), tone: 'accent' }) },
    ];
  },
  images: (facts, now) => [
    { title: 'NAME', width: 0, grow: 1, cell: (row) => plain(row.name) },
    { title: 'ID', width: 12, from: 50, cell: (row) => ({ text: row.id.slice(7, 19), tone: 'dim' }) },
    { title: 'SIZE', width: 8, right: true, cell: (row) => plain(humanSize(facts.images.get(row.id)?.Size ?? 0, 3)) },
    usedColumn(facts, 'images'),
    {
      title: 'AGE',
      width: 4,
      right: true,
      cell: (row) => plain(shortAge(now - (facts.images.get(row.id)?.Created ?? 0) * 1000)),
    },
  ],
  volumes: (facts) => [
    { title: 'NAME', width: 0, grow: 1, cell: (row) => plain(row.name) },
    { title: 'DRIVER', width: 8, cell: (row) => ({ text: facts.volumes.get(row.id)?.Driver ?? '', tone: 'dim' }) },
    usedColumn(facts, 'volumes'),
  ],
  networks: (facts) => [
    { title: 'NAME', width: 0, grow: 1, cell: (row) => plain(row.name) },
    { title: 'DRIVER', width: 8, cell: (row) => ({ text: facts.networks.get(row.id)?.Driver ?? '', tone: 'dim' }) },
    {
      title: 'SUBNET',
      width: 18,
      from: 44,
      cell: (row) => plain(facts.networks.get(row.id)?.IPAM?.Config?.[0]?.Subnet ?? '-'),
    },
  ],
};

function usedColumn(facts: Facts, pane: Pane): Column<Row> {
  return {
    title: 'USED',
    width: 5,
    right: true,
    cell: (row) => plain(String(usersOf(facts, pane, row.id).length || '-')),
  };
}

/** How galleyd can be started from here: by a key, by a command through sudo, or not at all because somebody named this engine. */
export type StartWay = 'key' | 'sudo' | 'no';

const EMPTY: Readonly<Record<Pane, string[]>> = {
  containers: [
    'No containers yet.',
    'N runs one: type  -p 8080:80 --name web nginx  and Enter; the image is pulled.',
    'P pulls an image by name.',
  ],
  images: ['No images yet. P pulls one by name, for example nginx.'],
  volumes: ['No volumes. galley volume create NAME makes one.'],
  networks: ['No networks.'],
};

/** What there is to say before an engine has ever answered. */
export function startLines(facts: Facts, start: StartWay, width: number): Line[] {
  const { connection, startFailure, others } = facts;
  const say = (text: string, tone: Tone): Line[] =>
    wrapWords(text, width - 4).map((line): Line => [{ text: `  ${line}`, tone }]);
  if (connection.state === 'connecting')
    return [[], ...say(connection.message || 'Connecting to the engine …', 'plain')];
  const why = startFailure || connection.message;
  const ways: Record<StartWay, string> = {
    key: 'S starts galleyd.',
    sudo: 'In another shell: sudo galley daemon start. This screen connects by itself.',
    no: 'This screen connects by itself as soon as it answers.',
  };
  const way = /permission denied|no access/i.test(why)
    ? 'sudo usermod -aG galley $USER, then log in again; or run sudo galley.'
    : ways[start];
  return [
    [],
    ...say('No engine answers.', 'title'),
    ...why.split('\n').flatMap((line) => say(line, 'dim')),
    [],
    ...say(way, 'accent'),
    ...others.flatMap((host) => say(`Another engine answers at ${host}: @ lets you choose it.`, 'accent')),
  ];
}

function emptyLines(facts: Facts, view: View, pane: Pane): string[] {
  if (view.filter[pane] !== '') return [`Nothing matches ${view.filter[pane]}. Esc clears the filter.`];
  if (pane === 'containers' && !view.all && facts.containers.size > 0) return ['No running containers. A shows all.'];
  return EMPTY[pane];
}

export interface ListOptions {
  facts: Facts;
  view: View;
  pane: Pane;
  width: number;
  height: number;
  now: number;
}

/** The inside of a list pane. */
export function listLines({ facts, view, pane, width, height, now }: ListOptions): Line[] {
  const rows = rowsOf(facts, view, pane);
  if (rows.length === 0)
    return [
      [],
      ...emptyLines(facts, view, pane)
        .flatMap((text) => wrapWords(text, width - 3))
        .map((text): Line => [{ text: `  ${text}`, tone: 'dim' }]),
    ];
  const { column, reverse } = view.order[pane];
  const order = ORDERS[pane].find((one) => one.column === column);
  return tableLines({
    rows,
    columns: columnsFor[pane](facts, now),
    index: selectedIndex(rows, view, pane),
    top: view.top[pane],
    marked: pane === view.pane ? view.marked : new Set<string>(),
    ...(order ? { sorted: { column, down: Boolean(order.down) !== reverse } } : {}),
    width,
    height,
    focused: view.pane === pane && view.focus === 'list',
  });
}
