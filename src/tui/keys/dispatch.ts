/** Gives each key to the dialog, the text field or the action table, in this order. */
import { type Dialog, fuzzy, type View } from '../../store/index.ts';
import type { Controls } from '../control/controller.ts';
import { ACTIONS, actionFor, actionsHere } from './actions.ts';
import type { Action } from './types.ts';

/** The better an action fits the query, the smaller; -1 where it does not. */
function fitness(action: Action, query: string): number {
  const title = action.title.toLowerCase();
  if (query === '' || action.keys.includes(query)) return 0;
  if (action.id.split('.').includes(query) || title.split(/\W+/).includes(query)) return 1;
  if (title.split(/\W+/).some((word) => word.startsWith(query))) return 2;
  if (title.includes(query)) return 3;
  return fuzzy(title, query) ? 4 : -1;
}

/** The palette's entries for a query, best first. */
export function paletteEntries(view: View, query: string): Action[] {
  const wanted = query.trim().toLowerCase();
  const here = actionsHere(view).filter((one) => one.id !== 'app.palette');
  // `:q` means the key, whatever its case.
  const key = query.trim();
  return here
    .map((action) => ({ action, score: action.keys.includes(key) ? -0.5 : fitness(action, wanted) }))
    .filter(({ score }) => score > -1)
    .sort((a, b) => a.score - b.score)
    .map(({ action }) => action);
}

/** A text field after a key; undefined where the key is none of its own. */
function edited(text: string, key: string): string | undefined {
  if (key === 'backspace') return [...text].slice(0, -1).join('');
  if (key === 'ctrl-u') return '';
  if (key === 'ctrl-w') return text.replace(/\S+\s*$/, '');
  if (key === 'space') return `${text} `;
  return [...key].length === 1 ? text + key : undefined;
}

const PAGE = 10;
const STEP: Readonly<Record<string, number>> = {
  j: 1,
  down: 1,
  k: -1,
  up: -1,
  tab: 1,
  'shift-tab': -1,
  pgdn: PAGE,
  space: PAGE,
  'ctrl-d': PAGE,
  'ctrl-f': PAGE,
  pgup: -PAGE,
  'ctrl-u': -PAGE,
  'ctrl-b': -PAGE,
  g: -1e6,
  home: -1e6,
  G: 1e6,
  end: 1e6,
};
const moved = (index: number, key: string, count: number) =>
  Math.max(0, Math.min(index + (STEP[key] ?? 0), Math.max(0, count - 1)));

type KeyOf<K extends Dialog['kind']> = (
  controls: Controls,
  dialog: Extract<Dialog, { kind: K }>,
  key: string,
  view: View,
) => void;
const close = (controls: Controls) => controls.set({ dialog: undefined });

const DIALOG_KEYS: { [K in Dialog['kind']]: KeyOf<K> } = {
  help(controls, dialog, key) {
    if (['esc', 'q', '?', 'enter'].includes(key)) close(controls);
    else controls.set({ dialog: { ...dialog, scroll: moved(dialog.scroll, key, ACTIONS.length) } });
  },
  palette(controls, dialog, key, view) {
    const entries = paletteEntries(view, dialog.query);
    if (key === 'esc') close(controls);
    else if (key === 'enter') {
      close(controls);
      entries[dialog.index]?.run(controls);
    } else if (['down', 'up', 'tab', 'shift-tab', 'pgdn', 'pgup'].includes(key))
      controls.set({ dialog: { ...dialog, index: moved(dialog.index, key, entries.length) } });
    else {
      const query = edited(dialog.query, key);
      if (query !== undefined) controls.set({ dialog: { ...dialog, query, index: 0 } });
    }
  },
  choose(controls, dialog, key) {
    if (key === 'esc' || key === 'q') close(controls);
    else if (key === 'enter') {
      close(controls);
      dialog.choices[dialog.index]?.run();
    } else controls.set({ dialog: { ...dialog, index: moved(dialog.index, key, dialog.choices.length) } });
  },
  confirm(controls, dialog, key) {
    if (key === 'y' || (key === 'enter' && dialog.yes)) {
      close(controls);
      dialog.run();
    } else if (['esc', 'q', 'n', 'enter'].includes(key)) close(controls);
    else if (['left', 'right', 'tab', 'shift-tab', 'h', 'l'].includes(key))
      controls.set({ dialog: { ...dialog, yes: !dialog.yes } });
  },
  'pull-name'(controls, dialog, key) {
    if (key === 'esc') close(controls);
    else if (key === 'enter') {
      const name = dialog.text.trim();
      if (name === '') close(controls);
      else controls.pull(name);
    } else {
      const text = edited(dialog.text, key);
      if (text !== undefined) controls.set({ dialog: { ...dialog, text } });
    }
  },
  run(controls, dialog, key) {
    if (key === 'esc') close(controls);
    else if (dialog.line !== '') return;
    else if (key === 'enter') {
      if (dialog.text.trim() === '') close(controls);
      else controls.run(dialog.text);
    } else {
      const text = edited(dialog.text, key);
      if (text !== undefined) controls.set({ dialog: { ...dialog, text, error: '' } });
    }
  },
  pull(controls, dialog, key) {
    if (!['esc', 'q', 'enter'].includes(key)) return;
    if (!dialog.ended) {
      if (key !== 'enter') dialog.cancel();
    } else if (dialog.error !== '' && key === 'enter')
      controls.set({ dialog: { kind: 'pull-name', text: dialog.name } });
    else close(controls);
  },
};

function dialogKey<K extends Dialog['kind']>(
  controls: Controls,
  dialog: Extract<Dialog, { kind: K }>,
  key: string,
): void {
  DIALOG_KEYS[dialog.kind as K](controls, dialog, key, controls.view.getState());
}

function typingKey(controls: Controls, view: View, key: string): void {
  const filtering = view.typing === 'filter';
  const text = filtering ? view.filter[view.pane] : view.search;
  const put = (next: string) =>
    controls.set(filtering ? { filter: { ...view.filter, [view.pane]: next } } : { search: next, match: -1 });
  if (key === 'enter') {
    controls.set({ typing: undefined });
    if (!filtering && text !== '') controls.findNext(1);
  } else if (key === 'esc') {
    put('');
    controls.set({ typing: undefined });
  } else if (filtering && (key === 'down' || key === 'up')) controls.move(key === 'down' ? 1 : -1);
  else {
    const next = edited(text, key);
    if (next !== undefined) put(next);
  }
}

/** One key. ctrl-c, ctrl-z and ctrl-l work everywhere. */
export function dispatch(controls: Controls, key: string): void {
  const view = controls.view.getState();
  if (key === 'ctrl-c' || key === 'ctrl-z' || key === 'ctrl-l')
    ACTIONS.find((one) => one.keys.includes(key))?.run(controls);
  else if (view.dialog) dialogKey(controls, view.dialog, key);
  else if (view.typing) typingKey(controls, view, key);
  else {
    if (view.message && key !== 'esc') controls.set({ message: undefined });
    actionFor(key, view)?.run(controls);
  }
}

/** Pasted text goes into a text field and nowhere else: as keys it could be a command and its confirmation. */
export function paste(controls: Controls, text: string): void {
  const { typing, dialog } = controls.view.getState();
  if (!typing && !['palette', 'pull-name', 'run'].includes(dialog?.kind ?? '')) {
    controls.say('nothing here takes text: the paste was ignored');
    return;
  }
  const line = text
    .replace(/[\r\n\t]+/g, ' ')
    .replace(/[\x00-\x1f\x7f]/g, '')
    .trim();
  for (const char of line) dispatch(controls, char === ' ' ? 'space' : char);
}
