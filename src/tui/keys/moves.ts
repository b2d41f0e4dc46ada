/** Moving about, and the dashboard itself. */
import { FRESH, PANES, type Pane, TABS } from '../../store/index.ts';
import type { Controls } from '../control/controller.ts';
import type { Action } from './types.ts';

const goPane = (controls: Controls, step: number) => {
  const { pane } = controls.view.getState();
  controls.go(PANES[(PANES.indexOf(pane) + step + PANES.length) % PANES.length] as Pane);
};
const goTab = (controls: Controls, step: number) => {
  const { pane, tab } = controls.view.getState();
  const count = TABS[pane].length;
  controls.set({ tab: { ...tab, [pane]: (tab[pane] + step + count) % count }, ...FRESH });
};
const back = (controls: Controls) => {
  const view = controls.view.getState();
  if (view.message) controls.set({ message: undefined });
  else if (view.zoom !== 'none') controls.set({ zoom: 'none' });
  else if (view.focus === 'detail' && view.search !== '') controls.set({ search: '', match: -1 });
  else if (view.focus === 'detail') controls.set({ focus: 'list', ...FRESH });
  else if (view.marked.size > 0) controls.set({ marked: new Set() });
  else if (view.filter[view.pane] !== '') controls.set({ filter: { ...view.filter, [view.pane]: '' } });
};
const atRoot = (controls: Controls) => {
  const view = controls.view.getState();
  return view.focus === 'list' && view.zoom === 'none';
};
const zoom = (controls: Controls, grow: boolean) => {
  const { zoom: now, focus } = controls.view.getState();
  controls.set({ zoom: grow ? (now === 'none' ? focus : now) : 'none' });
};
const paneAction = (pane: Pane, key: string): Action => ({
  id: `pane.${pane}`,
  keys: [key],
  title: `Go to the ${pane}`,
  where: ['global'],
  run: (controls) => controls.go(pane),
});

export const MOVE_ACTIONS: readonly Action[] = [
  {
    id: 'pane.next',
    keys: ['tab', 'right'],
    title: 'Next pane',
    where: ['global'],
    hint: 'pane',
    run: (c) => goPane(c, 1),
  },
  {
    id: 'pane.previous',
    keys: ['shift-tab', 'left'],
    title: 'Previous pane',
    where: ['global'],
    run: (c) => goPane(c, -1),
  },
  paneAction('containers', '1'),
  paneAction('images', '2'),
  paneAction('volumes', '3'),
  paneAction('networks', '4'),
  {
    id: 'tab.next',
    keys: [']', '>'],
    title: 'Next detail tab',
    where: ['global'],
    hint: 'tab',
    run: (c) => goTab(c, 1),
  },
  { id: 'tab.previous', keys: ['[', '<'], title: 'Previous detail tab', where: ['global'], run: (c) => goTab(c, -1) },
  { id: 'move.down', keys: ['j', 'down'], title: 'Down', where: ['global'], run: (c) => c.move(1) },
  { id: 'move.up', keys: ['k', 'up'], title: 'Up', where: ['global'], run: (c) => c.move(-1) },
  {
    id: 'move.halfdown',
    keys: ['ctrl-d'],
    title: 'Half a page down',
    where: ['global'],
    run: (c) => c.move(Math.ceil(c.page() / 2)),
  },
  {
    id: 'move.halfup',
    keys: ['ctrl-u'],
    title: 'Half a page up',
    where: ['global'],
    run: (c) => c.move(-Math.ceil(c.page() / 2)),
  },
  {
    id: 'move.pagedown',
    keys: ['ctrl-f', 'pgdn'],
    title: 'A page down',
    where: ['global'],
    run: (c) => c.move(c.page()),
  },
  { id: 'move.pageup', keys: ['ctrl-b', 'pgup'], title: 'A page up', where: ['global'], run: (c) => c.move(-c.page()) },
  { id: 'move.top', keys: ['g', 'home'], title: 'To the top', where: ['global'], run: (c) => c.moveTo('top') },
  { id: 'move.bottom', keys: ['G', 'end'], title: 'To the bottom', where: ['global'], run: (c) => c.moveTo('bottom') },
  {
    id: 'zoom.in',
    keys: ['+', '=', 'z'],
    title: 'The focused area full screen',
    where: ['global'],
    hint: 'zoom',
    run: (c) => zoom(c, true),
  },
  {
    id: 'zoom.out',
    keys: ['_', '-'],
    title: 'List and detail together again',
    where: ['global'],
    run: (c) => zoom(c, false),
  },
  {
    id: 'app.palette',
    keys: [':'],
    title: 'Find an action by its name',
    where: ['global'],
    hint: 'actions',
    run: (c) => c.set({ dialog: { kind: 'palette', query: '', index: 0 } }),
  },
  {
    id: 'app.engine',
    keys: ['@'],
    title: 'Choose another engine',
    where: ['global'],
    hint: ({ lost }) => (lost ? 'other engines' : ''),
    run: (c) => c.chooseEngine(),
  },
  {
    id: 'app.start',
    keys: ['S'],
    title: 'Start galleyd when it does not run',
    where: ['global'],
    hint: ({ lost, startable }) => (lost && startable ? 'start galleyd' : ''),
    run: (c) => c.startEngine(),
  },
  {
    id: 'app.retry',
    keys: ['ctrl-r'],
    title: 'Look for a lost engine now',
    where: ['global'],
    hint: ({ lost }) => (lost ? 'retry' : ''),
    run: (c) => c.retry(),
  },
  {
    id: 'app.trail',
    keys: ['ctrl-o'],
    title: 'Back to where the jump began',
    where: ['global'],
    run: (c) => c.jumpBack(),
  },
  {
    id: 'app.back',
    keys: ['esc'],
    title: 'One step back; clears marks, then the filter',
    where: ['global'],
    run: back,
  },
  { id: 'app.redraw', keys: ['ctrl-l'], title: 'Draw the screen anew', where: ['global'], run: (c) => c.redraw() },
  {
    id: 'app.suspend',
    keys: ['ctrl-z'],
    title: 'Suspend to the shell (fg comes back)',
    where: ['global'],
    run: (c) => c.suspend(),
  },
  {
    id: 'app.help',
    keys: ['?'],
    title: 'All keys',
    where: ['global'],
    hint: 'help',
    run: (c) => c.set({ dialog: { kind: 'help', scroll: 0 } }),
  },
  {
    id: 'app.quit',
    keys: ['q'],
    title: 'Back, or quit from the lists (the engine keeps running)',
    where: ['global'],
    hint: 'quit',
    run: (c) => (atRoot(c) ? c.quit() : back(c)),
  },
  { id: 'app.quitnow', keys: ['ctrl-c'], title: 'Quit at once', where: ['global'], run: (c) => c.quit() },
];
