/** The dashboard's entry: puts client, stores and screen together, and gives the terminal back whatever happens. */
import { type Instance, render } from 'ink';
import { createClient, type Endpoint, type EngineClient } from '../client/index.ts';
import {
  createCoalesced,
  createDetailTask,
  createStatsFeed,
  createView,
  type DetailState,
  type Facts,
  NO_DETAIL,
  NO_FACTS,
  selectedRow,
  startSync,
} from '../store/index.ts';
import { App } from './App.tsx';
import { createController } from './controller.ts';
import { pageOf, screenLines } from './screen.ts';
import { runSession } from './terminal/session.ts';
import { lineText } from './widgets/line.ts';

export { keyTable } from './keys/docs.ts';

export interface DashboardOptions {
  endpoint: Endpoint;
  env: NodeJS.ProcessEnv;
  debug: boolean;
  /** Default: a client for `endpoint`. */
  client?: EngineClient;
}
export interface SnapshotOptions extends DashboardOptions {
  columns: number;
  rows: number;
}

const SNAPSHOT_WAIT_MS = 5_000;
const SNAPSHOT_LOGS_MS = 250;
/** Mouse off, bracketed paste off, cursor on, attributes off: harmless where nothing was on. */
const RESET = '\x1b[?1000l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[0m';

/** Runs until the person quits. @returns the exit code. */
export async function startDashboard(options: DashboardOptions): Promise<number> {
  const client = options.client ?? createClient(options.endpoint);
  const { stdin, stdout } = process;
  const facts = createCoalesced<Facts>(NO_FACTS);
  const detail = createCoalesced<DetailState>(NO_DETAIL);
  const view = createView();
  const feed = createStatsFeed(client, facts);
  const task = createDetailTask(client, detail);
  let code = 0;
  let instance: Instance | undefined;
  let suspendTerminal: (work: () => Promise<void>) => Promise<void> = (work) => work();
  const quit = () => instance?.unmount();
  const controller = createController({
    client,
    facts,
    detail,
    view,
    quit,
    page: () => pageOf(view.getState(), stdout.columns, stdout.rows),
    redraw: () => void suspendTerminal(async () => undefined).catch((error: unknown) => controller.fail(error)),
    retry: () => sync.retry(),
    suspend: () => {
      suspendTerminal(
        () =>
          new Promise<void>((resolve) => {
            process.once('SIGCONT', () => resolve());
            // The whole group: npm and sh wait above node, and a shell sees only a stopped job.
            process.kill(0, 'SIGTSTP');
          }),
      ).catch((error: unknown) => controller.fail(error));
    },
    session: async (kind, id, name) => {
      let text = '';
      let failure: unknown;
      await suspendTerminal(async () => {
        try {
          text = await runSession(client, kind, id, name);
        } catch (error) {
          failure = error;
        }
      });
      if (failure !== undefined) throw failure;
      return text;
    },
  });
  const sync = startSync(client, facts, (message) => controller.fail(new Error(message)));

  const onSignal = (signal: NodeJS.Signals) => {
    code = signal === 'SIGHUP' ? 129 : signal === 'SIGINT' ? 130 : 143;
    quit();
  };
  let crash: unknown;
  const onCrash = (error: unknown) => {
    crash ??= error;
    code = 1;
    quit();
  };
  const onTerminalError = () => onSignal('SIGHUP');
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, onSignal);
  process.on('uncaughtException', onCrash);
  process.on('unhandledRejection', onCrash);
  stdin.on('error', onTerminalError);
  stdout.on('error', onTerminalError);
  try {
    instance = render(
      <App
        facts={facts}
        detail={detail}
        view={view}
        controller={controller}
        feed={feed}
        task={task}
        host={client.host}
        colour={!options.env['NO_COLOR']}
        now={Date.now}
        onTerminal={(suspend) => {
          suspendTerminal = suspend;
        }}
      />,
      {
        stdin,
        stdout,
        exitOnCtrlC: false,
        patchConsole: false,
        alternateScreen: true,
        incrementalRendering: true,
        maxFps: 1000,
        interactive: Boolean(stdin.isTTY && stdout.isTTY),
      },
    );
    await instance.waitUntilExit();
  } catch (error) {
    onCrash(error);
  } finally {
    instance?.unmount();
    sync.stop();
    feed.stop();
    task.stop();
    facts.stop();
    detail.stop();
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.off(signal, onSignal);
    if (stdin.isTTY && code !== 129) stdin.setRawMode(false);
    if (stdout.isTTY && code !== 129) stdout.write(RESET);
  }
  const running = facts.current().connection.state === 'connected';
  const closing = client.close().catch(() => undefined);
  await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 200))]);
  if (crash !== undefined) {
    const text = crash instanceof Error ? (options.debug ? crash.stack : crash.message) : String(crash);
    process.stderr.write(`galley: the dashboard ended with an error: ${text}\n`);
  } else if (running && code === 0) {
    stdout.write('The engine keeps running, and its containers with it. "galley daemon stop" ends it.\n');
  }
  return code;
}

/** One frame of the dashboard as text. Waits until the engine has answered. @throws Error when none does */
export async function snapshot(options: SnapshotOptions): Promise<string> {
  const client = options.client ?? createClient(options.endpoint);
  const facts = createCoalesced<Facts>(NO_FACTS, 0);
  const detail = createCoalesced<DetailState>(NO_DETAIL, 0);
  const failures: string[] = [];
  const sync = startSync(client, facts, (message) => failures.push(message));
  try {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SNAPSHOT_WAIT_MS);
      facts.store.subscribe((now) => {
        if (now.connection.state === 'connecting') return;
        clearTimeout(timer);
        resolve();
      });
    });
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
    const { columns, rows } = options;
    const lines = screenLines({
      facts: facts.current(),
      view,
      detail: detail.current(),
      host: client.host,
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
