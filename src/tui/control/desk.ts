/** What the controller is made of, and what its parts share. Types only. */
import type { Endpoint } from '../../client/index.ts';
import type { Choice, Link, View, ViewStore } from '../../store/index.ts';
import type { Area } from '../layout.ts';
import type { SessionKind } from '../terminal/session.ts';

export interface ControllerParts {
  link: () => Link;
  view: ViewStore;
  env: NodeJS.ProcessEnv;
  /** The inside of the focused area. */
  area: () => Area;
  quit: () => void;
  redraw: () => void;
  suspend: () => void;
  session: (kind: SessionKind, id: string, name: string) => Promise<string>;
  connect: (endpoint: Endpoint) => void;
  otherEngines: () => Promise<string[]>;
  answers: (endpoint: Endpoint) => Promise<boolean>;
}

/** What each part may use. */
export interface Desk extends ControllerParts {
  set(change: Partial<View>): void;
  say(text: string): void;
  /** Shows the error; a lost engine is looked for at once. */
  fail(error: unknown): void;
  choose(title: string, choices: readonly Choice[]): void;
}
