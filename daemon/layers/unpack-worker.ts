/**
 * Worker thread: writes layers below folders, one after the other, hashing each uncompressed tar on the way. A tar comes from a blob
 * on disk, or as messages that are answered one by one, so that a slow disk slows the sender. The last answer to a job is its result.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type MessagePort, parentPort } from 'node:worker_threads';
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
export type WorkerInput = { job: UnpackJob } | { chunk: Uint8Array } | { end: true } | { abort: true };
export type WorkerAnswer =
  | { taken: true }
  | { progress: number }
  | { done: true; size: number; diffId: string; skippedAttributes: number }
  | { failed: string; code: string };

const CHUNK = 512 * 1024;
const PROGRESS_MS = 100;
if (!parentPort) throw new Error('unpack-worker runs as a worker thread only');
const port: MessagePort = parentPort;
const answer = (message: WorkerAnswer) => port.postMessage(message);

/** One layer. */
class Run {
  readonly job: UnpackJob;
  readonly unpacker: Unpacker;
  readonly #reader: TarReader;
  readonly #hash = createHash('sha256');
  readonly #stop = new AbortController();
  /** Set while the tar comes as messages. */
  #incoming: { chunk: (chunk: Buffer) => void; end: () => void } | undefined;
  #lastProgress = 0;

  constructor(job: UnpackJob) {
    this.job = job;
    this.unpacker = new Unpacker(Buffer.from(job.folder).toString('latin1'));
    this.#reader = new TarReader(this.unpacker);
  }

  abort(): void {
    this.#stop.abort();
  }

  chunk(bytes: Uint8Array): void {
    this.#incoming?.chunk(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  end(): void {
    this.#incoming?.end();
  }

  async toTheEnd(): Promise<void> {
    const { blob, igzip, folder } = this.job;
    if (!blob) await this.#throughMessages();
    else if (blob.compression === 'gzip' && igzip) await this.#throughIgzip(blob.file, igzip);
    else await this.#throughZlib(blob);
    this.#reader.end();
    this.unpacker.finish();
    syncFileSystem(folder);
    const { size, skippedAttributes } = this.unpacker;
    answer({ done: true, size, diffId: `sha256:${this.#hash.digest('hex')}`, skippedAttributes });
  }

  #take(chunk: Buffer, position: () => number): void {
    this.#hash.update(chunk);
    this.#reader.push(chunk);
    const now = performance.now();
    if (now - this.#lastProgress < PROGRESS_MS) return;
    this.#lastProgress = now;
    answer({ progress: position() });
  }

  /** Runs igzip with the blob as its stdin; how far it has read stands in /proc. */
  async #throughIgzip(file: string, igzip: string): Promise<void> {
    const { signal } = this.#stop;
    const fd = openSync(file, 'r');
    const child = spawn(igzip, ['-dc'], { stdio: [fd, 'pipe', 'pipe'] });
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
    signal.addEventListener('abort', kill);
    const position = () => {
      try {
        return Number(/^pos:\s*(\d+)/m.exec(readFileSync(`/proc/${child.pid}/fdinfo/0`, 'utf8'))?.[1] ?? 0);
      } catch {
        return 0; // it has just ended
      }
    };
    try {
      for await (const chunk of child.stdout as Readable) this.#take(chunk as Buffer, position);
    } catch (error) {
      kill();
      await ended;
      throw error;
    }
    const code = await ended;
    signal.throwIfAborted();
    if (code !== 0) throw new TarError(`the gzip data cannot be read: ${complaint.trim() || `igzip exit ${code}`}`);
  }

  async #throughZlib(blob: BlobSource): Promise<void> {
    const source = createReadStream(blob.file, { highWaterMark: CHUNK });
    const consume = async (tar: AsyncIterable<Buffer>) => {
      for await (const chunk of tar) this.#take(chunk, () => source.bytesRead);
    };
    const options = { signal: this.#stop.signal };
    if (blob.compression === 'gzip') await pipeline(source, createGunzip({ chunkSize: CHUNK }), consume, options);
    else if (blob.compression === 'zstd')
      await pipeline(source, createZstdDecompress({ chunkSize: CHUNK }), consume, options);
    else await pipeline(source, consume, options);
  }

  #throughMessages(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stop.signal.addEventListener('abort', () => reject(new Error('aborted')));
      this.#incoming = {
        chunk: (chunk) => {
          try {
            this.#take(chunk, () => 0);
            answer({ taken: true });
          } catch (error) {
            reject(error);
          }
        },
        end: resolve,
      };
    });
  }
}

let present: Run | undefined;

async function work(run: Run): Promise<void> {
  try {
    await run.toTheEnd();
  } catch (error) {
    run.unpacker.abandon();
    const where = run.unpacker.current ? ` (at entry ${JSON.stringify(run.unpacker.current)})` : '';
    const words = error instanceof Error ? error.message : String(error);
    const code = (error as NodeJS.ErrnoException).code ?? '';
    answer({ failed: error instanceof TarError ? words : `${words}${where}`, code });
  }
}

port.on('message', (message: WorkerInput) => {
  if ('job' in message) {
    present = new Run(message.job);
    void work(present);
  } else if ('chunk' in message) present?.chunk(message.chunk);
  else if ('end' in message) present?.end();
  else present?.abort();
});
