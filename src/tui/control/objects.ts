/** What is done to the selected or marked rows: each change asks first, and says in the message line what came of it. */
import type { ContainerHandle, EngineClient } from '../../client/index.ts';
import { type ContainerFact, chosenRows, nameOf, type Row, selectedRow } from '../../store/index.ts';
import type { SessionKind } from '../terminal/session.ts';
import type { Desk } from './desk.ts';

export interface ObjectWork {
  startStop(): void;
  restart(): void;
  pause(): void;
  kill(): void;
  remove(): void;
  enter(kind: SessionKind): void;
}

/** One thing to do to one object. */
interface Job {
  name: string;
  /** Its row in the question's table. */
  object: Record<string, string>;
  run: (client: EngineClient) => Promise<unknown>;
}
interface Work {
  /** `Stop`, `stopping`, `stopped`. */
  verb: string;
  doing: string;
  done: string;
  noun: string;
  note: string;
  /** The same on the command line, without the names. */
  command: string;
}

/** So many requests at once. */
const AT_ONCE = 8;
const NAMES_SHOWN = 4;

/** The end tells names apart. */
const endOf = (text: string, length: number) => (text.length > length ? `…${text.slice(1 - length)}` : text);

const RUNNING = ['running', 'restarting'];
const isLive = (one: ContainerFact) => RUNNING.includes(one.State) || one.State === 'paused';

