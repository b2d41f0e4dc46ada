/** The dashboard's tie to one engine: client, facts and their streams, made and ended together so that another engine can take its place. */
import { createClient, type Endpoint, type EngineClient } from '../client/index.ts';
import { createDetailTask, type DetailState, type DetailTask, NO_DETAIL } from './detail.ts';
import { type Coalesced, createCoalesced, type Facts, NO_FACTS } from './facts.ts';
import type { DashboardOptions } from './options.ts';
import { createStatsFeed, type StatsFeed } from './stats.ts';
import { type Sync, startSync } from './sync.ts';

export interface Link {
  readonly endpoint: Endpoint;
  readonly client: EngineClient;
  readonly facts: Coalesced<Facts>;
  readonly detail: Coalesced<DetailState>;
  readonly feed: StatsFeed;
  readonly task: DetailTask;
  /** Looks for the engine now instead of at the end of the pause. */
  retry(): void;
  /** Starts galleyd where this link may, and says in the facts why not. */
  startEngine(): Promise<void>;
  stop(): Promise<void>;
}

const CLOSE_MS = 200;

/** Only galleyd's own address may be started: an engine that somebody named is never replaced by another. */
export const mayStart = (endpoint: Endpoint): boolean => endpoint.source === 'galley' && endpoint.kind === 'unix';

/**
 * Connects, and keeps connected until `stop()`. galleyd is started when none answers (issue 2: the dashboard is one of
 * three that may). Failed look-ups go to `onError`.
 */
export function openLink(
  endpoint: Endpoint,
  options: Pick<DashboardOptions, 'startEngine' | 'otherEngines'>,
  onError: (message: string) => void,
): Link {
  const client = createClient(endpoint);
  const facts = createCoalesced<Facts>(NO_FACTS);
  const detail = createCoalesced<DetailState>(NO_DETAIL);
  const feed = createStatsFeed(client, facts);
  const task = createDetailTask(client, detail);
  let sync: Sync | undefined;
  let stopped = false;
  let looked = false;

  const patch = (change: Partial<Facts>) => {
    facts.patch((now) => ({ ...now, ...change }));
    facts.flush();
  };
  async function startEngine(): Promise<void> {
    if (!mayStart(endpoint)) return;
    try {
      await options.startEngine(endpoint, (line) =>
        patch({ connection: { state: 'connecting', message: line }, startFailure: '' }),
      );
      patch({ startFailure: '' });
    } catch (error) {
      patch({ startFailure: error instanceof Error ? error.message : String(error) });
    }
    sync?.retry();
  }
  async function begin(): Promise<void> {
    await startEngine();
    if (!stopped) sync = startSync(client, facts, onError);
  }
  // Other engines are looked for once, and only where this one has never answered.
  const unsubscribe = facts.store.subscribe(({ connection, engine }) => {
    if (looked || engine || connection.state !== 'lost') return;
    looked = true;
    options.otherEngines().then(
      (others) => {
        if (!stopped && others.length > 0) patch({ others });
      },
      (error: unknown) => onError(error instanceof Error ? error.message : String(error)),
    );
  });
  void begin();

  return {
    endpoint,
    client,
    facts,
    detail,
    feed,
    task,
    retry: () => sync?.retry(),
    startEngine,
    async stop() {
      stopped = true;
      unsubscribe();
      sync?.stop();
      feed.stop();
      task.stop();
      facts.stop();
      detail.stop();
      // An engine that does not close its side must not hold the person up.
      await Promise.race([client.close().catch(() => undefined), new Promise((done) => setTimeout(done, CLOSE_MS))]);
    },
  };
}
