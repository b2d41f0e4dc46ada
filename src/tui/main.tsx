/** The dashboard's entry: puts link, view and screen together, and ends them together. */
import { type Instance, render } from 'ink';
import { createClient, type Endpoint } from '../client/index.ts';
import {
  type Coalesced,
  createCoalesced,
  createDetailTask,
  createView,
  type DashboardOptions,
  type DetailState,
  type Facts,
  initialView,
  type Link,
  NO_DETAIL,
  NO_FACTS,
  openLink,
  type SnapshotOptions,
  selectedRow,
  startSync,
} from '../store/index.ts';
import { App } from './App.tsx';
import { createController } from './control/controller.ts';
import { focusedArea } from './layout.ts';
import { screenLines } from './screen.ts';
import { type Ending, guardTerminal } from './terminal/guard.ts';
import { type Suspend, watchJob } from './terminal/job.ts';
import { runSession } from './terminal/session.ts';
import { lineText } from './widgets/line.ts';

export { keyTable } from './keys/docs.ts';

/** A line whose width the terminal counts differently is cut then; wrapped it would push the whole frame. */
const WRAP_OFF = '\x1b[?7l';
const WRAP_ON = '\x1b[?7h';
/** An engine that answers in this time is spared the frame that says it is being connected: drawing it twice would cost more. */
const FIRST_FRAME_MS = 100;
const SNAPSHOT_WAIT_MS = 5_000;
const SNAPSHOT_LOGS_MS = 250;

/** Resolves when the engine has answered or is known not to, at the latest after `milliseconds`. */
function answered(facts: Coalesced<Facts>, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    const unsubscribe = facts.store.subscribe(({ connection }) => {
      if (connection.state !== 'connecting') end();
    });
  });
}

/** Runs until the person quits. @returns the exit code. */
export async function startDashboard(options: DashboardOptions): Promise<number> {
  const { stdin, stdout } = process;
  const view = createView();
  let ending: Ending | undefined;
  let instance: Instance | undefined;
  let released = false;
  let suspend: Suspend = (work) => work();
  let link: Link;

  const end = (how: Ending) => {
    ending ??= how;
    instance?.unmount();
  };
  const guard = guardTerminal(end);
  const job = watchJob(
    (work) => suspend(work),
    (error) => controller.fail(error),
  );
  const connect = (endpoint: Endpoint) => openLink(endpoint, options, (text) => controller.fail(new Error(text)));
  const controller = createController({
    link: () => link,
    view,
    quit: () => end({ code: 0 }),
    area: () => focusedArea(view.getState(), stdout.columns, stdout.rows),
    otherEngines: options.otherEngines,
    answers: options.answers,
    redraw: () => void suspend(async () => undefined).catch((error: unknown) => controller.fail(error)),
    suspend: () => void job.stop().catch((error: unknown) => controller.fail(error)),
    env: options.env,
    connect(endpoint) {
      const old = link;
      link = connect(endpoint);
      view.setState(initialView());
      instance?.rerender(screen());
      void old.stop();
    },
    session: async (kind, id, name) => {
      let text = '';
      let failure: unknown;
      await suspend(async () => {
        try {
          text = await runSession(link.client, kind, id, name);
        } catch (error) {
          failure = error;
        }
      });
      if (failure !== undefined) throw failure;
      return text;
    },
  });
  const screen = () => (
    <App
      link={link}
      view={view}
      controller={controller}
      colour={!options.env['NO_COLOR']}
      now={Date.now}
      onTerminal={(handOver) => {
        suspend = async (work) => {
          await handOver(async () => {
            stdout.write(WRAP_ON);
            await work();
          });
          // A quit typed in this moment has given the terminal back already: it stays as it was found.
          if (!released) stdout.write(WRAP_OFF);
        };
      }}
    />
  );

  link = connect(options.endpoint);
  try {
    await answered(link.facts, FIRST_FRAME_MS);
    instance = render(screen(), {
      stdin,
      stdout,
      exitOnCtrlC: false,
      patchConsole: false,
      alternateScreen: true,
      incrementalRendering: true,
      // The stores coalesce what comes from the engine; a key must not wait for anything.
      maxFps: 1000,
      interactive: Boolean(stdin.isTTY && stdout.isTTY),
    });
    stdout.write(WRAP_OFF);
    if (ending) instance.unmount();
    await instance.waitUntilExit();
  } catch (error) {
    end({ code: 1, error });
  } finally {
    instance?.unmount();
    job.release();
    released = true;
    guard.release();
  }
  const running = link.facts.current().connection.state === 'connected';
  await link.stop();
  const { code, error } = ending ?? { code: 0 };
  if (error !== undefined) {
    const text = error instanceof Error ? (options.debug ? error.stack : error.message) : String(error);
    process.stderr.write(`galley: the dashboard ended with an error: ${text}\n`);
  } else if (running && code === 0) {
    const stop = link.endpoint.source === 'galley' ? ' "galley daemon stop" ends it.' : '';
    stdout.write(`The engine keeps running, and its containers with it.${stop}\n`);
  }
  return code;
}

/** One frame of the dashboard as text. Waits until the engine has answered. @throws Error when none does */
export async function snapshot({ endpoint, columns, rows }: SnapshotOptions): Promise<string> {
  const client = createClient(endpoint);
  const facts = createCoalesced<Facts>(NO_FACTS, 0);
  const detail = createCoalesced<DetailState>(NO_DETAIL, 0);
  const sync = startSync(client, facts, (message) => process.stderr.write(`galley: ${message}\n`));
  try {
    await answered(facts, SNAPSHOT_WAIT_MS);
    const { connection } = facts.current();
    if (connection.state !== 'connected') throw new Error(connection.message || `no answer from ${client.host}`);
    const view = createView().getState();
    const row = selectedRow(facts.current(), view);
    if (row) {
      const task = createDetailTask(client, detail);
      task.show({ kind: 'logs', id: row.id, timestamps: false });
      // The logs of a running container have no end: what comes in this time is the frame's.
      await new Promise((resolve) => setTimeout(resolve, SNAPSHOT_LOGS_MS));
      task.stop();
    }
    const lines = screenLines({
      facts: facts.current(),
      view,
      detail: detail.current(),
      host: client.host,
      start: 'no',
      columns,
      rows,
      now: Date.now(),
    });
    return lines.map((line) => lineText(line).trimEnd()).join('\n');
  } finally {
    sync.stop();
    facts.stop();
    detail.stop();
    await client.close();
  }
}