export function objectWork(desk: Desk): ObjectWork {
  const { view } = desk;
  const facts = () => desk.link().facts.current();
  const chosen = (): ContainerFact[] =>
    view.getState().pane === 'containers'
      ? chosenRows(facts(), view.getState()).flatMap((row) => facts().containers.get(row.id) ?? [])
      : [];

  const namesOf = (jobs: readonly Job[]) => {
    const names = jobs.slice(0, NAMES_SHOWN).map((job) => job.name);
    return jobs.length > NAMES_SHOWN ? `${names.join(' ')} and ${jobs.length - NAMES_SHOWN} more` : names.join(' ');
  };

  /** Does it to all, a few at once; the first failure is quoted, the rest counted. */
  async function carryOut(work: Work, jobs: readonly Job[]): Promise<void> {
    desk.say(`${work.doing} ${namesOf(jobs)} …`);
    const { client } = desk.link();
    const waiting = [...jobs];
    const failures: unknown[] = [];
    const worker = async () => {
      for (let job = waiting.shift(); job; job = waiting.shift())
        await job.run(client).catch((error: unknown) => failures.push(error));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    desk.set({ marked: new Set() });
    const [first] = failures;
    if (first === undefined) desk.say(`${work.done} ${namesOf(jobs)}`);
    else if (jobs.length === 1) desk.fail(first);
    else {
      const words = first instanceof Error ? first.message : String(first);
      desk.fail(new Error(`${failures.length} of ${jobs.length} failed: ${words}`));
    }
  }
  function ask(work: Work, jobs: readonly Job[]): void {
    if (jobs.length === 0) return;
    const what = jobs.length === 1 ? `this ${work.noun}` : `these ${jobs.length} ${work.noun}s`;
    desk.set({
      dialog: {
        kind: 'confirm',
        title: `${work.verb} ${what}?`,
        note: [work.note, `= galley ${work.command} ${namesOf(jobs)}`].filter(Boolean).join('\n'),
        objects: jobs.map((job) => job.object),
        verb: work.verb,
        yes: false,
        run: () => void carryOut(work, jobs).catch(desk.fail),
      },
    });
  }

  const jobFor = (one: ContainerFact, run: (handle: ContainerHandle) => Promise<unknown>): Job => ({
    name: nameOf(one),
    object: { Container: endOf(nameOf(one), 26), Image: endOf(one.Image, 26), State: one.State },
    run: (client) => run(client.getContainer(one.Id)),
  });
  const start: Work = {
    verb: 'Start',
    doing: 'starting',
    done: 'started',
    noun: 'container',
    note: '',
    command: 'start',
  };
  const stop: Work = {
    verb: 'Stop',
    doing: 'stopping',
    done: 'stopped',
    noun: 'container',
    note: 'It gets its stop signal, and SIGKILL after its stop timeout.',
    command: 'stop',
  };
  const unpause: Work = { ...start, verb: 'Unpause', doing: 'unpausing', done: 'unpaused', command: 'unpause' };

  function removeContainers(all: readonly ContainerFact[]): void {
    const live = all.some(isLive);
    const note = `${live ? 'What runs is killed first. ' : ''}Anonymous volumes go too, named ones stay.`;
    ask(
      {
        verb: 'Remove',
        doing: 'removing',
        done: 'removed',
        noun: 'container',
        note,
        command: live ? 'rm -f -v' : 'rm -v',
      },
      all.map((one) => jobFor(one, (handle) => handle.remove({ force: isLive(one), v: true }))),
    );
  }
  function removeOthers(pane: 'images' | 'volumes' | 'networks', rows: readonly Row[]): void {
    const noun = pane.slice(0, -1);
    const note = {
      images: 'By a name it loses only that name while it has others.',
      volumes: 'The data is deleted and cannot be brought back.',
      networks: '',
    }[pane];
    const command = { images: 'rmi', volumes: 'volume rm', networks: 'network rm' }[pane];
    const run = (client: EngineClient, row: Row): Promise<unknown> => {
      if (pane === 'images') return client.getImage(row.name.includes('<none>') ? row.id : row.name).remove();
      return pane === 'volumes' ? client.getVolume(row.id).remove() : client.getNetwork(row.id).remove();
    };
    ask(
      { verb: 'Remove', doing: 'removing', done: 'removed', noun, note, command },
      rows.map((row) => ({
        name: row.name,
        object: { [`${noun[0]?.toUpperCase()}${noun.slice(1)}`]: endOf(row.name, 50) },
        run: (client) => run(client, row),
      })),
    );
  }

  return {
    startStop() {
      const all = chosen();
      const running = all.filter((one) => RUNNING.includes(one.State));
      const paused = all.filter((one) => one.State === 'paused');
      if (running.length > 0)
        ask(
          stop,
          running.map((one) => jobFor(one, (handle) => handle.stop())),
        );
      else if (paused.length > 0)
        void carryOut(
          unpause,
          paused.map((one) => jobFor(one, (handle) => handle.unpause())),
        ).catch(desk.fail);
      else if (all.length > 0)
        void carryOut(
          start,
          all.map((one) => jobFor(one, (handle) => handle.start())),
        ).catch(desk.fail);
    },
    restart: () =>
      ask(
        { ...stop, verb: 'Restart', doing: 'restarting', done: 'restarted', note: '', command: 'restart' },
        chosen().map((one) => jobFor(one, (handle) => handle.restart())),
      ),
    pause() {
      const all = chosen();
      const running = all.filter((one) => one.State === 'running');
      const paused = all.filter((one) => one.State === 'paused');
      if (running.length > 0)
        ask(
          {
            ...stop,
            verb: 'Pause',
            doing: 'pausing',
            done: 'paused',
            note: 'Its processes stand still until p is pressed again.',
            command: 'pause',
          },
          running.map((one) => jobFor(one, (handle) => handle.pause())),
        );
      else if (paused.length > 0)
        void carryOut(
          unpause,
          paused.map((one) => jobFor(one, (handle) => handle.unpause())),
        ).catch(desk.fail);
      else if (all.length > 0) desk.say(`${nameOf(all[0] as ContainerFact)} does not run`);
    },
    kill() {
      const live = chosen().filter(isLive);
      const [one] = chosen();
      if (live.length === 0 && one) desk.say(`${nameOf(one)} does not run`);
      ask(
        {
          ...stop,
          verb: 'Kill',
          doing: 'killing',
          done: 'killed',
          note: 'It gets SIGKILL and cannot clean up.',
          command: 'kill',
        },
        live.map((each) => jobFor(each, (handle) => handle.kill())),
      );
    },
    remove() {
      const { pane } = view.getState();
      if (pane === 'containers') removeContainers(chosen());
      else removeOthers(pane, chosenRows(facts(), view.getState()));
    },
    enter(kind) {
      const state = view.getState();
      const row = state.pane === 'containers' ? selectedRow(facts(), state) : undefined;
      const one = row && facts().containers.get(row.id);
      if (!one) return;
      const name = nameOf(one);
      const then = kind === 'shell' ? 'e opens a shell' : 'a attaches';
      if (one.State !== 'running') desk.fail(new Error(`${name} is not running: start it with s, then ${then}`));
      else desk.session(kind, one.Id, name).then(desk.say, desk.fail);
    },
  };
}
