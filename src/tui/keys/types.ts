import type { Pane, View } from '../../store/index.ts';
import type { Controls } from '../control/controller.ts';

export type Where = 'global' | 'list' | Pane | 'detail';

export interface Action {
  id: string;
  /** Names of keys as names.ts makes them; the first is the one shown. */
  keys: readonly string[];
  title: string;
  where: readonly Where[];
  /** It changes or ends something: it asks first, except where it only starts. */
  danger?: true;
  /** A word for the hint bar; it may depend on the state of the selected container, and be empty. */
  hint?: string | ((view: View, state: string | undefined) => string);
  /** It is about the selected row: without one it is not offered. */
  row?: true;
  run(controls: Controls): void;
}
