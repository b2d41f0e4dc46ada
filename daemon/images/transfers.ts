/**
 * Blob downloads: one transfer for a blob however many pulls want it, three at once, continued where a cut line left them
 * (field/engine-api.md section 3.1). A transfer ends when nobody waits for it any more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';
import type { ContentStore, Ingest } from './content.ts';
import { TransientError } from './http.ts';
import type { Descriptor } from './manifest.ts';
import type { Repository } from './registry.ts';
import { Semaphore } from './semaphore.ts';

export type TransferEvent =
  | { kind: 'waiting' }
  | { kind: 'progress'; current: number; total: number }
  | { kind: 'verifying' }
  | { kind: 'retry'; seconds: number };
export type TransferListener = (event: TransferEvent) => void;

interface Transfer {
  promise: Promise<void>;
  listeners: Set<TransferListener>;
  stop: AbortController;
}

export interface TransferSettings {
  concurrent: number;
  /** Attempts in a row that bring no byte before it is given up. */
  attempts: number;
  /** The n-th of them waits n times this. */
  retryDelayMs: number;
  /** A registry that sends nothing for so long is taken for dead. */
  stallMs: number;
}
export const TRANSFER_DEFAULTS: TransferSettings = { concurrent: 3, attempts: 5, retryDelayMs: 1000, stallMs: 60_000 };

export class Transfers {
  readonly #content: ContentStore;
  readonly settings: TransferSettings;
  readonly #slots: Semaphore;
  readonly #running = new Map<string, Transfer>();

  constructor(content: ContentStore, settings: TransferSettings) {
    this.#content = content;
    this.settings = settings;
    this.#slots = new Semaphore(settings.concurrent);
  }

  /** Blobs that arrive right now: not to be swept. */
  has(digest: string): boolean {
    return this.#running.has(digest);
  }

  /** Resolves when the blob is verified and on disk. @throws EngineError; the signal's reason, while others may wait on. */
  async fetch(
    repository: Repository,
    blob: Descriptor,
    listener: TransferListener,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#content.has(blob.digest)) return;
      const shared = this.#running.get(blob.digest);
      const transfer = shared ?? this.#start(repository, blob);
      transfer.listeners.add(listener);
      try {
        await untilAborted(transfer.promise, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        // Another pull's credentials or registry failed, or its user left just now: ours has an attempt of its own.
        if (!shared) throw error;
      } finally {
        transfer.listeners.delete(listener);
        if (transfer.listeners.size === 0) transfer.stop.abort(new Error('nobody waits for this blob any more'));
      }
      await transfer.promise.catch(() => {}); // its partial file must be closed before it is opened again
    }
  }

  /** Waits until every transfer has let go of its files. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map((transfer) => transfer.promise));
  }

  #start(repository: Repository, blob: Descriptor): Transfer {
    const listeners = new Set<TransferListener>();
    const stop = new AbortController();
    const tell: TransferListener = (event) => {
      for (const listener of listeners) listener(event);
    };
    const promise = this.#run(repository, blob, tell, stop.signal).finally(() => this.#running.delete(blob.digest));
    promise.catch(() => {}); // whoever waits gets it too; nobody may wait any more
    const transfer = { promise, listeners, stop };
    this.#running.set(blob.digest, transfer);
    return transfer;
  }

  async #run(repository: Repository, blob: Descriptor, tell: TransferListener, signal: AbortSignal): Promise<void> {
    await null; // whoever started this is listening by then
    if (this.#slots.busy) tell({ kind: 'waiting' });
    const release = await this.#slots.acquire(signal);
    try {
      const resumed = await this.#once(repository, blob, tell, signal);
      // What was kept from an earlier attempt may be what is wrong: once more from nothing.
      if (resumed instanceof EngineError) {
        const again = await this.#once(repository, blob, tell, signal);
        if (again) throw again;
      }
    } catch (error) {
      if (error instanceof EngineError && error.message.startsWith('no space left'))
        await this.#content.discardPartial(blob.digest);
      throw error;
    } finally {
      release();
    }
  }

  /** One download to its end; gives back (instead of throwing) the failed verification of a blob that was continued. */
  async #once(
    repository: Repository,
    blob: Descriptor,
    tell: TransferListener,
    signal: AbortSignal,
  ): Promise<EngineError | undefined> {
    const ingest = await this.#content.ingest(blob.digest, signal);
    const continued = ingest.offset > 0;
    try {
      await this.#receive(repository, blob, ingest, tell, signal);
    } catch (error) {
      await ingest.close();
      throw error;
    }
    tell({ kind: 'verifying' });
    try {
      await ingest.commit();
      return undefined;
    } catch (error) {
      if (continued && error instanceof EngineError && error.message.startsWith('filesystem layer verification failed'))
        return error;
      throw error;
    }
  }

  async #receive(
    repository: Repository,
    blob: Descriptor,
    ingest: Ingest,
    tell: TransferListener,
    signal: AbortSignal,
  ): Promise<void> {
    let fruitless = 0;
    if (ingest.offset > blob.size) await ingest.restart();
    while (ingest.offset < blob.size || (blob.size === 0 && fruitless === 0)) {
      const before = ingest.offset;
      try {
        await this.#attempt(repository, blob, ingest, tell, signal);
        if (ingest.offset >= blob.size) return;
        throw new TransientError(imageErrors.truncated(blob.digest, ingest.offset, blob.size).message);
      } catch (error) {
        signal.throwIfAborted();
        fruitless = ingest.offset > before ? 1 : fruitless + 1;
        if (!(error instanceof TransientError) || fruitless >= this.settings.attempts) throw error;
        await this.#pause(error.retryAfterMs ?? fruitless * this.settings.retryDelayMs, tell, signal);
      }
    }
  }

  async #pause(delayMs: number, tell: TransferListener, signal: AbortSignal): Promise<void> {
    for (let left = delayMs; left > 0; left -= 1000) {
      tell({ kind: 'retry', seconds: Math.ceil(left / 1000) });
      await sleep(Math.min(left, 1000), undefined, { signal });
    }
  }

  async #attempt(
    repository: Repository,
    blob: Descriptor,
    ingest: Ingest,
    tell: TransferListener,
    signal: AbortSignal,
  ): Promise<void> {
    const { body, offset } = await repository.blob(blob.digest, ingest.offset, signal);
    if (offset !== ingest.offset) await ingest.restart();
    tell({ kind: 'progress', current: ingest.offset, total: blob.size });
    const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    try {
      for (;;) {
        const next = await readNext(iterator, blob.digest, ingest.offset, blob.size, signal);
        if (next.done) return;
        if (ingest.offset + next.value.length > blob.size) {
          await ingest.restart();
          throw imageErrors.blobSize(blob.digest, blob.size, ingest.offset + next.value.length);
        }
        await ingest.write(next.value);
        tell({ kind: 'progress', current: ingest.offset, total: blob.size });
      }
    } finally {
      body.on('error', () => {}).destroy();
    }
  }
}

/** A line that breaks is transient; a disk that is full is not: only the reading is told apart here. */
async function readNext(
  iterator: AsyncIterator<Buffer>,
  digest: string,
  got: number,
  size: number,
  signal: AbortSignal,
): Promise<IteratorResult<Buffer>> {
  try {
    return await iterator.next();
  } catch (error) {
    signal.throwIfAborted();
    throw new TransientError(imageErrors.truncated(digest, got, size).message, { cause: error });
  }
}

function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
