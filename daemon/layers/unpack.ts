import { existsSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { layerErrors } from '../errors/layers.ts';
import type { UnpackRequest } from './types.ts';
import type { UnpackJob, WorkerAnswer, WorkerInput } from './unpack-worker.ts';

export interface Unpacked {
  /** Bytes of file content. */
  size: number;
  /** sha256:… of the whole uncompressed tar. */
  diffId: string;
  /** Extended attributes that the file system below does not take. */
  skippedAttributes: number;
}

/** Where the worker's code is: beside this source, or beside the bundle in dist/. */
function workerFile(): URL {
  const source = new URL('./unpack-worker.ts', import.meta.url);
  return existsSync(fileURLToPath(source)) ? source : new URL('./unpack-worker.mjs', import.meta.url);
}

/** igzip decompresses about three times as fast as gzip (field/measurements.md); without it node:zlib does. */
export function findIgzip(searchPath = process.env.PATH ?? ''): string {
  const folders = [...searchPath.split(':').filter(Boolean), '/usr/bin'];
  return folders.map((folder) => path.join(folder, 'igzip')).find((file) => existsSync(file)) ?? '';
}

function asFailure(message: string, code: string, dataRoot: string, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return signal.reason instanceof Error ? signal.reason : new Error('aborted');
  if (code === 'ENOSPC' || code === 'EDQUOT') return layerErrors.noSpace(dataRoot);
  return layerErrors.badTar(message);
}

/** Sends the tar in pieces, at most two of which are on the way: a slow disk slows the sender. */
async function feed(worker: Worker, tar: Readable, taken: () => Promise<void>): Promise<void> {
  let onTheWay = 0;
  for await (const piece of tar) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : (piece as Buffer);
    if (onTheWay >= 2) {
      await taken();
      onTheWay -= 1;
    }
    worker.postMessage({ chunk } satisfies WorkerInput);
    onTheWay += 1;
  }
  worker.postMessage({ end: true } satisfies WorkerInput);
}

/**
 * Unpacks one layer below `folder` (empty) in a thread of its own; on disk when it resolves. The caller compares the diffID and
 * removes the folder when this rejects.
 * @throws EngineError with the entry that is refused; no space left; the signal's reason.
 */
export function unpackInto(
  folder: string,
  request: Pick<UnpackRequest, 'tar' | 'signal' | 'onProgress'>,
  options: { dataRoot: string; igzip: string },
): Promise<Unpacked> {
  const { tar, signal, onProgress } = request;
  return new Promise((resolve, reject) => {
    const streamed = tar instanceof Readable;
    const job: UnpackJob = { folder, blob: streamed ? null : tar, igzip: options.igzip };
    const worker = new Worker(workerFile(), { workerData: job });
    const waiting: (() => void)[] = [];
    let credits = 0;
    let result: Unpacked | undefined;
    let failure: Error | undefined;
    const abort = () => {
      if (streamed) tar.destroy();
      worker.postMessage({ abort: true } satisfies WorkerInput);
    };
    const taken = () =>
      new Promise<void>((go) => {
        if (credits > 0) {
          credits -= 1;
          go();
        } else waiting.push(go);
      });
    worker.on('message', (message: WorkerAnswer) => {
      if ('taken' in message) {
        const go = waiting.shift();
        if (go) go();
        else credits += 1;
      } else if ('progress' in message) onProgress?.(message.progress);
      else if ('done' in message)
        result = { size: message.size, diffId: message.diffId, skippedAttributes: message.skippedAttributes };
      else {
        failure ??= asFailure(message.failed, message.code, options.dataRoot, signal);
        if (streamed) tar.destroy();
      }
    });
    worker.on('error', (error) => {
      failure ??= asFailure(error.message, '', options.dataRoot, signal);
    });
    worker.on('exit', () => {
      signal?.removeEventListener('abort', abort);
      for (const go of waiting.splice(0)) go();
      if (failure) reject(failure);
      else if (result && !signal?.aborted) resolve(result);
      else reject(asFailure('the unpacker ended without a result', '', options.dataRoot, signal));
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    if (streamed)
      feed(worker, tar, taken).catch((error: unknown) => {
        failure ??= asFailure(error instanceof Error ? error.message : String(error), '', options.dataRoot, signal);
        worker.postMessage({ abort: true } satisfies WorkerInput);
      });
  });
}
