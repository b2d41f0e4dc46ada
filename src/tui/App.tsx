import { useApp, useInput, usePaste, useWindowSize } from 'ink';
import { type ReactElement, useEffect, useMemo, useReducer } from 'react';
import { useStore } from 'zustand';
import {
  type Facts,
  type Link,
  mayStart,
  rowsOf,
  selectedIndex,
  selectedRow,
  tabOf,
  type View,
  type ViewStore,
  windowStart,
} from '../store/index.ts';
import { nextAgeChange } from './age.ts';
import type { Controls } from './control/controller.ts';
import { Frame } from './Frame.tsx';
import { dispatch, paste } from './keys/dispatch.ts';
import { keyNames } from './keys/names.ts';
import { layoutOf } from './layout.ts';
import type { Suspend } from './terminal/job.ts';

export interface AppProps {
  link: Link;
  view: ViewStore;
  controller: Controls;
  colour: boolean;
  now: () => number;
  /** Told Ink's way to hand the terminal over. */
  onTerminal: (suspend: Suspend) => void;
}

/** The containers that are on the screen, in the order of their list. */
function visibleContainers(facts: Facts, view: View, columns: number, rows: number): string[] {
  const list = layoutOf(view, columns, rows).lists.find((one) => one.pane === 'containers');
  if (!list) return view.pane === 'containers' ? [selectedRow(facts, view)?.id ?? ''] : [];
  const all = rowsOf(facts, view, 'containers');
  const page = Math.max(1, list.height - 3);
  const start = windowStart(all.length, selectedIndex(all, view, 'containers'), page, view.top.containers);
  return all.slice(start, start + page).map((row) => row.id);
}

/** What the shown row's detail is read from. */
function useDetail(link: Link, facts: Facts, view: View): void {
  const { task } = link;
  const id = selectedRow(facts, view)?.id;
  const tab = tabOf(view);
  const { pane, timestamps } = view;
  const state = id && pane === 'containers' ? facts.containers.get(id)?.State : '';
  const starts = id ? (facts.starts.get(id) ?? 0) : 0;
  const connected = facts.connection.state === 'connected';
  const connectedAt = facts.engine?.connectedAt ?? 0;
  useEffect(() => {
    if (!connected) return;
    // A stream ends with its container and its connection: the same logs are then opened anew.
    const revision = `${state === 'running' ? 'live' : ''}${starts}:${connectedAt}`;
    if (!id || tab === 'stats' || tab === 'used by') task.show(undefined);
    else if (tab === 'logs') task.show({ kind: 'logs', id, timestamps }, revision);
    else if (tab === 'history') task.show({ kind: 'history', id });
    else task.show({ kind: 'inspect', pane, id }, state);
  }, [task, id, tab, pane, timestamps, state, starts, connected, connectedAt]);
}

/** Draws again when the text of a visible age changes, and not before. */
function useAges(facts: Facts, view: View, now: number, columns: number, rows: number): void {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const ages = visibleContainers(facts, view, columns, rows).map(
    (id) => now - (facts.containers.get(id)?.since ?? now),
  );
  const wait = ages.length > 0 ? nextAgeChange(ages) : 0;
  useEffect(() => {
    if (wait === 0) return;
    const timer = setTimeout(draw, wait + 5);
    return () => clearTimeout(timer);
  });
}

/** The dashboard. All it knows comes from the link and the view; all it does goes through the controller. */
export function App({ link, view: viewStore, controller, colour, now: clock, onTerminal }: AppProps): ReactElement {
  const facts = useStore(link.facts.store);
  const detail = useStore(link.detail.store);
  const view = useStore(viewStore);
  const { columns, rows } = useWindowSize();
  const { suspendTerminal } = useApp();
  useEffect(() => onTerminal((work) => suspendTerminal(work)), [onTerminal, suspendTerminal]);

  useInput((input, key) => {
    for (const name of keyNames(input, key)) dispatch(controller, name);
    // A key is answered with the newest facts, at once.
    link.facts.flush();
    link.detail.flush();
  });
  usePaste((text) => paste(controller, text));

  const row = selectedRow(facts, view);
  const position = selectedIndex(rowsOf(facts, view, view.pane), view, view.pane);
  useEffect(() => {
    // What is highlighted is selected by identity, so that a row that comes in above never takes its place.
    const { pane, selected } = view;
    if (row && (selected[pane] !== row.key || view.position[pane] !== position))
      viewStore.setState({
        selected: { ...selected, [pane]: row.key },
        position: { ...view.position, [pane]: position },
      });
  }, [row, position, view, viewStore]);
  useDetail(link, facts, view);

  const connected = facts.connection.state === 'connected';
  const wanted = useMemo(() => {
    if (!connected) return '';
    return visibleContainers(facts, view, columns, rows)
      .filter((id) => facts.containers.get(id)?.State === 'running')
      .join(' ');
  }, [facts, view, columns, rows, connected]);
  useEffect(() => link.feed.want(wanted === '' ? [] : wanted.split(' ')), [link, wanted]);

  const now = clock();
  useAges(facts, view, now, columns, rows);
  const start = !mayStart(link.endpoint) ? 'no' : process.getuid?.() === 0 ? 'key' : 'sudo';
  const input = { facts, view, detail, host: link.client.host, start, columns, rows, now } as const;
  return <Frame input={input} colour={colour} />;
}
