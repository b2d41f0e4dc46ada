import type { EngineClient } from '../client/types.ts';
import type { Pane, Row } from './rows.ts';

/** One action: dispatch, hints and help come from this table. `danger` asks first, with Cancel as the default. */
export interface Action {
  id: string;
  keys: readonly string[];
  title: string;
  where: readonly Pane[];
  danger: boolean;
  run(client: EngineClient, row: Row, pane: Pane): Promise<void>;
}

export const ACTIONS: readonly Action[] = [
  {
    id: 'start-stop',
    keys: ['s'],
    title: 'start/stop',
    where: ['containers'],
    danger: false,
    run: (client, row) => (row.running ? client.getContainer(row.id).stop() : client.getContainer(row.id).start()),
  },
  {
    id: 'restart',
    keys: ['r'],
    title: 'restart',
    where: ['containers'],
    danger: true,
    run: (client, row) => client.getContainer(row.id).restart(),
  },
  {
    id: 'kill',
    keys: ['K'],
    title: 'kill',
    where: ['containers'],
    danger: true,
    run: (client, row) => client.getContainer(row.id).kill(),
  },
  {
    id: 'remove',
    keys: ['d'],
    title: 'remove',
    where: ['containers', 'images', 'volumes'],
    danger: true,
    run: async (client, row, pane) => {
      if (pane === 'containers') await client.getContainer(row.id).remove({ force: row.running });
      else if (pane === 'images') await client.getImage(row.id).remove();
      else await client.getVolume(row.id).remove();
    },
  },
];

/** Keys that move and look, for help and hints; they change nothing. */
export const LOOKING: readonly (readonly [keys: string, title: string])[] = [
  ['j k ↓ ↑ g G', 'move'],
  ['Tab 1 2 3', 'pane'],
  ['[ ]', 'logs, inspect'],
  ['/', 'filter'],
  ['Esc', 'back'],
  ['?', 'help'],
  ['q', 'quit'],
];

export const actionFor = (key: string, pane: Pane): Action | undefined =>
  ACTIONS.find((action) => action.keys.includes(key) && action.where.includes(pane));

/** The key table as markdown, for the README. */
export function keyTable(): string {
  const rows = [
    ...LOOKING.map(([keys, title]) => `| ${keys} | ${title} |`),
    ...ACTIONS.map(
      (action) =>
        `| ${action.keys.join(' ')} | ${action.title}${action.danger ? ' (asks first)' : ''}: ${action.where.join(', ')} |`,
    ),
  ];
  return ['| key | does |', '|---|---|', ...rows, ''].join('\n');
}
