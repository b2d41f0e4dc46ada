/** The inside of the detail area. Pure. */
import { binarySize, humanSize } from '../format/units.ts';
import {
  cleanLine,
  type DetailState,
  type Facts,
  fitCells,
  nameOf,
  type Row,
  sliceCells,
  tabOf,
  usersOf,
  type View,
} from '../store/index.ts';
import { stateCell } from './lists.ts';
import { textViewLines } from './text-view.ts';
import { chart, scaleOf } from './widgets/chart.ts';
import type { Line, Tone } from './widgets/line.ts';

function statsLines(facts: Facts, id: string, width: number, height: number): Line[] {
  const ring = facts.stats.get(id) ?? [];
  const newest = ring.at(-1);
  if (!newest) {
    const running = facts.containers.get(id)?.State === 'running';
    return [[], [{ text: running ? '  waiting for the first sample …' : '  not running: s starts it', tone: 'dim' }]];
  }
  const label = 10;
  const wide = Math.max(10, width - label - 2);
  const tall = Math.max(1, Math.floor((height - 3) / 2));
  const graph = (values: readonly number[], words: (value: number) => string, tone: Tone): Line[] => {
    const top = scaleOf(values);
    return chart(values, wide, tall, top).map((text, at) => [
      { text: `${fitCells(at === 0 ? words(top) : at === tall - 1 ? words(0) : '', label, true)} `, tone: 'dim' },
      { text, tone },
    ]);
  };
  const memory = ring.map((one) => one.memory / 1048576);
  const share =
    newest.memoryLimit > 0 ? ` of ${binarySize(newest.memoryLimit)} (${newest.memoryPercent.toFixed(1)}%)` : '';
  const peak = Math.max(...ring.map((one) => one.cpuPercent));
  return [
    [
      { text: ' CPU     ', tone: 'title' },
      { text: `${newest.cpuPercent.toFixed(2)}%`, tone: 'good' },
      { text: `  peak ${peak.toFixed(2)}%, last ${ring.length} s (100% is one cpu)`, tone: 'dim' },
    ],
    ...graph(
      ring.map((one) => one.cpuPercent),
      (value) => `${value}%`,
      'good',
    ),
    [
      { text: ' MEMORY  ', tone: 'title' },
      { text: `${binarySize(newest.memory)}${share}`, tone: 'accent' },
    ],
    ...graph(memory, (value) => binarySize(value * 1048576), 'accent'),
    [
      {
        text: ` NET in ${humanSize(newest.received)} out ${humanSize(newest.sent)}   BLOCK in ${humanSize(newest.blockRead)} out ${humanSize(newest.blockWritten)}   PIDS ${newest.pids}`,
        tone: 'dim',
      },
    ],
  ];
}

function historyLines(detail: DetailState, view: View, width: number, height: number): Line[] {
  const top = Math.max(0, Math.min(view.scroll, detail.lines.length - height + 1));
  const rows = detail.lines.slice(top, top + height - 1);
  const lines = rows.map((line): Line => {
    const layer = JSON.parse(line.text) as { Size: number; CreatedBy: string; Comment: string };
    const made = cleanLine((layer.CreatedBy || layer.Comment || '').replace(/^\/bin\/sh -c (#\(nop\) +)?/, ''));
    return [
      { text: ` ${fitCells(layer.Size > 0 ? humanSize(layer.Size, 3) : '-', 8, true)}  `, tone: 'accent' },
      { text: sliceCells(made, view.across, width - 11) },
    ];
  });
  return [[{ text: ` ${fitCells('SIZE', 8, true)}  MADE BY`, tone: 'dim' }], ...lines];
}

function usersLines(facts: Facts, view: View, row: Row, width: number, height: number): Line[] {
  const users = usersOf(facts, view.pane, row.id);
  if (users.length === 0) return [[], [{ text: '  No container uses it.', tone: 'dim' }]];
  const top = Math.max(0, Math.min(view.scroll, users.length - height + 1));
  const name = Math.max(10, Math.floor((width - 16) / 2));
  const lines = users.slice(top, top + height - 1).map((one): Line => {
    const state = stateCell(one);
    const mount = one.Mounts?.find((each) => each.Name === row.id);
    const link = Object.values(one.NetworkSettings?.Networks ?? {}).find((each) => each?.NetworkID === row.id);
    const how =
      view.pane === 'volumes'
        ? `${mount?.Destination ?? ''}${mount?.RW === false ? ' (read only)' : ''}`
        : view.pane === 'networks'
          ? (link?.IPAddress ?? '')
          : one.Command;
    return [
      { text: ` ${fitCells(state.text, 13)} `, tone: state.tone },
      { text: `${fitCells(nameOf(one), name)} ` },
      { text: cleanLine(how), tone: 'dim' },
    ];
  });
  const what = view.pane === 'volumes' ? 'PATH' : view.pane === 'networks' ? 'ADDRESS' : 'COMMAND';
  return [[{ text: ` ${fitCells('STATE', 13)} ${fitCells('CONTAINER', name)} ${what}`, tone: 'dim' }], ...lines];
}

const levelTone = (text: string): Tone =>
  /\b(error|fatal|panic)\b/i.test(text) ? 'bad' : /\bwarn(ing)?\b/i.test(text) ? 'warn' : 'plain';

/** What the area shows for the selected row. */
export function detailLines(
  facts: Facts,
  view: View,
  detail: DetailState,
  row: Row | undefined,
  width: number,
  height: number,
): Line[] {
  if (!row) return [];
  const tab = tabOf(view);
  if (tab === 'stats') return statsLines(facts, row.id, width, height);
  if (tab === 'used by') return usersLines(facts, view, row, width, height);
  if (detail.error !== '') return [[], [{ text: `  ${detail.error}`, tone: 'bad' }]];
  if (detail.lines.length === 0) {
    const words = detail.ended ? '  It has written nothing.' : tab === 'logs' ? '  no output yet' : '  loading …';
    return [[], [{ text: words, tone: 'dim' }]];
  }
  if (tab === 'history') return historyLines(detail, view, width, height);
  return textViewLines({
    detail,
    view,
    width,
    height,
    follows: tab === 'logs' && view.follow,
    tone: tab === 'logs' ? levelTone : () => 'plain',
    json: tab === 'inspect',
  });
}
