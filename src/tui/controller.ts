/** What the actions do: calls the engine, reports every failure in the message line. */
import { type EngineClient, EngineUnreachableError } from '../client/index.ts';
import {
  type Coalesced,
  cleanLine,
  type DetailState,
  type Dialog,
  type Facts,
  type PullLayer,
  rowsOf,
  selectedIndex,
  selectedRow,
  type View,
  type ViewStore,
} from '../store/index.ts';
import type { Controls } from './keys/types.ts';

export interface ControllerParts {
  client: EngineClient;
  facts: Coalesced<Facts>;
  detail: Coalesced<DetailState>;
  view: ViewStore;
  /** Rows of the focused area. */
  page: () => number;
  quit: () => void;
  redraw: () => void;
  retry: () => void;
  suspend: () => void;
  session: (kind: 'shell' | 'attach', id: string, name: string) => Promise<string>;
}

export interface Controller extends Controls {
  pull(name: string): void;
  fail(error: unknown): void;
}

const wordsOf = (error: unknown): string =>
  cleanLine((error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '');

export function createController(parts: ControllerParts): Controller {
  const { client, facts, detail, view } = parts;
  const set = (change: Partial<View>) => view.setState(change);
  const say = (text: string) => set({ message: { text, tone: 'info' } });
  const fail = (error: unknown) => {
    if (error instanceof EngineUnreachableError) parts.retry();
    set({ message: { text: wordsOf(error), tone: 'error' } });
  };
  const row = () => selectedRow(facts.current(), view.getState());
  const chosen = () => {
    const state = view.getState();
    const found = row();
    const container = found && state.pane === 'containers' ? facts.current().containers.get(found.id) : undefined;
    if (!found || !container) return undefined;
    return { ...found, state: container.State, container };
  };

  function act(doing: string, done: string, work: () => Promise<unknown>): void {
    say(`${doing} …`);
    work().then(() => say(done), fail);
  }
  function ask(title: string, note: string, object: Record<string, string>, verb: string, run: () => void): void {
    set({ dialog: { kind: 'confirm', title, note, object, verb, yes: false, run } });
  }
  const objectOf = (one: NonNullable<ReturnType<typeof chosen>>) => ({
    Container: one.name.slice(0, 24),
    Image: one.container.Image.slice(-24),
    State: one.state,
  });

  const controls: Controller = {
    facts,
    detail,
    view,
    set,
    row,
    fail,
    page: parts.page,
    quit: parts.quit,
    redraw: parts.redraw,
    retry: parts.retry,
    suspend: parts.suspend,
    move(by) {
      const state = view.getState();
      if (state.focus === 'detail') {
        const { lines } = detail.current();
        // While following, scroll counts lines up from the end; otherwise down from the start.
        const top = state.follow ? Math.max(0, lines.length - parts.page()) : state.scroll;
        const next = Math.max(0, Math.min(top + by, lines.length - parts.page()));
        const atEnd =
          by > 0 && next >= lines.length - parts.page() && state.tab.containers === 0 && state.pane === 'containers';
        set({ follow: atEnd, scroll: next });
        return;
      }
      const rows = rowsOf(facts.current(), state, state.pane);
      if (rows.length === 0) return;
      const at = Math.max(0, Math.min(selectedIndex(rows, state, state.pane) + by, rows.length - 1));
      set({
        selected: { ...state.selected, [state.pane]: rows[at]?.id ?? '' },
        position: { ...state.position, [state.pane]: at },
        scroll: 0,
        across: 0,
        follow: true,
      });
    },
    moveTo(end) {
      const state = view.getState();
      if (state.focus === 'detail' && end === 'top') set({ follow: false, scroll: 0 });
      else if (state.focus === 'detail' && state.pane === 'containers' && state.tab.containers === 0)
        set({ follow: true, scroll: 0 });
      else controls.move(end === 'top' ? -1e9 : 1e9);
    },
    findNext(direction) {
      const state = view.getState();
      const { lines } = detail.current();
      const wanted = state.search.toLowerCase();
      if (wanted === '') return;
      const start = state.follow ? lines.length : state.scroll;
      for (let at = start + direction; at >= 0 && at < lines.length; at += direction) {
        if (lines[at]?.toLowerCase().includes(wanted)) {
          set({ follow: false, scroll: at });
          return;
        }
      }
      say(`no ${direction > 0 ? 'later' : 'earlier'} match of ${state.search}`);
    },
    startStop() {
      const one = chosen();
      if (!one) return;
      const handle = client.getContainer(one.id);
      if (one.state === 'paused') act(`Unpausing ${one.name}`, `${one.name} runs again`, () => handle.unpause());
      else if (one.state === 'running' || one.state === 'restarting')
        ask('Stop this container?', 'It gets SIGTERM, and SIGKILL after its stop timeout.', objectOf(one), 'Stop', () =>
          act(`Stopping ${one.name}`, `${one.name} stopped`, () => handle.stop()),
        );
      else act(`Starting ${one.name}`, `${one.name} started`, () => handle.start());
    },
    restart() {
      const one = chosen();
      if (one)
        ask('Restart this container?', '', objectOf(one), 'Restart', () =>
          act(`Restarting ${one.name}`, `${one.name} restarted`, () => client.getContainer(one.id).restart()),
        );
    },
    pause() {
      const one = chosen();
      if (!one) return;
      const handle = client.getContainer(one.id);
      if (one.state === 'paused') act(`Unpausing ${one.name}`, `${one.name} runs again`, () => handle.unpause());
      else
        ask('Pause this container?', 'Its processes are frozen until p is pressed again.', objectOf(one), 'Pause', () =>
          act(`Pausing ${one.name}`, `${one.name} paused`, () => handle.pause()),
        );
    },
    kill() {
      const one = chosen();
      if (one)
        ask('Kill this container?', 'It gets SIGKILL and cannot clean up.', objectOf(one), 'Kill', () =>
          act(`Killing ${one.name}`, `${one.name} killed`, () => client.getContainer(one.id).kill()),
        );
    },
    remove() {
      const found = row();
      const { pane } = view.getState();
      if (!found) return;
      const done = `${found.name} removed`;
      const doing = `Removing ${found.name}`;
      const one = chosen();
      if (one) {
        const live = one.state === 'running' || one.state === 'paused' || one.state === 'restarting';
        ask(
          'Remove this container?',
          live ? 'It is running: it is killed first. Named volumes stay.' : 'Named volumes stay.',
          objectOf(one),
          'Remove',
          () => act(doing, done, () => client.getContainer(one.id).remove({ force: live, v: true })),
        );
      } else if (pane === 'images') {
        // By name it only loses that name while others are left, as docker rmi does.
        const target = found.name.includes('<none>') ? found.id : found.name;
        ask('Remove this image?', '', { Image: found.name.slice(-40), ID: found.id.slice(7, 19) }, 'Remove', () =>
          act(doing, done, () => client.getImage(target).remove()),
        );
      } else if (pane === 'volumes') {
        ask(
          'Remove this volume?',
          'Its data is deleted and cannot be brought back.',
          { Volume: found.name.slice(0, 40) },
          'Remove',
          () => act(doing, done, () => client.getVolume(found.id).remove()),
        );
      } else
        ask('Remove this network?', '', { Network: found.name.slice(0, 40) }, 'Remove', () =>
          act(doing, done, () => client.getNetwork(found.id).remove()),
        );
    },
    shell() {
      const one = chosen();
      if (!one) return;
      if (one.state !== 'running') fail(new Error(`${one.name} is not running: start it with s, then e opens a shell`));
      else parts.session('shell', one.id, one.name).then(say, fail);
    },
    attach() {
      const one = chosen();
      if (!one) return;
      if (one.state !== 'running') fail(new Error(`${one.name} is not running: start it with s, then a attaches`));
      else parts.session('attach', one.id, one.name).then(say, fail);
    },
    pull(name) {
      const ending = new AbortController();
      const layers = new Map<string, PullLayer>();
      let shown: Extract<Dialog, { kind: 'pull' }> = {
        kind: 'pull',
        name,
        layers: [],
        line: 'asking the registry …',
        ended: false,
        error: '',
        cancel: () => ending.abort(),
      };
      let timer: NodeJS.Timeout | undefined;
      const open = () => view.getState().dialog?.kind === 'pull';
      const draw = () => {
        clearTimeout(timer);
        timer = undefined;
        if (open()) set({ dialog: shown });
      };
      const change = (patch: Partial<typeof shown>) => {
        shown = { ...shown, ...patch };
        timer ??= setTimeout(draw, 80);
      };
      set({ dialog: shown });
      const work = async () => {
        for await (const line of client.pull(name, { signal: ending.signal })) {
          const { current, total } = line.progressDetail ?? {};
          if (line.id && !/^Pulling from/.test(line.status ?? '')) {
            const old = layers.get(line.id);
            layers.set(line.id, {
              id: line.id,
              status: line.status ?? '',
              current: current ?? old?.current ?? 0,
              total: total ?? old?.total ?? 0,
            });
            change({ layers: [...layers.values()] });
          } else change({ line: cleanLine(line.status ?? '') });
        }
      };
      work().then(
        () => {
          change({ ended: true });
          draw();
        },
        (error: unknown) => {
          change({
            ended: true,
            error: ending.signal.aborted ? 'cancelled; what was fetched is kept for the next try' : wordsOf(error),
          });
          draw();
        },
      );
    },
  };
  return controls;
}
