/** The one table of what a key does. Dispatch, help, hints, palette and the README's key table come from it. */
import type { Pane, View } from '../../store/index.ts';
import { MOVE_ACTIONS } from './moves.ts';
import { OBJECT_ACTIONS } from './objects.ts';
import { TEXT_ACTIONS } from './text.ts';
import type { Action, Where } from './types.ts';

export const ACTIONS: readonly Action[] = [...OBJECT_ACTIONS, ...TEXT_ACTIONS, ...MOVE_ACTIONS];

/** Where a key looks, nearest first. */
export function places(pane: Pane, focus: 'list' | 'detail'): Where[] {
  return focus === 'detail' ? ['detail', pane, 'list', 'global'] : [pane, 'list', 'global'];
}

/** The action of a key; the nearest place wins. */
export function actionFor(key: string, view: View): Action | undefined {
  for (const place of places(view.pane, view.focus)) {
    const action = ACTIONS.find(
      (one) => one.where.includes(place) && one.keys.includes(key) && (one.when?.(view) ?? true),
    );
    if (action) return action;
  }
  return undefined;
}

/** What can be done here, each key once: what is for the text first where the text has the keys, else in the table's order. */
export function actionsHere(view: View): Action[] {
  const here = ACTIONS.filter((one) => actionFor(one.keys[0] as string, view) === one);
  const near = (one: Action) => view.focus === 'detail' && one.where[0] === 'detail';
  return [...here.filter(near), ...here.filter((one) => !near(one))];
}
