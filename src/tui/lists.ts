/** The panes' columns and empty states. Pure. */
import { humanDuration } from '../api/durations.ts';
import { binarySize, humanSize } from '../format/units.ts';
import { type Facts, nameOf, type Pane, rowsOf, selectedIndex, type View } from '../store/index.ts';
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
const age = (from: number, now: number) =>
  humanDuration(Math.max(0, now - from))
    .replace('Less than a second', 'now')
    .replace(/^About an? /, '1 ')
    .replace(/ second.*/, 's')
    .replace(/ minute.*/, 'm')
    .replace(/ hour.*/, 'h')
    .replace(/ day.*/, 'd')
    .replace(/ week.*/, 'w')
    .replace(/ month.*/, 'mo')
    .replace(/ year.*/, 'y');

type ById = { id: string };

function containerColumns(facts: Facts, now: number): Column<ById>[] {
  const of = (row: ById) => facts.containers.get(row.id);
  const newest = (row: ById) => facts.stats.get(row.id)?.at(-1);
  return [
    {
      title: 'STATE',
      width: 12,
      cell: (row) => {
        const one = of(row);
        const look = LOOK[one?.State ?? ''] ?? { glyph: '?', tone: 'plain' };
        const code = /^Exited \((\d+)\)/.exec(one?.Status ?? '')?.[1];
        const sick = /\(unhealthy\)/.test(one?.Status ?? '');
        const bad = sick || (code !== undefined && code !== '0');
        return {
          text: `${look.glyph} ${sick ? 'unhealthy' : one?.State}${code ? ` ${code}` : ''}`,
          tone: bad ? 'bad' : look.tone,
        };
      },
    },
    { title: 'NAME', width: 0, grow: 3, cell: (row) => plain(of(row) ? nameOf(of(row) as never) : '') },
    {
      title: 'IMAGE',
      width: 0,
      grow: 3,
      from: 52,
      cell: (row) => ({ text: (of(row)?.Image ?? '').replace(/^sha256:/, ''), tone: 'dim' }),
    },
    {
      title: 'CPU',
      width: 6,
      right: true,
      cell: (row) => plain(newest(row) ? `${newest(row)?.cpu.toFixed(1)}%` : '-'),
    },
    {
      title: 'MEM',
      width: 9,
      right: true,
      cell: (row) => plain(newest(row) ? binarySize(newest(row)?.memory ?? 0) : '-'),
    },
    { title: 'AGE', width: 4, right: true, cell: (row) => plain(age(of(row)?.since ?? now, now)) },
    {
      title: 'PORTS',
      width: 0,
      grow: 2,
      from: 74,
      cell: (row) => {
        const ports = (of(row)?.Ports ?? []).filter((port) => port.PublicPort);
        return {
          text: [...new Set(ports.map((port) => `${port.PublicPort}→${port.PrivatePort}/${port.Type}`))].join(' '),
          tone: 'accent',
        };
      },
    },
  ];
}

function columnsOf(facts: Facts, pane: Pane, now: number): Column<{ id: string; name: string }>[] {
  if (pane === 'containers') return containerColumns(facts, now);
  if (pane === 'images') {
    return [
      { title: 'NAME', width: 0, grow: 1, cell: (row) => plain(row.name) },
      { title: 'ID', width: 12, from: 50, cell: (row) => ({ text: row.id.slice(7, 19), tone: 'dim' }) },
      { title: 'SIZE', width: 8, right: true, cell: (row) => plain(humanSize(facts.images.get(row.id)?.Size ?? 0, 3)) },
      {
        title: 'USED',
        width: 5,
        right: true,
        cell: (row) =>
          plain(String([...facts.containers.values()].filter((one) => one.ImageID === row.id).length || '-')),
      },
      {
        title: 'AGE',
        width: 4,
        right: true,
        cell: (row) => plain(age((facts.images.get(row.id)?.Created ?? 0) * 1000, now)),
      },
    ];
  }
  if (pane === 'volumes') {
    return [
      { title: 'NAME', width: 0, grow: 1, cell: (row) => plain(row.name) },
      { title: 'DRIVER', width: 8, cell: (row) => ({ text: facts.volumes.get(row.id)?.Driver ?? '', tone: 'dim' }) },
      {
        title: 'USED',
        width: 5,
        right: true,
        cell: (row) =>
          plain(
            String(
              [...facts.containers.values()].filter((one) => one.Mounts?.some((mount) => mount.Name === row.id))
                .length || '-',
            ),
          ),
      },
    ];
  }
  return [
    { title: 'NAME', width: 0, grow: 1, cell: (row) => plain(row.name) },
    { title: 'DRIVER', width: 8, cell: (row) => ({ text: facts.networks.get(row.id)?.Driver ?? '', tone: 'dim' }) },
    {
      title: 'SUBNET',
      width: 18,
      from: 44,
      cell: (row) => plain(facts.networks.get(row.id)?.IPAM?.Config?.[0]?.Subnet ?? '-'),
    },
  ];
}

const EMPTY: Readonly<Record<Pane, string[]>> = {
  containers: [
    'No containers yet.',
    'P pulls an image; then, in a shell:',
    'galley run -d -p 8080:80 --name web nginx',
  ],
  images: ['No images yet. P pulls one by name.'],
  volumes: ['No volumes. galley volume create NAME makes one.'],
  networks: ['No networks.'],
};

function emptyLines(facts: Facts, view: View, pane: Pane): string[] {
  if (facts.connection.state === 'connecting') return ['Connecting to the engine …'];
  if (!facts.engine) {
    return /permission denied/i.test(facts.connection.message)
      ? [
          'No permission to talk to the engine.',
          'sudo usermod -aG galley $USER',
          'then log in again, or run sudo galley',
        ]
      : ['No engine answers.', 'sudo galley daemon start', 'starts one; this screen connects by itself.'];
  }
  if (view.filter[pane] !== '') return [`Nothing matches ${view.filter[pane]}. Esc clears the filter.`];
  if (pane === 'containers' && !view.all && facts.containers.size > 0) return ['No running containers. A shows all.'];
  return EMPTY[pane];
}

/** The inside of a list pane. */
export function listLines(facts: Facts, view: View, pane: Pane, width: number, height: number, now: number): Line[] {
  const rows = rowsOf(facts, view, pane);
  if (rows.length === 0)
    return [[], ...emptyLines(facts, view, pane).map((text): Line => [{ text: `  ${text}`, tone: 'dim' }])];
  const focused = view.pane === pane && view.focus === 'list';
  return tableLines({
    rows,
    columns: columnsOf(facts, pane, now),
    index: selectedIndex(rows, view, pane),
    width,
    height,
    focused,
  });
}
