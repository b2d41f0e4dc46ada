import { setTimeout as sleep } from 'node:timers/promises';
import type { LogCursor } from './log-files.ts';
import type { ClientStream } from './types.ts';

/** Output kept for a client that does not take it; beyond that it reads the log. */
export const QUEUE_LIMIT = 1024 * 1024;
const LOOK_AGAIN_MS = 20;

export interface FlowControl {
  pause(): void;
  resume(): void;
}

export interface FeedOptions {
  /** The source may be stalled (an exec's own process), so nothing is ever dropped. */
  flow?: FlowControl | null;
  /** Bytes that wait for the client at most. */
  limit?: number;
  /** The client was dropped because it took nothing and there is no log to feed it from. */
  onDrop?: () => void;
}

/** What a feed needs of the hub that it joined. */
export interface FeedSource {
  counts(): { 1: number; 2: number };
  running(): boolean;
  /** The log from where the counts are zero; null when there is no log. */
  cursor(): Promise<LogCursor | null>;
}

/**
 * Output for one client with a bounded queue. A client that falls behind loses its queue and is fed from the log file
 * from the byte where it stood, then changes back; it never stalls the container nor the others. Without a log it is dropped.
 */
export class ClientFeed {
  readonly #client: ClientStream;
  readonly #wants: { 1: boolean; 2: boolean };
  readonly #finished = Promise.withResolvers<void>();
  #source: FeedSource | null = null;
  #queue: { stream: 1 | 2; data: Buffer }[] = [];
  #queued = 0;
  /** Bytes of each stream that were sent or queued, in the hub's count. */
  #position = { 1: 0, 2: 0 };
  #sent = { 1: 0, 2: 0 };
  #lagging = false;
  #ending = false;
  #over = false;
  #pumping = false;
  #hold = false;
  #paused = false;
  readonly #flow: FlowControl | null;
  readonly #limit: number;
  readonly #onDrop: () => void;

  constructor(client: ClientStream, wants: { stdout: boolean; stderr: boolean }, options: FeedOptions = {}) {
    this.#client = client;
    this.#flow = options.flow ?? null;
    this.#limit = options.limit ?? QUEUE_LIMIT;
    this.#onDrop = options.onDrop ?? (() => {});
    this.#wants = { 1: wants.stdout, 2: wants.stderr };
    client.onClose(() => this.#finish());
  }

  /** Resolves when the client has everything, or is gone. */
  get done(): Promise<void> {
    return this.#finished.promise;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** The source waits for the client. */
  get holdsUp(): boolean {
    return this.#paused;
  }

  bind(source: FeedSource): void {
    this.#source = source;
    this.#position = { ...source.counts() };
    this.#sent = { ...this.#position };
  }

  /** The hub connected anew: its counts begin at zero. */
  restart(): void {
    this.#position = { 1: 0, 2: 0 };
    this.#sent = { 1: 0, 2: 0 };
  }

  /** Nothing goes out until `release`: the log is being replayed. */
  hold(): void {
    this.#hold = true;
  }

  release(): void {
    this.#hold = false;
    void this.#pump();
  }

  /** `before`: the hub's count of this stream before `data`. */
  push(stream: 1 | 2, data: Buffer, before: number): void {
    if (this.#over || this.#lagging) return;
    if (!this.#wants[stream]) {
      this.#position[stream] = before + data.length;
      this.#sent[stream] = this.#position[stream];
      return;
    }
    const known = this.#position[stream] - before; // already had from the log, which runs a little ahead
    if (known >= data.length) return;
    const piece = known > 0 ? data.subarray(known) : data;
    this.#position[stream] = before + data.length;
    this.#queue.push({ stream, data: piece });
    this.#queued += piece.length;
    if (this.#queued > this.#limit && this.#flow) {
      this.#paused = true;
      this.#flow.pause();
    } else if (this.#queued > this.#limit) {
      this.#queue = [];
      this.#queued = 0;
      this.#lagging = true;
    }
    void this.#pump();
  }

  /** The source has ended: send what is queued, then finish. */
  end(): void {
    this.#ending = true;
    void this.#pump();
  }

  /** At once, with whatever is queued. */
  drop(): void {
    this.#finish();
  }

  #unpause(): void {
    this.#paused = false;
    this.#flow?.resume();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#paused) this.#unpause(); // the process goes on without a reader
    this.#queue = [];
    this.#queued = 0;
    this.#client.close();
    this.#finished.resolve();
  }

  async #pump(): Promise<void> {
    if (this.#pumping || this.#hold) return;
    this.#pumping = true;
    try {
      for (;;) {
        if (this.#over) return;
        const next = this.#queue.shift();
        if (next) {
          this.#queued -= next.data.length;
          await this.#client.send(next.stream, next.data);
          this.#sent[next.stream] += next.data.length;
          if (this.#paused && this.#queued < this.#limit / 2) this.#unpause();
        } else if (this.#lagging) {
          if (!(await this.#catchUp())) {
            this.#onDrop();
            this.#finish();
            return;
          }
        } else break;
      }
    } catch {
      this.#finish(); // the client's connection broke: nobody is left to tell
      return;
    } finally {
      this.#pumping = false;
    }
    if (this.#ending) this.#finish();
  }

  /** From the log, from where the client stands to where the hub is. False: there is no log to read. */
  async #catchUp(): Promise<boolean> {
    const cursor = await this.#source?.cursor();
    if (!cursor || !this.#source) return false;
    await using open = cursor;
    const seen = { 1: 0, 2: 0 };
    while (!this.#over) {
      const last = !this.#source.running();
      const entries = await open.read(last);
      if (entries.length === 0) {
        const counts = this.#source.counts();
        const level = ([1, 2] as const).every((s) => !this.#wants[s] || this.#sent[s] >= counts[s]);
        if (level || last) {
          for (const s of [1, 2] as const) {
            if (!this.#wants[s]) this.#sent[s] = counts[s];
            this.#position[s] = this.#sent[s];
          }
          this.#lagging = false;
          return true;
        }
        await sleep(LOOK_AGAIN_MS);
        continue;
      }
      for (const { stream, data } of entries) {
        const from = this.#sent[stream] - seen[stream];
        seen[stream] += data.length;
        if (from >= data.length || !this.#wants[stream]) continue;
        const piece = from > 0 ? data.subarray(from) : data;
        await this.#client.send(stream, piece);
        this.#sent[stream] += piece.length;
        if (this.#over) return true;
      }
    }
    return true;
  }
}
