/** What the person looks at: apart from the facts, so that no event moves it. */
import { createStore, type StoreApi } from 'zustand/vanilla';

export const PANES = ['containers', 'images', 'volumes', 'networks'] as const;
export type Pane = (typeof PANES)[number];
export type Tab = 'logs' | 'stats' | 'inspect' | 'history' | 'used by';

export const TABS: Readonly<Record<Pane, readonly Tab[]>> = {
  containers: ['logs', 'stats', 'inspect'],
  images: ['history', 'used by', 'inspect'],
  volumes: ['used by', 'inspect'],
  networks: ['used by', 'inspect'],
};

export interface PullLayer {
  id: string;
  status: string;
  current: number;
  total: number;
}

export interface Choice {
  title: string;
  note: string;
  run: () => void;
}

export type Dialog =
  | { kind: 'help'; scroll: number }
  | { kind: 'palette'; query: string; index: number }
  | { kind: 'choose'; title: string; choices: readonly Choice[]; index: number }
  | {
      kind: 'confirm';
      title: string;
      note: string;
      /** What it is about, drawn as a table. */
      objects: readonly Record<string, string>[];
      verb: string;
      yes: boolean;
      run: () => void;
    }
  | { kind: 'pull-name'; text: string }
  /** `line` while it runs, `error` after it failed; both empty while it is typed. */
  | { kind: 'run'; text: string; line: string; error: string }
  | {
      kind: 'pull';
      name: string;
      layers: readonly PullLayer[];
      line: string;
      ended: boolean;
      error: string;
      cancel: () => void;
    };

export interface Place {
  pane: Pane;
  /** The object's; of several rows the one with this name, where it is given. */
  id: string;
  name?: string;
}

export interface View {
  pane: Pane;
  focus: 'list' | 'detail';
  /** By the row's key, so that a row that moves keeps the selection. */
  selected: Readonly<Record<Pane, string>>;
  /** Where the selection was last seen: the next row takes over when it is gone. */
  position: Readonly<Record<Pane, number>>;
  /** First visible row of each list. */
  top: Readonly<Record<Pane, number>>;
  filter: Readonly<Record<Pane, string>>;
  order: Readonly<Record<Pane, { column: string; reverse: boolean }>>;
  /** Keys of marked rows, of the pane that is shown. */
  marked: ReadonlySet<string>;
  tab: Readonly<Record<Pane, number>>;
  /** Containers: all, or only those that run. */
  all: boolean;
  zoom: 'none' | 'detail' | 'list';
  /** A text field that takes the keys. */
  typing: 'filter' | 'search' | undefined;
  search: string;
  /** The line on which the last search stands; -1 before the first. Counted as `scroll` is. */
  match: number;
  /** Detail: number of the first visible line since the stream began, so that lines dropped in front move nothing. */
  scroll: number;
  across: number;
  /** Logs: the end is shown, whatever comes. */
  follow: boolean;
  wrap: boolean;
  timestamps: boolean;
  dialog: Dialog | undefined;
  message: { text: string; tone: 'info' | 'error' } | undefined;
  /** Where the followed links came from. */
  trail: readonly Place[];
}

const each = <T>(value: T): Record<Pane, T> => ({ containers: value, images: value, volumes: value, networks: value });

/** What a fresh look at a detail starts with. */
export const FRESH = { scroll: 0, across: 0, follow: true, match: -1 } as const;

export function initialView(): View {
  return {
    pane: 'containers',
    focus: 'list',
    selected: each(''),
    position: each(0),
    top: each(0),
    filter: each(''),
    order: each({ column: '', reverse: false }),
    marked: new Set(),
    tab: each(0),
    all: true,
    zoom: 'none',
    typing: undefined,
    search: '',
    ...FRESH,
    wrap: false,
    timestamps: false,
    dialog: undefined,
    message: undefined,
    trail: [],
  };
}

export type ViewStore = StoreApi<View>;
export const createView = (start: Partial<View> = {}): ViewStore =>
  createStore<View>(() => ({ ...initialView(), ...start }));

export const tabOf = (view: View): Tab => TABS[view.pane][view.tab[view.pane]] ?? 'inspect';
