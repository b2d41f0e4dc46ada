/** The one table of what a key does. Dispatch, help, hints, palette and the README's key table come from it. */
import { PANES, type Pane, TABS } from '../../store/index.ts';
import type { Action, Controls, Where } from './types.ts';

const goPane = (controls: Controls, step: number) => {
  const { pane } = controls.view.getState();
  const next = PANES[(PANES.indexOf(pane) + step + PANES.length) % PANES.length] as Pane;
  controls.set({ pane: next, focus: 'list', scroll: 0, across: 0, follow: true });
};
const goTab = (controls: Controls, step: number) => {
  const { pane, tab } = controls.view.getState();
  const count = TABS[pane].length;
  controls.set({ tab: { ...tab, [pane]: (tab[pane] + step + count) % count }, scroll: 0, across: 0, follow: true });
};
const showTab = (controls: Controls, name: string) => {
  const { pane, tab } = controls.view.getState();
  const index = (TABS[pane] as readonly string[]).indexOf(name);
  if (index >= 0) controls.set({ tab: { ...tab, [pane]: index }, scroll: 0, across: 0, follow: true, focus: 'detail' });
};
const back = (controls: Controls) => {
  const view = controls.view.getState();
  if (view.message) controls.set({ message: undefined });
  else if (view.zoom !== 'none') controls.set({ zoom: 'none' });
  else if (view.focus === 'detail') controls.set({ focus: 'list', search: '', follow: true, scroll: 0 });
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
  title: `Go to ${pane}`,
  where: ['global'],
  run: (controls) => controls.set({ pane, focus: 'list', scroll: 0, across: 0, follow: true }),
});

