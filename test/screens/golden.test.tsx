/**
 * Whole frames as Ink draws them, compared with text that is checked in: a change of any screen is to be read in review.
 * `vitest run test/screens -u` writes them anew.
 */
import { renderToString } from 'ink';
import { describe, expect, it } from 'vitest';
import {
  cells,
  type DetailState,
  type Dialog,
  type Facts,
  initialView,
  NO_DETAIL,
  NO_FACTS,
  rowsOf,
  selectedRow,
  tabOf,
  type View,
} from '../../src/store/index.ts';
import { Frame } from '../../src/tui/Frame.tsx';
import type { StartWay } from '../../src/tui/lists.ts';
import { detailOf, FACTS, HOST, NOW } from './recorded.ts';

interface Scene {
  facts?: Facts;
  view?: Partial<View>;
  detail?: DetailState;
  start?: StartWay;
  host?: string;
}

const base = initialView();
const at = (pane: View['pane'], name: string, more: Partial<View> = {}): Partial<View> => {
  const row = rowsOf(FACTS, base, pane).find((one) => one.name === name);
  return { pane, selected: { ...base.selected, [pane]: row?.key ?? '' }, ...more };
};
const worker = (more: Partial<View> = {}) => at('containers', 'worker-1', more);
const tab = (pane: View['pane'], index: number) => ({ tab: { ...base.tab, [pane]: index } });
const lost = (message: string, more: Partial<Facts> = {}): Facts => ({
  ...NO_FACTS,
  connection: { state: 'lost', message },
  ...more,
});
const nothing = () => undefined;
const dialog = (one: Dialog): Scene => ({ view: worker({ dialog: one }) });
const none: Facts = { ...FACTS, containers: new Map(), images: new Map(), volumes: new Map(), stats: new Map() };
const refused = `Cannot connect to the engine at ${HOST}. Is it running? (ENOENT)`;

