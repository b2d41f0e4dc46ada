/** Gives each key to the dialog, the text field or the action table, in this order. */
import { matches, type View } from '../../store/index.ts';
import { ACTIONS, actionFor, actionsHere } from './actions.ts';
import type { Action, Controls } from './types.ts';

/** The palette's entries for a query. */
export function paletteEntries(view: View, query: string): Action[] {
  const here = actionsHere(view.pane, view.focus).filter((one) => one.id !== 'app.palette');
  return here.filter((one) => matches(`${one.title} ${one.id}`, query));
}

const edited = (text: string, key: string): string | undefined => {
  if (key === 'backspace') return [...text].slice(0, -1).join('');
  if (key === 'ctrl-u') return '';
  return [...key].length === 1 ? text + key : undefined;
};

function dialogKey(controls: Controls, view: View, key: string, startPull: (name: string) => void): void {
  const { dialog } = view;
  if (!dialog) return;
  const close = () => controls.set({ dialog: undefined });
  if (dialog.kind === 'help') {
    if (['esc', 'q', '?', 'enter'].includes(key)) close();
    else if (key === 'j' || key === 'down') controls.set({ dialog: { ...dialog, scroll: dialog.scroll + 1 } });
    else if (key === 'k' || key === 'up')
      controls.set({ dialog: { ...dialog, scroll: Math.max(0, dialog.scroll - 1) } });
    else if (key === 'pgdn' || key === 'ctrl-d') controls.set({ dialog: { ...dialog, scroll: dialog.scroll + 10 } });
    else if (key === 'pgup' || key === 'ctrl-u')
      controls.set({ dialog: { ...dialog, scroll: Math.max(0, dialog.scroll - 10) } });
  } else if (dialog.kind === 'palette') {
    const entries = paletteEntries(view, dialog.query);
    if (key === 'esc') close();
    else if (key === 'enter') {
      close();
      entries[dialog.index]?.run(controls);
    } else if (key === 'down' || key === 'tab')
      controls.set({ dialog: { ...dialog, index: Math.min(dialog.index + 1, entries.length - 1) } });
    else if (key === 'up' || key === 'shift-tab')
      controls.set({ dialog: { ...dialog, index: Math.max(0, dialog.index - 1) } });
    else {
      const query = edited(dialog.query, key);
      if (query !== undefined) controls.set({ dialog: { ...dialog, query, index: 0 } });
    }
  } else if (dialog.kind === 'confirm') {
    if (key === 'esc' || key === 'q' || key === 'n') close();
    else if (['left', 'right', 'tab', 'shift-tab', 'h', 'l'].includes(key))
      controls.set({ dialog: { ...dialog, yes: !dialog.yes } });
    else if (key === 'y' || (key === 'enter' && dialog.yes)) {
      close();
      dialog.run();
    } else if (key === 'enter') close();
  } else if (dialog.kind === 'pull-name') {
    if (key === 'esc') close();
    else if (key === 'enter') {
      const name = dialog.text.trim();
      if (name === '') close();
      else startPull(name);
    } else {
      const text = edited(dialog.text, key);
      if (text !== undefined) controls.set({ dialog: { ...dialog, text } });
    }
  } else if (['esc', 'q', 'enter'].includes(key)) {
    if (dialog.ended) close();
    else if (key !== 'enter') dialog.cancel();
  }
}

function typingKey(controls: Controls, view: View, key: string): void {
  const filtering = view.typing === 'filter';
  const text = filtering ? view.filter[view.pane] : view.search;
  const put = (next: string) =>
    controls.set(filtering ? { filter: { ...view.filter, [view.pane]: next } } : { search: next });
  if (key === 'enter') {
    controls.set({ typing: undefined });
    if (!filtering) controls.findNext(-1);
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
export function dispatch(controls: Controls, key: string, startPull: (name: string) => void): void {
  const view = controls.view.getState();
  if (key === 'ctrl-c' || key === 'ctrl-z' || key === 'ctrl-l') {
    ACTIONS.find((one) => one.keys.includes(key))?.run(controls);
  } else if (view.dialog) dialogKey(controls, view, key, startPull);
  else if (view.typing) typingKey(controls, view, key);
  else {
    if (view.message && key !== 'esc') controls.set({ message: undefined });
    actionFor(key, view.pane, view.focus)?.run(controls);
  }
}