export const ACTIONS: readonly Action[] = [
  {
    id: 'container.startstop',
    keys: ['s'],
    title: 'Start or stop the container',
    where: ['containers'],
    hint: 'start/stop',
    run: (c) => c.startStop(),
  },
  {
    id: 'container.restart',
    keys: ['r'],
    title: 'Restart the container',
    where: ['containers'],
    hint: 'restart',
    danger: true,
    run: (c) => c.restart(),
  },
  {
    id: 'container.logs',
    keys: ['l'],
    title: 'Show the logs',
    where: ['containers'],
    hint: 'logs',
    run: (c) => showTab(c, 'logs'),
  },
  {
    id: 'container.shell',
    keys: ['e'],
    title: 'Open a shell in the container',
    where: ['containers'],
    hint: 'shell',
    run: (c) => c.shell(),
  },
  {
    id: 'container.attach',
    keys: ['a'],
    title: 'Attach to the main process (ctrl-p ctrl-q detaches)',
    where: ['containers'],
    run: (c) => c.attach(),
  },
  {
    id: 'container.pause',
    keys: ['p'],
    title: 'Pause or unpause the container',
    where: ['containers'],
    danger: true,
    run: (c) => c.pause(),
  },
  {
    id: 'container.kill',
    keys: ['K'],
    title: 'Kill the container (SIGKILL)',
    where: ['containers'],
    danger: true,
    run: (c) => c.kill(),
  },
  {
    id: 'container.all',
    keys: ['A'],
    title: 'Show all containers or only running ones',
    where: ['containers'],
    hint: 'all/running',
    run: (c) => c.set({ all: !c.view.getState().all }),
  },
  {
    id: 'image.pull',
    keys: ['P'],
    title: 'Pull an image by name',
    where: ['list'],
    hint: 'pull',
    run: (c) => c.set({ dialog: { kind: 'pull-name', text: '' } }),
  },
  {
    id: 'object.inspect',
    keys: ['i'],
    title: 'Inspect',
    where: ['list', 'detail'],
    hint: 'inspect',
    run: (c) => showTab(c, 'inspect'),
  },
  {
    id: 'object.remove',
    keys: ['d'],
    title: 'Remove (asks first)',
    where: ['list'],
    hint: 'remove',
    danger: true,
    run: (c) => c.remove(),
  },
  {
    id: 'object.open',
    keys: ['enter'],
    title: 'Go to the detail area',
    where: ['list'],
    run: (c) => c.set({ focus: 'detail' }),
  },
  {
    id: 'detail.follow',
    keys: ['f'],
    title: 'Follow the end of the logs',
    where: ['detail'],
    hint: 'follow',
    run: (c) => c.set({ follow: !c.view.getState().follow, scroll: 0 }),
  },
  {
    id: 'detail.timestamps',
    keys: ['t'],
    title: 'Timestamps on or off',
    where: ['detail'],
    hint: 'time',
    run: (c) => c.set({ timestamps: !c.view.getState().timestamps, follow: true, scroll: 0 }),
  },
  {
    id: 'detail.wrap',
    keys: ['w'],
    title: 'Wrap long lines',
    where: ['detail'],
    hint: 'wrap',
    run: (c) => c.set({ wrap: !c.view.getState().wrap, across: 0 }),
  },
  {
    id: 'detail.search',
    keys: ['/'],
    title: 'Search in the text',
    where: ['detail'],
    hint: 'search',
    run: (c) => c.set({ typing: 'search', search: '' }),
  },
  { id: 'detail.next', keys: ['n'], title: 'Next match', where: ['detail'], run: (c) => c.findNext(1) },
  { id: 'detail.previous', keys: ['N'], title: 'Previous match', where: ['detail'], run: (c) => c.findNext(-1) },
  {
    id: 'detail.left',
    keys: ['h'],
    title: 'Scroll left',
    where: ['detail'],
    run: (c) => c.set({ across: Math.max(0, c.view.getState().across - 16) }),
  },
  {
    id: 'detail.right',
    keys: ['l'],
    title: 'Scroll right',
    where: ['detail'],
    run: (c) => c.set({ across: c.view.getState().across + 16 }),
  },
  {
    id: 'list.filter',
    keys: ['/'],
    title: 'Filter the list (fuzzy; !word leaves out)',
    where: ['list'],
    hint: 'filter',
    run: (c) => c.set({ typing: 'filter' }),
  },
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
    keys: ['+', '='],
    title: 'The focused area full screen',
    where: ['global'],
    run: (c) => zoom(c, true),
  },
  {
    id: 'zoom.out',
    keys: ['_', '-'],
    title: 'List and detail side by side again',
    where: ['global'],
    run: (c) => zoom(c, false),
  },
  {
    id: 'app.help',
    keys: ['?'],
    title: 'Help',
    where: ['global'],
    hint: 'help',
    run: (c) => c.set({ dialog: { kind: 'help', scroll: 0 } }),
  },
  {
    id: 'app.palette',
    keys: [':'],
    title: 'Find an action by its name',
    where: ['global'],
    hint: 'actions',
    run: (c) => c.set({ dialog: { kind: 'palette', query: '', index: 0 } }),
  },
  { id: 'app.back', keys: ['esc'], title: 'One step back; clears the filter', where: ['global'], run: back },
  { id: 'app.redraw', keys: ['ctrl-l'], title: 'Draw the screen anew', where: ['global'], run: (c) => c.redraw() },
  { id: 'app.retry', keys: ['ctrl-r'], title: 'Look for a lost engine now', where: ['global'], run: (c) => c.retry() },
  {
    id: 'app.suspend',
    keys: ['ctrl-z'],
    title: 'Suspend to the shell (fg comes back)',
    where: ['global'],
    run: (c) => c.suspend(),
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

/** Where a key looks, nearest first. */
export function places(pane: Pane, focus: 'list' | 'detail'): Where[] {
  return focus === 'detail' ? ['detail', pane, 'list', 'global'] : [pane, 'list', 'global'];
}

/** The action of a key; the nearest place wins. */
export function actionFor(key: string, pane: Pane, focus: 'list' | 'detail'): Action | undefined {
  for (const place of places(pane, focus)) {
    const action = ACTIONS.find((one) => one.where.includes(place) && one.keys.includes(key));
    if (action) return action;
  }
  return undefined;
}

/** What can be done here, each key once. */
export function actionsHere(pane: Pane, focus: 'list' | 'detail'): Action[] {
  return ACTIONS.filter((one) => actionFor(one.keys[0] as string, pane, focus) === one);
}
