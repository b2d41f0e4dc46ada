import type { Coalesced, DetailState, Facts, Pane, Row, View, ViewStore } from '../../store/index.ts';

export type Where = 'global' | 'list' | Pane | 'detail';

/** What an action may do. Implemented by controller.ts; the table knows no engine and no React. */
export interface Controls {
  facts: Coalesced<Facts>;
  detail: Coalesced<DetailState>;
  view: ViewStore;
  set(change: Partial<View>): void;
  row(): Row | undefined;
  move(by: number): void;
  moveTo(end: 'top' | 'bottom'): void;
  page(): number;
  quit(): void;
  redraw(): void;
  retry(): void;
  suspend(): void;
  startStop(): void;
  restart(): void;
  pause(): void;
  kill(): void;
  remove(): void;
  shell(): void;
  attach(): void;
  findNext(direction: 1 | -1): void;
}

export interface Action {
  id: string;
  /** Names of keys as dispatch.ts makes them; the first is the one shown. */
  keys: readonly string[];
  title: string;
  where: readonly Where[];
  /** A change that cannot be taken back: it asks first. */
  danger?: true;
  /** A word for the hint bar. */
  hint?: string;
  run(controls: Controls): void;
}
