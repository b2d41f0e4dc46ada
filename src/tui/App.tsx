import { Box, Text, useApp, useInput, useWindowSize } from 'ink';
import { Table } from 'ink-table';
import { useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import type { EngineClient } from '../client/types.ts';
import type { FactStore } from '../store/facts.ts';
import { ACTIONS, type Action, actionFor, LOOKING } from './actions.ts';
import { loadDetail, type Tab } from './detail.ts';
import { PANES, type Pane, type Row, rowsOf, windowOf } from './rows.ts';
import { fitWidth } from './text.ts';

export interface AppProps {
  client: EngineClient;
  facts: FactStore;
  /** A fixed size, for one frame without a terminal. */
  size?: { columns: number; rows: number };
}

const SMALLEST = { columns: 60, rows: 15 };

function Confirm({ action, row }: { action: Action; row: Row }) {
  return (
    <Box flexDirection="column" borderStyle="round" paddingX={1}>
      <Text bold>{`${action.title} ${row.name}?`}</Text>
      <Text>y: yes, anything else: Cancel</Text>
    </Box>
  );
}

function Help() {
  const data = [
    ...LOOKING.map(([keys, does]) => ({ keys, does })),
    ...ACTIONS.map((action) => ({
      keys: action.keys.join(' '),
      does: `${action.title}${action.danger ? ' (asks first)' : ''}`,
    })),
  ];
  return <Table data={data} />;
}

export function App({ client, facts, size }: AppProps) {
  const known = useStore(facts);
  const terminal = useWindowSize();
  const { columns, rows } = size ?? terminal;
  const { exit } = useApp();
  const [pane, setPane] = useState<Pane>('containers');
  const [tab, setTab] = useState<Tab>('logs');
  const [selectedId, setSelectedId] = useState('');
  const [filter, setFilter] = useState('');
  const [typing, setTyping] = useState(false);
  const [asking, setAsking] = useState<{ action: Action; row: Row } | null>(null);
  const [help, setHelp] = useState(false);
  const [message, setMessage] = useState('');
  const [detail, setDetail] = useState<string[]>([]);

  const list = useMemo(() => rowsOf(known, pane, filter, columns - 2), [known, pane, filter, columns]);
  const index = Math.max(
    0,
    list.findIndex((row) => row.id === selectedId),
  );
  const selected = list[index];
  const shownTab: Tab = pane === 'containers' ? tab : 'inspect';

  const detailKey = `${pane} ${shownTab} ${selected?.id ?? ''} ${selected?.running ?? ''}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: detailKey names exactly what a new detail depends on
  useEffect(() => {
    setDetail([]);
    if (!selected || size) return;
    const stop = new AbortController();
    void loadDetail(client, pane, shownTab, selected, stop.signal, setDetail);
    return () => stop.abort();
  }, [detailKey]);

  const perform = (action: Action, row: Row) => {
    setMessage(`${action.title} ${row.name}…`);
    action.run(client, row, pane).then(
      () => setMessage(`${action.title} ${row.name}: done`),
      (error: unknown) => setMessage(error instanceof Error ? error.message : String(error)),
    );
  };
  const move = (to: number) => setSelectedId(list[Math.max(0, Math.min(list.length - 1, to))]?.id ?? '');
  const press = (key: string) => {
    if (key === 'q') exit();
    else if (key === 'j') move(index + 1);
    else if (key === 'k') move(index - 1);
    else if (key === 'g') move(0);
    else if (key === 'G') move(list.length - 1);
    else if (key === '/') setTyping(true);
    else if (key === '?') setHelp(true);
    else if (key === '[' || key === ']') setTab(tab === 'logs' ? 'inspect' : 'logs');
    else if (key === 'l') setTab('logs');
    else if (key === 'i') setTab('inspect');
    else if (PANES[Number(key) - 1]) setPane(PANES[Number(key) - 1] as Pane);
    else {
      const action = actionFor(key, pane);
      if (!action || !selected) return;
      if (action.danger) setAsking({ action, row: selected });
      else perform(action, selected);
    }
  };

  useInput(
    (input, key) => {
      if (key.ctrl && input === 'c') return exit();
      if (asking) {
        setAsking(null);
        if (input === 'y') perform(asking.action, asking.row);
      } else if (help) setHelp(false);
      else if (typing) {
        if (key.return) setTyping(false);
        else if (key.escape) {
          setTyping(false);
          setFilter('');
        } else if (key.backspace || key.delete) setFilter(filter.slice(0, -1));
        else if (!key.ctrl && !key.meta) setFilter(filter + input);
      } else if (key.tab) setPane(PANES[(PANES.indexOf(pane) + (key.shift ? 2 : 1)) % PANES.length] as Pane);
      else if (key.downArrow) move(index + 1);
      else if (key.upArrow) move(index - 1);
      else if (key.escape) setFilter('');
      else for (const character of input) press(character);
    },
    { isActive: size === undefined },
  );

  if (columns < SMALLEST.columns || rows < SMALLEST.rows)
    return <Text>{`galley needs ${SMALLEST.columns}x${SMALLEST.rows}; this terminal is ${columns}x${rows}`}</Text>;

  const listHeight = Math.max(3, Math.floor((rows - 6) * 0.45));
  const detailHeight = rows - listHeight - 6;
  const shown = windowOf(list.length, index, listHeight);
  const counts = `${known.containers.size} containers  ${known.images.size} images  ${known.volumes.size} volumes`;
  const tabs = PANES.map((name, i) => (name === pane ? `[${i + 1} ${name}]` : ` ${i + 1} ${name} `)).join(' ');
  const empty = known.trouble ? 'nothing known yet' : filter ? `no ${pane} match ${filter}` : `no ${pane} yet`;
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Text bold wrap="truncate">
        {fitWidth(`galley  ${known.engine || 'no engine'}  ${known.host}  ${counts}`, columns)}
      </Text>
      <Text wrap="truncate" color="yellow">
        {fitWidth(
          known.trouble ? `! not connected: ${known.trouble} (trying again; what is shown is what was known)` : message,
          columns,
        )}
      </Text>
      <Text wrap="truncate">
        {fitWidth(tabs + (typing || filter ? `   /${filter}${typing ? '▏' : ''}` : ''), columns)}
      </Text>
      <Box flexDirection="column" height={listHeight}>
        {list.length === 0 ? <Text dimColor>{fitWidth(empty, columns)}</Text> : null}
        {list.slice(shown.from, shown.to).map((row) => (
          <Text key={row.id} inverse={row.id === selected?.id} wrap="truncate">
            {` ${row.line} `}
          </Text>
        ))}
      </Box>
      <Text bold wrap="truncate">
        {fitWidth(`── ${shownTab}${selected ? `: ${selected.name}` : ''} ${'─'.repeat(columns)}`, columns)}
      </Text>
      <Box flexDirection="column" height={detailHeight} overflow="hidden">
        {asking ? (
          <Confirm action={asking.action} row={asking.row} />
        ) : help ? (
          <Help />
        ) : (
          detail
            .slice(shownTab === 'logs' ? -detailHeight : 0)
            .slice(0, detailHeight)
            .map((line, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a line of a text has no other identity than its place
              <Text key={i} wrap="truncate">
                {line === '' ? ' ' : line.slice(0, columns)}
              </Text>
            ))
        )}
      </Box>
      <Text dimColor wrap="truncate">
        {fitWidth(
          [
            ...ACTIONS.filter((action) => action.where.includes(pane)).map(
              (action) => `${action.keys[0]} ${action.title}`,
            ),
            '/ filter',
            '[ ] detail',
            '? help',
            'q quit',
          ].join('  '),
          columns,
        )}
      </Text>
    </Box>
  );
}