const SCENES: Readonly<Record<string, Scene>> = {
  containers: { view: worker() },
  'containers-marked': {
    view: worker({
      marked: new Set(
        rowsOf(FACTS, base, 'containers')
          .slice(1, 3)
          .map((row) => row.key),
      ),
    }),
  },
  'containers-filtered': {
    view: worker({ typing: 'filter', filter: { ...base.filter, containers: 'wrk' } }),
  },
  'containers-by-memory': { view: worker({ order: { ...base.order, containers: { column: 'MEM', reverse: false } } }) },
  'logs-searched': { view: worker({ focus: 'detail', search: 'queue', match: 20, follow: false, scroll: 12 }) },
  'logs-zoomed': { view: worker({ focus: 'detail', zoom: 'detail', wrap: true }) },
  'logs-of-what-failed': {
    view: at('containers', 'import'),
    detail: {
      ...detailOf('logs', rowsOf(FACTS, base, 'containers').find((one) => one.name === 'import')?.id ?? ''),
      lines: [{ text: 'no such file: prices.csv' }],
      ended: true,
    },
  },
  stats: { view: worker({ focus: 'detail', ...tab('containers', 1) }) },
  'stats-stopped': { view: at('containers', 'import', { focus: 'detail', ...tab('containers', 1) }) },
  inspect: { view: worker({ focus: 'detail', ...tab('containers', 2) }) },
  images: { view: at('images', 'shop/front:1.27') },
  'images-used-by': { view: at('images', 'shop/front:1.27', tab('images', 1)) },
  volumes: { view: at('volumes', 'orders') },
  networks: { view: at('networks', 'shop') },
  help: dialog({ kind: 'help', scroll: 0 }),
  'help-end': dialog({ kind: 'help', scroll: 999 }),
  palette: dialog({ kind: 'palette', query: 'rest', index: 0 }),
  remove: dialog({
    kind: 'confirm',
    title: 'Remove this container?',
    note: 'What runs is killed first. Anonymous volumes go too, named ones stay.\n= galley rm -f -v worker-1',
    objects: [{ Container: 'worker-1', Image: '…mple:5000/shop/worker:2.4', State: 'running' }],
    verb: 'Remove',
    yes: false,
    run: nothing,
  }),
  'remove-many': dialog({
    kind: 'confirm',
    title: 'Remove these 6 containers?',
    note: '= galley rm -v a b c d and 2 more',
    objects: ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ Container: name, Image: 'busybox', State: 'exited' })),
    verb: 'Remove',
    yes: true,
    run: nothing,
  }),
  'pull-name': dialog({ kind: 'pull-name', text: 'nginx:1.2' }),
  pull: dialog({
    kind: 'pull',
    name: 'nginx:1.27',
    layers: [
      { id: '76ca785bb311', status: 'Already exists', current: 0, total: 0 },
      { id: '5e0cd62d8110', status: 'Downloading', current: 3_400_000, total: 12_900_000 },
      { id: '61127013c964', status: 'Verifying Checksum', current: 0, total: 0 },
      { id: '1a33a3bb98a3', status: 'Waiting', current: 0, total: 0 },
    ],
    line: '1.27: Pulling from library/nginx',
    ended: false,
    error: '',
    cancel: nothing,
  }),
  'pull-failed': dialog({
    kind: 'pull',
    name: 'nginx:none',
    layers: [],
    line: '',
    ended: true,
    error: 'manifest for nginx:none not found: manifest unknown: manifest unknown',
    cancel: nothing,
  }),
  run: dialog({ kind: 'run', text: '-p 8080:80 --name web nginx', line: '', error: '' }),
  'run-failed': dialog({
    kind: 'run',
    text: '--nonsense nginx',
    line: '',
    error: 'unknown flag: --nonsense\nUsage:  galley run [OPTIONS] IMAGE [COMMAND] [ARG...]',
  }),
  engines: dialog({
    kind: 'choose',
    title: 'Engines',
    choices: [
      { title: HOST, note: "galley's own engine, in use", run: nothing },
      { title: 'unix:///var/run/docker.sock', note: 'answers', run: nothing },
    ],
    index: 1,
  }),
  'nothing-yet': { facts: none },
  'nothing-yet-images': { facts: none, view: { pane: 'images' } },
  connecting: { facts: NO_FACTS },
  starting: {
    facts: {
      ...NO_FACTS,
      connection: {
        state: 'connecting',
        message: `galleyd is not running: starting it (${HOST}, log /var/log/galleyd.log)`,
      },
    },
  },
  'no-engine-root': {
    facts: lost(refused, {
      startFailure:
        'could not start galleyd: it ended with code 1\n  galleyd: /var/lib/galley: no space left on device',
      others: ['unix:///var/run/docker.sock'],
    }),
  },
  'no-engine-sudo': {
    facts: lost(refused, {
      startFailure: 'galleyd is not running, and starting it needs root: run "sudo galley daemon start" once',
    }),
    start: 'sudo',
  },
  'no-permission': {
    facts: lost(
      `permission denied while trying to connect to the engine at ${HOST}: run the command as root, or join the group that owns the socket`,
    ),
    start: 'sudo',
  },
  'no-engine-named': {
    facts: lost('Cannot connect to the engine at ssh://cook@kitchen. Is it running?'),
    start: 'no',
    host: 'ssh://cook@kitchen',
  },
  'engine-went-away': {
    facts: { ...FACTS, connection: { state: 'lost', message: 'the engine closed the connection' }, stats: new Map() },
    view: worker(),
  },
  'long-address': { view: worker(), host: 'ssh://administrator@a-machine-with-a-long-name.internal.example.com:2222' },
  error: {
    view: worker({ message: { text: 'remove orders: volume is in use - [7f3a]', tone: 'error' } }),
  },
};

const detailFor = (view: View): DetailState => {
  const kind = tabOf(view);
  const row = selectedRow(FACTS, view);
  return row && (kind === 'logs' || kind === 'inspect' || kind === 'history') ? detailOf(kind, row.id) : NO_DETAIL;
};

function draw(scene: Scene, columns: number, rows: number): string {
  const view = { ...base, ...scene.view };
  const facts = scene.facts ?? FACTS;
  const input = {
    facts,
    view,
    detail: scene.detail ?? detailFor(view),
    host: scene.host ?? HOST,
    start: scene.start ?? 'key',
    columns,
    rows,
    now: NOW,
  };
  return renderToString(<Frame input={input} colour={false} />, { columns }).replace(/\x1b\[[\d;]*m/g, '');
}

describe.each([
  [80, 24],
  [120, 40],
  [200, 50],
])('at %ix%i', (columns, rows) => {
  it.each(Object.keys(SCENES))('%s', async (name) => {
    const frame = draw(SCENES[name] as Scene, columns, rows);
    const lines = frame.split('\n');
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) expect(cells(line)).toBeLessThanOrEqual(columns);
    const text = lines.map((line) => line.trimEnd()).join('\n');
    await expect(`${text}\n`).toMatchFileSnapshot(`golden/${columns}x${rows}/${name}.txt`);
  });
});

describe('a terminal that is too small', () => {
  it('says so and what is needed', () => {
    expect(
      draw({}, 50, 10)
        .trim()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(['Too small: 50x10.', 'galley needs 60x15.', 'Enlarge it, or q quits.']);
  });
});
