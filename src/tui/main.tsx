/** The dashboard's bundle: a full-screen session, or one frame as text. */
import { render, renderToString } from 'ink';
import { createClient, type Endpoint } from '../client/index.ts';
import { createFacts } from '../store/facts.ts';
import { keepInSync } from '../store/sync.ts';
import { App } from './App.tsx';

export interface DashboardOptions {
  endpoint: Endpoint;
  env: NodeJS.ProcessEnv;
  debug: boolean;
}

/** Gives the terminal back whatever happens: cursor, main screen, no attributes. */
const RESTORE = '\u001b[?1049l\u001b[?25h\u001b[0m';

/** Runs until the user quits or a signal ends it; resolves with the exit code. */
export async function startDashboard({ endpoint }: DashboardOptions): Promise<number> {
  const client = createClient(endpoint);
  const facts = createFacts(client.host);
  const stop = new AbortController();
  const syncing = keepInSync(client, facts, stop.signal);
  const app = render(<App client={client} facts={facts} />, {
    alternateScreen: true,
    incrementalRendering: true,
    maxFps: 1000,
    patchConsole: false,
    exitOnCtrlC: false,
    // Not Ink's guess: a CI variable in somebody's shell must not freeze the dashboard.
    interactive: Boolean(process.stdin.isTTY && process.stdout.isTTY),
  });
  let code = 0;
  for (const [signal, number] of [
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.once(signal, () => {
      code = 128 + number;
      app.unmount();
    });
  }
  try {
    await app.waitUntilExit();
  } finally {
    stop.abort();
    if (process.stdout.isTTY) process.stdout.write(RESTORE);
    await syncing;
    await client.close();
  }
  process.stderr.write(`galley: the engine at ${client.host} keeps running\n`);
  return code;
}

/** One frame as plain text: what a dashboard of that size shows once it knows the engine. */
export async function snapshot({
  endpoint,
  columns,
  rows,
}: DashboardOptions & { columns: number; rows: number }): Promise<string> {
  const client = createClient(endpoint);
  const facts = createFacts(client.host);
  const stop = new AbortController();
  const syncing = keepInSync(client, facts, stop.signal);
  try {
    await new Promise<void>((resolve, reject) => {
      const unsubscribe = facts.subscribe(({ trouble }) => {
        unsubscribe();
        if (trouble) reject(new Error(trouble));
        else resolve();
      });
    });
    return renderToString(<App client={client} facts={facts} size={{ columns, rows }} />, { columns });
  } finally {
    stop.abort();
    await syncing;
    await client.close();
  }
}
