/** What the actions do. The parts each have a file; here they share the view, the link to the engine and the message line. */
import { EngineUnreachableError } from '../../client/index.ts';
import { cleanLine, FRESH, mayStart, type Pane, type View } from '../../store/index.ts';
import { type Copies, copies } from './copy.ts';
import type { ControllerParts, Desk } from './desk.ts';
import { engineChoices } from './engines.ts';
import { type Jumps, jumps } from './jumps.ts';
import { type Moves, moves } from './moves.ts';
import { type ObjectWork, objectWork } from './objects.ts';
import { startPull } from './pull.ts';
import { runSuggestion, startRun } from './run.ts';

export interface Controls extends Desk, Moves, ObjectWork, Jumps, Copies {
  retry(): void;
  startEngine(): void;
  chooseEngine(): void;
  pull(name: string): void;
  askRun(): void;
  run(text: string): void;
  go(pane: Pane): void;
}

const wordsOf = (error: unknown): string =>
  cleanLine((error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '');

export function createController(parts: ControllerParts): Controls {
  const { link, view } = parts;
  const set = (change: Partial<View>) => view.setState(change);
  const desk: Desk = {
    ...parts,
    set,
    say: (text) => set({ message: { text, tone: 'info' } }),
    fail(error) {
      if (error instanceof EngineUnreachableError) link().retry();
      set({ message: { text: wordsOf(error), tone: 'error' } });
    },
    choose: (title, choices) => set({ dialog: { kind: 'choose', title, choices, index: 0 } }),
  };
  return {
    ...desk,
    ...moves(desk),
    ...objectWork(desk),
    ...jumps(desk),
    ...copies(desk),
    retry: () => link().retry(),
    go: (pane) => set({ pane, focus: 'list', marked: new Set(), ...FRESH, search: '' }),
    startEngine() {
      if (link().facts.current().connection.state === 'connected') desk.say('The engine runs already.');
      else if (!mayStart(link().endpoint))
        desk.fail(
          new Error(`${link().endpoint.host} was named by you: only galleyd's own address can be started from here`),
        );
      else link().startEngine().catch(desk.fail);
    },
    chooseEngine: () => {
      engineChoices(desk).then((choices) => desk.choose('Engines', choices), desk.fail);
    },
    pull: (name) => startPull(desk, name),
    askRun: () => set({ dialog: { kind: 'run', text: runSuggestion(desk), line: '', error: '' } }),
    run: (text) => startRun(desk, text),
  };
}
