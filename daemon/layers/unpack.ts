import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../errors/engine-error.ts';
import { layerErrors } from '../errors/layers.ts';
import { findIgzip } from './igzip.ts';
import type { LayerResult } from './layer-job.ts';
import type { UnpackRequest } from './types.ts';
import type { WorkerAnswer, WorkerInput } from './unpack-worker.ts';

/** Where the worker's code is: beside this source, or beside the bundle in dist/. */
function workerFile(): URL {
  const source = new URL('./unpack-worker.ts', import.meta.url);
  return existsSync(fileURLToPath(source)) ? source : new URL('./unpack-worker.mjs', import.meta.url);
}

function asFailure(message: string, code: string, dataRoot: string, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return signal.reason instanceof Error ? signal.reason : new Error('aborted');
  if (code === 'ENOSPC' || code === 'EDQUOT') return layerErrors.noSpace(dataRoot);
  return layerErrors.badTar(message);
}

/** Starting a thread and loading its code takes longer than most layers; idle ones wait a while for the next. */
const IDLE_MS = 10_000;
const MAX_WORKERS = Math.min(4, Math.max(2, availableParallelism()));

class Pool {
  #count = 0;
  readonly #idle: { worker: Worker; timer: NodeJS.Timeout }[] = [];
  readonly #queue: ((worker: Worker) => void)[] = [];

  acquire(): Promise<Worker> {
    const idle = this.#idle.pop();
    if (idle) {
      clearTimeout(idle.timer);
      idle.worker.ref();
      return Promise.resolve(idle.worker);
    }
    if (this.#count < MAX_WORKERS) return Promise.resolve(this.#start());
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  #start(): Worker {
    this.#count += 1;
    const worker = new Worker(workerFile());
    worker.once('exit', () => {
      this.#count -= 1;
      const at = this.#idle.findIndex((entry) => entry.worker === worker);
      if (at >= 0) this.#idle.splice(at, 1);
      const next = this.#queue.shift();
      if (next) next(this.#start());
    });
    return worker;
  }

  /** Only of a worker whose job has ended. */
  release(worker: Worker): void {
    const next = this.#queue.shift();
    if (next) {
      next(worker);
      return;
    }
    worker.unref();
    const timer = setTimeout(() => void worker.terminate(), IDLE_MS);
    timer.unref();
    this.#idle.push({ worker, timer });
  }
}

const pool = new Pool();

/**
 * The most that a blob may unpack to. deflate makes at most 1032 bytes of one, so only a bomb in zstd meets this; a stream of ours is
 * trusted.
 */
const MAX_RATIO = 1100;
const FREE_BYTES = 256 << 20;
const limitOf = (tar: UnpackRequest['tar']) =>
  tar instanceof Readable ? Number.MAX_SAFE_INTEGER : FREE_BYTES + MAX_RATIO * statSync(tar.file).size;

/** Sends the tar in pieces, at most two of which are on the way: a slow disk slows the sender. */
async function feed(send: (message: WorkerInput) => void, tar: Readable, taken: () => Promise<boolean>): Promise<void> {
  let onTheWay = 0;
  for await (const piece of tar) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : (piece as Buffer);
    if (onTheWay >= 2) {
      if (!(await taken())) return;
      onTheWay -= 1;
    }
    send({ chunk });
    onTheWay += 1;
  }
  send({ end: true });
}

/**
 * Puts one layer into `folder` (empty) in another thread; on disk when it resolves. The caller compares the diffID and removes
 * the folder when this rejects.
 * @throws EngineError with the entry that is refused; no space left; the signal's reason.
 */
export async function unpackInto(
  folder: string,
  request: Pick<UnpackRequest, 'tar' | 'signal' | 'onProgress'>,
  options: { dataRoot: string; driver: 'erofs' | 'dirs' | 'none' },
): Promise<LayerResult> {
  const { tar, signal, onProgress } = request;
  const maxBytes = limitOf(tar); // before a thread is taken: it throws when the blob is gone
  const worker = await pool.acquire();
  if (signal?.aborted) {
    pool.release(worker);
    throw asFailure('', '', options.dataRoot, signal);
  }
  const source = tar instanceof Readable ? tar : undefined;
  return new Promise((resolve, reject) => {
    const waiting: ((more: boolean) => void)[] = [];
    let credits = 0;
    let sourceFailure: Error | undefined;
    let finished = false;
    // Once our job has ended the thread may be another's.
    const send = (message: WorkerInput) => {
      if (!finished) worker.postMessage(message);
    };
    const abort = () => {
      source?.destroy();
      send({ abort: true });
    };
    const taken = () =>
      new Promise<boolean>((go) => {
        if (credits > 0) {
          credits -= 1;
          go(true);
        } else waiting.push(go);
      });
    const finish = (outcome: LayerResult | Error, alive: boolean) => {
      if (finished) return;
      finished = true;
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      signal?.removeEventListener('abort', abort);
      for (const go of waiting.splice(0)) go(false);
      if (alive) pool.release(worker);
      if (signal?.aborted) reject(asFailure('', '', options.dataRoot, signal));
      else if (sourceFailure) reject(sourceFailure);
      else if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const onMessage = (message: WorkerAnswer) => {
      if ('taken' in message) {
        const go = waiting.shift();
        if (go) go(true);
        else credits += 1;
      } else if ('progress' in message) onProgress?.(message.progress);
      else if ('done' in message) finish(message, true);
      else {
        finish(asFailure(message.failed, message.code, options.dataRoot, signal), true);
        source?.destroy();
      }
    };
    const onError = (error: Error) => finish(asFailure(error.message, '', options.dataRoot, signal), false);
    const onExit = () => finish(asFailure('the unpacker ended without a result', '', options.dataRoot, signal), false);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    send({
      job: {
        folder,
        driver: options.driver,
        blob: tar instanceof Readable ? null : tar,
        maxBytes,
        igzip: findIgzip(),
      },
    });
    signal?.addEventListener('abort', abort, { once: true });
    if (source)
      feed(send, source, taken).catch((error: unknown) => {
        if (finished || signal?.aborted) return; // our own doing
        sourceFailure ??= asFailure(messageOf(error), '', options.dataRoot, undefined);
        send({ abort: true });
      });
  });
}
