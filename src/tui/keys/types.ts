import type { Pane, View } from '../../store/index.ts';
import type { Controls } from '../control/controller.ts';

export type Where = 'global' | 'list' | Pane | 'detail';

export interface HintInput {
  view: View;
  /** State of the selected container. */
  state: string | undefined;
  /** True while the engine does not answer. */
  lost: boolean;
  /** galleyd may be started by a key. */
  startable: boolean;
}

export interface Action {
  id: string;
  /** Names of keys as names.ts makes them; the first is the one shown. */
  keys: readonly string[];
  title: string;
  where: readonly Where[];
  /** It changes or ends something: it asks first, except where it only starts. */
  danger?: true;
  /** Where it makes no sense its key may mean something else. */
  when?: (view: View) => boolean;
  /** A word for the hint bar; it may depend on what is selected, and be empty. */
  hint?: string | ((now: HintInput) => string);
  /** It is about the selected row: without one it is not offered. */
  row?: true;
  run(controls: Controls): void;
}
