/** What is done in the detail area. */
import { tabOf, type View } from '../../store/index.ts';
import type { Action } from './types.ts';

const SIDEWAYS = 16;
const isLogs = (view: View) => tabOf(view) === 'logs';
const isText = (view: View) => isLogs(view) || tabOf(view) === 'inspect';
/** What can be scrolled sideways. */
const isWide = (view: View) => isText(view) || tabOf(view) === 'history';

export const TEXT_ACTIONS: readonly Action[] = [
  {
    id: 'detail.search',
    keys: ['/'],
    title: 'Search in the text',
    where: ['detail'],
    when: isText,
    hint: 'search',
    run: (c) => c.set({ typing: 'search', search: '', match: -1 }),
  },
  { id: 'detail.next', keys: ['n'], title: 'Next match', where: ['detail'], when: isText, run: (c) => c.findNext(1) },
  {
    id: 'detail.previous',
    keys: ['N'],
    title: 'Previous match',
    where: ['detail'],
    when: isText,
    run: (c) => c.findNext(-1),
  },
  {
    id: 'detail.follow',
    keys: ['f'],
    title: 'Pause the logs where they are, or follow their end again',
    where: ['detail'],
    when: isLogs,
    hint: ({ view }) => (view.follow ? 'pause' : 'follow'),
    run: (c) => c.toggleFollow(),
  },
  {
    id: 'detail.wrap',
    keys: ['w'],
    title: 'Wrap long lines or cut them',
    where: ['detail'],
    when: isText,
    hint: 'wrap',
    run: (c) => c.set({ wrap: !c.view.getState().wrap, across: 0 }),
  },
  {
    id: 'detail.timestamps',
    keys: ['t'],
    title: 'Timestamps of the logs on or off',
    where: ['detail'],
    when: isLogs,
    hint: 'time',
    run: (c) => c.set({ timestamps: !c.view.getState().timestamps, follow: true }),
  },
  {
    id: 'detail.left',
    keys: ['h'],
    title: 'Scroll left',
    where: ['detail'],
    when: isWide,
    run: (c) => c.set({ across: Math.max(0, c.view.getState().across - SIDEWAYS) }),
  },
  {
    id: 'detail.right',
    keys: ['l'],
    title: 'Scroll right',
    where: ['detail'],
    when: isWide,
    run: (c) => c.set({ across: c.view.getState().across + SIDEWAYS }),
  },
  {
    id: 'detail.page',
    keys: ['space'],
    title: 'A page down',
    where: ['detail'],
    run: (c) => c.move(c.page()),
  },
];
