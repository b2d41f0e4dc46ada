/** What is done to the selected or marked rows of a list. */
import { FRESH, TABS, type Tab } from '../../store/index.ts';
import type { Controls } from '../control/controller.ts';
import type { Action } from './types.ts';

const showTab = (controls: Controls, name: Tab) => {
  const { pane, tab } = controls.view.getState();
  const index = TABS[pane].indexOf(name);
  if (index >= 0) controls.set({ tab: { ...tab, [pane]: index }, ...FRESH, focus: 'detail' });
};

export const OBJECT_ACTIONS: readonly Action[] = [
  {
    id: 'container.logs',
    keys: ['l'],
    title: 'Show the logs',
    where: ['containers'],
    hint: 'logs',
    run: (c) => showTab(c, 'logs'),
  },
  {
    id: 'container.startstop',
    keys: ['s'],
    title: 'Start, stop or unpause, whatever its state asks for (stopping asks first)',
    where: ['containers'],
    danger: true,
    hint: (state) =>
      state === 'running' || state === 'restarting' ? 'stop' : state === 'paused' ? 'unpause' : 'start',
    run: (c) => c.startStop(),
  },
  {
    id: 'container.restart',
    keys: ['r'],
    title: 'Restart',
    where: ['containers'],
    hint: 'restart',
    danger: true,
    run: (c) => c.restart(),
  },
  {
    id: 'container.shell',
    keys: ['e'],
    title: 'Open a shell in the container',
    where: ['containers'],
    hint: 'shell',
    run: (c) => c.enter('shell'),
  },
  {
    id: 'object.remove',
    keys: ['d'],
    title: 'Remove',
    where: ['list'],
    hint: 'remove',
    danger: true,
    run: (c) => c.remove(),
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
    id: 'list.filter',
    keys: ['/'],
    title: 'Filter the list (letters in their order; !word leaves out; state:exited, label:web)',
    where: ['list'],
    hint: 'filter',
    run: (c) => c.set({ typing: 'filter' }),
  },
  {
    id: 'object.inspect',
    keys: ['i'],
    title: 'Inspect: everything the engine knows of it',
    where: ['list', 'detail'],
    hint: 'inspect',
    run: (c) => showTab(c, 'inspect'),
  },
  {
    id: 'container.stats',
    keys: ['t'],
    title: 'Show cpu and memory over time',
    where: ['containers'],
    hint: 'stats',
    run: (c) => showTab(c, 'stats'),
  },
  {
    id: 'container.attach',
    keys: ['a'],
    title: 'Attach to the main process (ctrl-p ctrl-q comes back)',
    where: ['containers'],
    run: (c) => c.enter('attach'),
  },
  {
    id: 'container.pause',
    keys: ['p'],
    title: 'Pause or unpause (pausing asks first)',
    where: ['containers'],
    danger: true,
    run: (c) => c.pause(),
  },
  {
    id: 'container.kill',
    keys: ['K'],
    title: 'Kill: SIGKILL at once',
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
    id: 'object.mark',
    keys: ['space'],
    title: 'Mark the row: actions then take all marked rows (Esc clears)',
    where: ['list'],
    hint: 'mark',
    run: (c) => c.mark(),
  },
  {
    id: 'object.markall',
    keys: ['*'],
    title: 'Mark all rows that are shown, or none',
    where: ['list'],
    run: (c) => c.markAll(),
  },
  {
    id: 'object.jump',
    keys: ['J'],
    title: 'Jump to what it uses or is used by (ctrl-o comes back)',
    where: ['list', 'detail'],
    hint: 'jump',
    run: (c) => c.jump(),
  },
  {
    id: 'list.order',
    keys: ['o'],
    title: 'Order by the next column',
    where: ['list'],
    run: (c) => c.nextOrder(),
  },
  {
    id: 'list.reverse',
    keys: ['O'],
    title: 'Turn the order round',
    where: ['list'],
    run: (c) => c.reverseOrder(),
  },
  {
    id: 'object.open',
    keys: ['enter'],
    title: 'Go to the detail area',
    where: ['list'],
    run: (c) => c.set({ focus: 'detail' }),
  },
];
