/** What the person looks at: apart from the facts, so that no event moves it. */
import { createStore, type StoreApi } from 'zustand/vanilla';

export const PANES = ['containers', 'images', 'volumes', 'networks'] as const;
export type Pane = (typeof PANES)[number];
export type Tab = 'logs' | 'stats' | 'inspect' | 'history';

export const TABS: Readonly<Record<Pane, readonly Tab[]>> = {
  containers: ['logs', 'stats', 'inspect'],
  images: ['history', 'inspect'],
  volumes: ['inspect'],
  networks: ['inspect'],
};

export interface PullLayer {
  id: string;
  status: string;
  current: number;
  total: number;
}

export type Dialog =
  | { kind: 'help'; scroll: number }
  | { kind: 'palette'; query: string; index: number }
  | {
      kind: 'confirm';
      title: string;
      note: string;
      object: Record<string, string>;
      verb: string;
      yes: boolean;
      run: () => void;
    }
  | { kind: 'pull-name'; text: string }
  | {
      kind: 'pull';
      name: string;
      layers: readonly PullLayer[];
      line: string;
      ended: boolean;
      error: string;
      cancel: () => void;
    };

export interface View {
  pane: Pane;
  focus: 'list' | 'detail';
  /** By identity, so that a row that moves keeps the selection. */
  selected: Readonly<Record<Pane, string>>;
  /** Where the selection was last seen: the next row takes over when it is gone. */
  position: Readonly<Record<Pane, number>>;
  filter: Readonly<Record<Pane, string>>;
  tab: Readonly<Record<Pane, number>>;
  /** Containers: all, or only those that run. */
  all: boolean;
  zoom: 'none' | 'detail' | 'list';
  /** A text field that takes the keys. */
  typing: 'filter' | 'search' | undefined;
  search: string;
  /** Detail: first visible line, counted from the end while following. */
  scroll: number;
  across: number;
  follow: boolean;
  wrap: boolean;
  timestamps: boolean;
  dialog: Dialog | undefined;
  message: { text: string; tone: 'info' | 'error' } | undefined;
}

const each = <T>(value: T): Record<Pane, T> => ({ containers: value, images: value, volumes: value, networks: value });

export function initialView(): View {
  return {
    pane: 'containers',
    focus: 'list',
    selected: each(''),
    position: each(0),
    filter: each(''),
    tab: each(0),
    all: true,
    zoom: 'none',
    typing: undefined,
    search: '',
    scroll: 0,
    across: 0,
    follow: true,
    wrap: false,
    timestamps: false,
    dialog: undefined,
    message: undefined,
  };
}

export type ViewStore = StoreApi<View>;
export const createView = (start: Partial<View> = {}): ViewStore =>
  createStore<View>(() => ({ ...initialView(), ...start }));

export const tabOf = (view: View): Tab => TABS[view.pane][view.tab[view.pane]] ?? 'inspect';
