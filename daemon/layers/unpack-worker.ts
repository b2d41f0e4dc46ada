/**
 * Worker thread: writes one layer below a folder, hashing the uncompressed tar on the way. The tar comes from a blob on disk, or as
 * messages that are answered one by one, so that a slow disk slows the sender (`null` ends it). The last answer is the result.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { syncFileSystem } from '../system/syscalls.ts';
import { TarError, TarReader } from './tar-reader.ts';
import type { BlobSource } from './types.ts';
import { Unpacker } from './unpacker.ts';

export interface UnpackJob {
  folder: string;
  blob: BlobSource | null;
  /** Path of igzip; empty: node:zlib. */
  igzip: string;
}
export type WorkerInput = { chunk: Uint8Array } | { end: true } | { abort: true };
export type WorkerAnswer =
  | { taken: true }
  | { progress: number }
  | { done: true; size: number; diffId: string; skippedAttributes: number }
  | { failed: string; code: string };

const CHUNK = 512 * 1024;
const PROGRESS_MS = 100;
const port = parentPort;
if (!port) throw new Error('unpack-worker runs as a worker thread only');
const job = workerData as UnpackJob;
const answer = (message: WorkerAnswer) => port.postMessage(message);
const aborted = new AbortController();

const unpacker = new Unpacker(Buffer.from(job.folder).toString('latin1'));
const reader = new TarReader(unpacker);
const hash = createHash('sha256');
let lastProgress = 0;

function take(chunk: Buffer, position: () => number): void {
  hash.update(chunk);
  reader.push(chunk);
  const now = performance.now();
  if (now - lastProgress < PROGRESS_MS) return;
  lastProgress = now;
  answer({ progress: position() });
}

/** Runs igzip with the blob as its stdin; how far it has read stands in /proc. */
async function throughIgzip(file: string): Promise<void> {
  const fd = openSync(file, 'r');
  const child = spawn(job.igzip, ['-dc'], { stdio: [fd, 'pipe', 'pipe'] });
  closeSync(fd);
  let complaint = '';
  child.stderr?.on('data', (data: Buffer) => {
    complaint = (complaint + data.toString()).slice(0, 2000);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  ended.catch(() => {}); // awaited below; a spawn error must not surface as unhandled meanwhile
  const kill = () => child.kill('SIGKILL');
  aborted.signal.addEventListener('abort', kill);
  const position = () => {
    try {
      return Number(/^pos:\s*(\d+)/m.exec(readFileSync(`/proc/${child.pid}/fdinfo/0`, 'utf8'))?.[1] ?? 0);
    } catch {
      return 0; // it has just ended
    }
  };
  try {
    for await (const chunk of child.stdout as Readable) take(chunk as Buffer, position);
  } catch (error) {
    kill();
    await ended;
    throw error;
  }
  const code = await ended;
  aborted.signal.throwIfAborted();
  if (code !== 0) throw new TarError(`the gzip data cannot be read: ${complaint.trim() || `igzip exit ${code}`}`);
}

async function throughZlib(blob: BlobSource): Promise<void> {
  const source = createReadStream(blob.file, { highWaterMark: CHUNK });
  const consume = async (tar: AsyncIterable<Buffer>) => {
    for await (const chunk of tar) take(chunk, () => source.bytesRead);
  };
  const options = { signal: aborted.signal };
  if (blob.compression === 'gzip') await pipeline(source, createGunzip({ chunkSize: CHUNK }), consume, options);
  else if (blob.compression === 'zstd')
    await pipeline(source, createZstdDecompress({ chunkSize: CHUNK }), consume, options);
  else await pipeline(source, consume, options);
}

function throughMessages(): Promise<void> {
  return new Promise((resolve, reject) => {
    aborted.signal.addEventListener('abort', () => reject(new Error('aborted')));
    port?.on('message', (message: WorkerInput) => {
      if ('end' in message) resolve();
      if (!('chunk' in message)) return;
      try {
        const { chunk } = message;
        take(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength), () => 0);
        answer({ taken: true });
      } catch (error) {
        reject(error);
      }
    });
  });
}

port.on('message', (message: WorkerInput) => {
  if ('abort' in message) aborted.abort();
});

try {
  if (!job.blob) await throughMessages();
  else if (job.blob.compression === 'gzip' && job.igzip) await throughIgzip(job.blob.file);
  else await throughZlib(job.blob);
  reader.end();
  unpacker.finish();
  syncFileSystem(job.folder);
  answer({
    done: true,
    size: unpacker.size,
    diffId: `sha256:${hash.digest('hex')}`,
    skippedAttributes: unpacker.skippedAttributes,
  });
} catch (error) {
  const where = unpacker.current ? ` (at entry ${JSON.stringify(unpacker.current)})` : '';
  const words = error instanceof Error ? error.message : String(error);
  answer({
    failed: error instanceof TarError ? words : `${words}${where}`,
    code: (error as NodeJS.ErrnoException).code ?? '',
  });
}
port.close();
