/** The inside of the detail area. Pure. */
import { binarySize, humanSize } from '../format/units.ts';
import {
  cleanLine,
  type DetailState,
  type Facts,
  fitCells,
  type Row,
  sliceCells,
  tabOf,
  type View,
  wrapCells,
} from '../store/index.ts';
import { chart, scaleOf } from './widgets/chart.ts';
import type { Line, Tone } from './widgets/line.ts';

/** A line with the matches of the search marked. */
function marked(text: string, search: string, tone: Tone): Line {
  if (search === '') return [{ text, tone }];
  const out: { text: string; tone: Tone }[] = [];
  const lower = text.toLowerCase();
  let at = 0;
  for (let next = lower.indexOf(search.toLowerCase()); next >= 0; next = lower.indexOf(search.toLowerCase(), at)) {
    out.push({ text: text.slice(at, next), tone }, { text: text.slice(next, next + search.length), tone: 'selected' });
    at = next + search.length;
  }
  return [...out, { text: text.slice(at), tone }];
}

function textLines(
  detail: DetailState,
  view: View,
  width: number,
  height: number,
  following: boolean,
  tone: (line: string) => Tone,
): Line[] {
  const { lines } = detail;
  const last = Math.max(0, lines.length - height);
  const start = following ? last : Math.min(view.scroll, last);
  let shown = lines.slice(start, start + height);
  if (view.wrap) {
    shown = shown.flatMap((line) => wrapCells(line, width));
    shown = following ? shown.slice(-height) : shown.slice(0, height);
  }
  return shown.map((line) => marked(view.wrap ? line : sliceCells(line, view.across, width), view.search, tone(line)));
}

function statsLines(facts: Facts, id: string, width: number, height: number): Line[] {
  const ring = facts.stats.get(id) ?? [];
  const newest = ring.at(-1);
  if (!newest) {
    const running = facts.containers.get(id)?.State === 'running';
    return [[{ text: running ? ' waiting for the first sample …' : ' not running: s starts it', tone: 'dim' }]];
  }
  const label = 10;
  const wide = Math.max(10, width - label - 2);
  const tall = Math.max(2, Math.floor((height - 5) / 2));
  const graph = (values: readonly number[], words: (value: number) => string, tone: Tone): Line[] => {
    const top = scaleOf(values);
    return chart(values, wide, tall, top).map((text, at) => [
      { text: `${fitCells(at === 0 ? words(top) : at === tall - 1 ? words(0) : '', label, true)} `, tone: 'dim' },
      { text, tone },
    ]);
  };
  const memory = ring.map((one) => one.memory / 1048576);
  const share = newest.limit > 0 ? ` of ${binarySize(newest.limit)}` : '';
  return [
    [
      { text: ' CPU     ', tone: 'title' },
      { text: `${newest.cpu.toFixed(2)}%`, tone: 'good' },
    ],
    ...graph(
      ring.map((one) => one.cpu),
      (value) => `${value}%`,
      'good',
    ),
    [
      { text: ' MEMORY  ', tone: 'title' },
      { text: `${binarySize(newest.memory)}${share}`, tone: 'accent' },
    ],
    ...graph(memory, (value) => binarySize(value * 1048576), 'accent'),
    [],
    [
      {
        text: ` NET in ${humanSize(newest.rx)} out ${humanSize(newest.tx)}   PIDS ${newest.pids}   ${ring.length} s shown`,
        tone: 'dim',
      },
    ],
  ];
}

function historyLines(detail: DetailState, view: View, width: number, height: number): Line[] {
  const rows = detail.lines
    .slice(Math.min(view.scroll, Math.max(0, detail.lines.length - height + 1)))
    .slice(0, height - 1);
  const lines = rows.map((line): Line => {
    const layer = JSON.parse(line) as { Size: number; CreatedBy: string; Comment: string };
    const made = cleanLine((layer.CreatedBy || layer.Comment || '').replace(/^\/bin\/sh -c (#\(nop\) +)?/, ''));
    return [
      { text: ` ${fitCells(layer.Size > 0 ? humanSize(layer.Size, 3) : '-', 8, true)}  `, tone: 'accent' },
      { text: sliceCells(made, view.across, width - 11) },
    ];
  });
  return [[{ text: ` ${fitCells('SIZE', 8, true)}  MADE BY`, tone: 'dim' }], ...lines];
}

/** What the area shows for the selected row. */
export function detailLines(
  facts: Facts,
  view: View,
  detail: DetailState,
  row: Row | undefined,
  width: number,
  height: number,
): Line[] {
  if (!row) return [[], [{ text: '  Nothing is selected.', tone: 'dim' }]];
  const tab = tabOf(view);
  if (tab === 'stats') return statsLines(facts, row.id, width, height);
  if (detail.error !== '') return [[], [{ text: `  ${detail.error}`, tone: 'bad' }]];
  if (detail.lines.length === 0)
    return [
      [],
      [{ text: detail.ended ? '  (empty)' : tab === 'logs' ? '  no output yet' : '  loading …', tone: 'dim' }],
    ];
  if (tab === 'history') return historyLines(detail, view, width, height);
  return textLines(detail, view, width, height, tab === 'logs' && view.follow, (line) =>
    tab === 'logs'
      ? /\b(error|fatal|panic)\b/i.test(line)
        ? 'bad'
        : /\bwarn(ing)?\b/i.test(line)
          ? 'warn'
          : 'plain'
      : 'plain',
  );
}
