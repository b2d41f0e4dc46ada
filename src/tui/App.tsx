import { Box, useApp, useInput, useWindowSize } from 'ink';
import { type ReactElement, useEffect, useMemo } from 'react';
import { useStore } from 'zustand';
import {
  type Coalesced,
  type DetailState,
  type DetailTask,
  type Facts,
  PANES,
  rowsOf,
  type StatsFeed,
  selectedIndex,
  selectedRow,
  tabOf,
  type ViewStore,
  windowStart,
} from '../store/index.ts';
import type { Controller } from './controller.ts';
import { DialogView } from './Dialogs.tsx';
import { dispatch } from './keys/dispatch.ts';
import { keyNames } from './keys/names.ts';
import { pageOf, SMALLEST, screenLines } from './screen.ts';
import { Lines } from './widgets/Lines.tsx';

export interface AppProps {
  facts: Coalesced<Facts>;
  detail: Coalesced<DetailState>;
  view: ViewStore;
  controller: Controller;
  feed: StatsFeed;
  task: DetailTask;
  host: string;
  colour: boolean;
  now: () => number;
  /** Told Ink's way to hand the terminal over. */
  onTerminal: (suspend: (work: () => Promise<void>) => Promise<void>) => void;
}

/** The dashboard. All it knows comes from three stores; all it does goes through the controller. */
export function App(props: AppProps): ReactElement {
  const { view: viewStore, controller, feed, task } = props;
  const facts = useStore(props.facts.store);
  const detail = useStore(props.detail.store);
  const view = useStore(viewStore);
  const { columns, rows } = useWindowSize();
  const { suspendTerminal } = useApp();
  const { onTerminal } = props;
  useEffect(() => onTerminal((work) => suspendTerminal(work)), [onTerminal, suspendTerminal]);

  useInput((input, key) => {
    for (const name of keyNames(input, key).names) dispatch(controller, name, controller.pull);
    // A key is answered with the newest facts, at once.
    props.facts.flush();
    props.detail.flush();
  });

  const row = selectedRow(facts, view);
  const position = selectedIndex(rowsOf(facts, view, view.pane), view, view.pane);
  useEffect(() => {
    // What is highlighted is selected by identity, so that a row that comes in above never takes its place.
    const { pane, selected } = view;
    if (row && (selected[pane] !== row.id || view.position[pane] !== position))
      viewStore.setState({
        selected: { ...selected, [pane]: row.id },
        position: { ...view.position, [pane]: position },
      });
  }, [row, position, view, viewStore]);
  const tab = tabOf(view);
  const state = row && view.pane === 'containers' ? facts.containers.get(row.id)?.State : '';
  const connectedAt = facts.engine?.connectedAt ?? 0;
  const connected = facts.connection.state === 'connected';
  useEffect(() => {
    if (!connected) return;
    if (!row || tab === 'stats') task.show(undefined);
    else if (tab === 'logs')
      task.show(
        { kind: 'logs', id: row.id, timestamps: view.timestamps },
        `${state === 'running' ? 'live' : ''}${connectedAt}`,
      );
    else if (tab === 'history') task.show({ kind: 'history', id: row.id });
    else task.show({ kind: 'inspect', pane: view.pane, id: row.id }, state);
  }, [task, row?.id, tab, view.pane, view.timestamps, state, connected, connectedAt, row]);

  const wanted = useMemo(() => {
    if (!connected) return '';
    const pane = PANES[0];
    const list = rowsOf(facts, view, pane);
    const page = pageOf({ ...view, focus: 'list' }, columns, rows);
    const at = selectedIndex(list, view, pane);
    const start = windowStart(list.length, at, page);
    const visible = view.pane === pane || columns >= 150 ? list.slice(start, start + page) : [];
    return visible
      .filter((one) => facts.containers.get(one.id)?.State === 'running')
      .map((one) => one.id)
      .join(' ');
  }, [facts, view, columns, rows, connected]);
  useEffect(() => feed.want(wanted === '' ? [] : wanted.split(' ')), [feed, wanted]);

  const lines = screenLines({ facts, view, detail, host: props.host, columns, rows, now: props.now() });
  const usable = columns >= SMALLEST.columns && rows >= SMALLEST.rows;
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Lines lines={lines} colour={props.colour} />
      {usable && <DialogView view={view} columns={columns} rows={rows} colour={props.colour} />}
    </Box>
  );
}
