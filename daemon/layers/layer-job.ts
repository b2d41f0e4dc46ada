/** One layer from its tar to the disk, as an EROFS image or as a folder. Runs in the worker thread. */
import { createHash } from 'node:crypto';
import { chmodSync, createReadStream, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { syncFileSystem } from '../system/syscalls.ts';
import { TAR_AT } from './erofs/format.ts';
import { LayerImage } from './erofs/image.ts';
import { igzipInto, igzipOut } from './igzip.ts';
import { TarError } from './tar-fields.ts';
import { TarReader } from './tar-reader.ts';
import type { BlobSource } from './types.ts';
import { Unpacker } from './unpacker.ts';

export interface UnpackJob {
  /** The layer's own folder; `fs` in it is what overlayfs sees. */
  folder: string;
  /** `none`: only the digest is wanted. */
  driver: 'erofs' | 'dirs' | 'none';
  blob: BlobSource | null;
  /** The uncompressed tar may not be larger. */
  maxBytes: number;
  /** Path of igzip; empty: node:zlib. */
  igzip: string;
}
export interface LayerResult {
  driver: 'erofs' | 'dirs' | 'none';
  /** Why it is no EROFS image although it was to be one. */
  unfit: string;
  /** Bytes of file content, and of the uncompressed tar. */
  size: number;
  tarSize: number;
  /** sha256:… of the whole uncompressed tar. */
  diffId: string;
  /** Extended attributes that the file system below does not take. */
  skippedAttributes: number;
}

const CHUNK = 512 * 1024;
const PROGRESS_MS = 100;
export const IMAGE_NAME = 'layer.erofs';

export class LayerJob {
  readonly #job: UnpackJob;
  readonly #tell: { taken: () => void; progress: (bytes: number) => void };
  readonly #hash = createHash('sha256');
  readonly #stop = new AbortController();
  readonly #fs: string;
  /** Where the tar goes while it arrives. */
  #sink: (chunk: Buffer) => void = () => {};
  #current = () => '';
  #tarSize = 0;
  /** Set while the tar comes as messages. */
  #incoming: { chunk: (chunk: Buffer) => void; end: () => void } | undefined;
  #lastProgress = 0;

  constructor(job: UnpackJob, tell: { taken: () => void; progress: (bytes: number) => void }) {
    this.#job = job;
    this.#tell = tell;
    this.#fs = path.join(job.folder, 'fs');
  }

  /** The entry at work, for error messages. */
  get current(): string {
    return this.#current();
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

  /** @throws TarError; what the file system says; the abort. What lies in the folder then is the caller's to remove. */
  async toTheEnd(): Promise<LayerResult> {
    if (this.#job.driver === 'none') {
      await this.#feed();
      return this.#result('none', '', { size: 0, skippedAttributes: 0 });
    }
    mkdirSync(this.#fs);
    chmodSync(this.#fs, 0o755); // whatever our umask: it may become a container's `/`
    return this.#job.driver === 'erofs' ? this.#asImage() : this.#asFolder();
  }

  async #asFolder(): Promise<LayerResult> {
    const unpacker = await this.#unpack(async (reader) => {
      this.#sink = (chunk) => reader.push(chunk);
      await this.#feed();
    });
    return this.#result('dirs', '', unpacker);
  }

  async #asImage(): Promise<LayerResult> {
    const { blob, igzip, folder } = this.#job;
    const file = path.join(folder, IMAGE_NAME);
    const image = new LayerImage(file);
    try {
      this.#current = () => image.current;
      // igzip writes into the image itself, which saves a copy of every byte.
      const follows = blob?.compression === 'gzip' && igzip !== '';
      this.#sink = (chunk) => image.take(chunk, !follows);
      if (follows) await igzipInto(igzip, blob.file, image, this.#stop.signal, this.#take);
      else await this.#feed();
      image.finish(this.#hash.copy().digest());
    } finally {
      image.close();
    }
    if (!image.unfit) return this.#result('erofs', '', { size: image.size, skippedAttributes: 0 });
    // The tar is whole and hashed, but no image came of it: its entries become files after all.
    const { signal } = this.#stop;
    const range = { start: TAR_AT, end: TAR_AT + this.#tarSize - 1, highWaterMark: CHUNK, signal };
    const unpacker = await this.#unpack(async (reader) => {
      for await (const chunk of createReadStream(file, range)) reader.push(chunk as Buffer);
      rmSync(file);
    });
    return this.#result('dirs', image.unfit, unpacker);
  }

  async #unpack(feed: (reader: TarReader) => Promise<void>): Promise<Unpacker> {
    const unpacker = new Unpacker(Buffer.from(this.#fs).toString('latin1'));
    const reader = new TarReader(unpacker);
    this.#current = () => unpacker.current;
    try {
      await feed(reader);
      reader.end();
      unpacker.finish();
    } catch (error) {
      unpacker.abandon();
      throw error;
    }
    syncFileSystem(this.#job.folder);
    return unpacker;
  }

  #result(
    driver: LayerResult['driver'],
    unfit: string,
    { size, skippedAttributes }: { size: number; skippedAttributes: number },
  ): LayerResult {
    const diffId = `sha256:${this.#hash.digest('hex')}`;
    return { driver, unfit, size, tarSize: this.#tarSize, diffId, skippedAttributes };
  }

  /** Brings the whole tar to the sink. */
  async #feed(): Promise<void> {
    const { blob, igzip } = this.#job;
    if (!blob) await this.#throughMessages();
    else if (blob.compression === 'gzip' && igzip !== '')
      await igzipOut(igzip, blob.file, this.#stop.signal, this.#take);
    else await this.#throughZlib(blob);
  }

  readonly #take = (chunk: Buffer, position: () => number): void => {
    this.#hash.update(chunk);
    this.#tarSize += chunk.length;
    if (this.#tarSize > this.#job.maxBytes)
      throw new TarError(`the layer unpacks to more than ${this.#job.maxBytes} bytes, which its size does not explain`);
    this.#sink(chunk);
    const now = performance.now();
    if (now - this.#lastProgress < PROGRESS_MS) return;
    this.#lastProgress = now;
    this.#tell.progress(position());
  };

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
            this.#tell.taken();
          } catch (error) {
            reject(error);
          }
        },
        end: resolve,
      };
    });
  }
}
