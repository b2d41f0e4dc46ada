import type { TaskStream } from '../runtime/types.ts';
import type { Log } from '../system/log.ts';
import type { ClientFeed } from './client-feed.ts';
import { LogCursor, type LogPosition } from './log-files.ts';

export interface HubOptions {
  attach(): Promise<TaskStream>;
  /** null: the container keeps no log, so a client that falls behind cannot be fed from it. */
  logPath: string | null;
  /** The connection stays when the last client leaves: closing it would close the container's stdin. */
  keepOpen: boolean;
  log: Log;
}

/** The end of a container's output may lag its exit a little; a stuck descriptor must not hold the exit up. */
const DRAIN_MS = 3000;

/**
 * A container's stdio, shared by its clients: one connection to conmon, made when somebody listens, always drained
 * (a reader that waits stalls the container, field/conmon.md). Clients may join before the container starts.
 */
export class StreamHub {
  readonly #options: HubOptions;
  readonly #feeds = new Set<ClientFeed>();
  #running = false;
  #connection: Promise<TaskStream | null> | null = null;
  #stream: TaskStream | null = null;
  #ended = Promise.withResolvers<void>();
  /** Bytes of each stream since the connection was made; `#origin` is where the log stood then. */
  #counts = { 1: 0, 2: 0 };
  #origin: LogPosition | null = null;
  #ready = Promise.withResolvers<TaskStream | null>();

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** After runtime.create, before runtime.start: with clients waiting, nothing of the output is missed. */
  async beginRun(): Promise<void> {
    this.#running = true;
    if (this.#feeds.size > 0) await this.#connect();
  }

  /** A run that was going on when galleyd started. */
  adoptRun(): void {
    this.#running = true;
  }

  #connect(): Promise<TaskStream | null> {
    this.#connection ??= this.#open();
    return this.#connection;
  }

  async #open(): Promise<TaskStream | null> {
    this.#counts = { 1: 0, 2: 0 };
    for (const feed of this.#feeds) feed.restart();
    this.#ended = Promise.withResolvers<void>();
    try {
      if (this.#options.logPath) this.#origin = await LogCursor.endOf(this.#options.logPath);
      const stream = await this.#options.attach();
      this.#stream = stream;
      stream.onData((from, data) => {
        const before = this.#counts[from];
        this.#counts[from] += data.length;
        for (const feed of this.#feeds) feed.push(from, data, before);
      });
      stream.onEnd(() => this.#ended.resolve());
      this.#ready.resolve(stream);
      return stream;
    } catch (error) {
      // The container may have ended between the check and the connection; its log has the output.
      this.#options.log.debug('attach failed', { error: String(error) });
      this.#ended.resolve();
      this.#ready.resolve(null);
      return null;
    }
  }

  /** Registers a client. Its output begins here; `feed.done` resolves when it is through. */
  async join(feed: ClientFeed): Promise<void> {
    feed.bind({
      counts: () => this.#counts,
      running: () => this.#running,
      cursor: async () =>
        this.#options.logPath && this.#origin ? LogCursor.atPosition(this.#options.logPath, this.#origin) : null,
    });
    this.#feeds.add(feed);
    void feed.done.then(() => this.#leave(feed));
    if (this.#running) await this.#connect();
  }

  #leave(feed: ClientFeed): void {
    this.#feeds.delete(feed);
    if (this.#feeds.size > 0 || this.#options.keepOpen || !this.#stream) return;
    this.#stream.close();
    this.#stream = null;
    this.#connection = null;
    this.#ready = Promise.withResolvers();
  }

  get running(): boolean {
    return this.#running;
  }

  /** Resolves when there is something to write to; null: the run ended before there was. */
  async input(): Promise<TaskStream | null> {
    return this.#stream ?? this.#ready.promise;
  }

  /** After the process' exit: what is still in the pipe reaches the clients, then they end. */
  async endRun(): Promise<void> {
    if (this.#connection) {
      await this.#connection;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, DRAIN_MS);
      });
      await Promise.race([this.#ended.promise, late]);
      clearTimeout(timer);
    }
    this.#running = false;
    for (const feed of this.#feeds) feed.end();
    this.#stream?.close();
    this.#stream = null;
    this.#connection = null;
    this.#ready.resolve(null);
    this.#ready = Promise.withResolvers();
  }

  /** galleyd ends: the clients go, the container does not notice. */
  close(): void {
    for (const feed of this.#feeds) feed.drop();
    this.#stream?.close();
    this.#stream = null;
    this.#connection = null;
  }
}
