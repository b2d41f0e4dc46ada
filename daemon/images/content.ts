/**
 * The content store (design section 4): `content/blobs/sha256/<hex>` holds verified blobs, `content/ingest/<hex>` what has arrived of
 * others; a partial file outlives a cut, a cancel and a crash, and is hashed anew before it is continued.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { imageErrors } from '../errors/images.ts';
import { syncDirectory, writeFileDurable } from '../system/files.ts';

/** A blob under way. */
export interface Ingest {
  /** Bytes that are here already. */
  readonly offset: number;
  write(chunk: Buffer): Promise<void>;
  /** Starts over from nothing. */
  restart(): Promise<void>;
  /** Makes it a blob. @throws EngineError when the digest is not `digest`; the partial file is gone then. */
  commit(): Promise<void>;
  /** Keeps what arrived for the next attempt. */
  close(): Promise<void>;
}

const LEFTOVER_LIFE_MS = 24 * 3600_000;
const WRITE_BYTES = 1 << 20;
const hexOf = (digest: string) => digest.slice('sha256:'.length);

/** A file for what has no digest yet; gone when it is disposed of, unless it was adopted. */
export interface Spool extends Disposable {
  readonly file: string;
}

export class ContentStore {
  readonly #blobs: string;
  readonly #ingest: string;
  readonly #temporary: string;
  readonly #dataRoot: string;
  #counter = 0;

  constructor(dataRoot: string) {
    this.#dataRoot = dataRoot;
    this.#blobs = path.join(dataRoot, 'content/blobs/sha256');
    this.#ingest = path.join(dataRoot, 'content/ingest');
    this.#temporary = path.join(dataRoot, 'content/tmp');
    rmSync(this.#temporary, { recursive: true, force: true }); // of a galleyd that ended in the middle
    for (const folder of [this.#blobs, this.#ingest, this.#temporary])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  file(digest: string): string {
    return path.join(this.#blobs, hexOf(digest));
  }

  has(digest: string): boolean {
    return existsSync(this.file(digest));
  }

  size(digest: string): number {
    return statSync(this.file(digest)).size;
  }

  /** Of small blobs: manifests and configs. */
  read(digest: string): Buffer {
    return readFileSync(this.file(digest));
  }

  /** Stores bytes whose digest the caller has computed. Durable when it resolves. */
  async put(digest: string, bytes: Buffer): Promise<void> {
    if (this.has(digest)) return;
    await this.#guard(() => writeFileDurable(this.file(digest), bytes));
  }

  temporary(): Spool {
    const file = path.join(this.#temporary, String((this.#counter += 1)));
    return { file, [Symbol.dispose]: () => rmSync(file, { force: true }) };
  }

  /** Makes a finished file a blob; the caller has computed the digest. Durable when it resolves. */
  async adopt(file: string, digest: string): Promise<void> {
    if (this.has(digest)) return;
    await this.#guard(async () => {
      const handle = await open(file, 'r+');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(file, this.file(digest));
      await syncDirectory(this.#blobs);
    });
  }

  /** Runs what writes below the data root: a full disk becomes Docker's words with the way out. @throws EngineError */
  guarded<T>(work: () => Promise<T>): Promise<T> {
    return this.#guard(work);
  }

  /** Opens the partial file of a blob, hashing what is there. One at a time for a digest: the caller sees to it. */
  async ingest(digest: string, signal: AbortSignal): Promise<Ingest> {
    const file = path.join(this.#ingest, hexOf(digest));
    let hash = createHash('sha256');
    let offset = await rehash(file, hash, signal);
    const handle = await this.#guard(() => open(file, 'a', 0o600));
    let pending: Buffer[] = [];
    let pendingBytes = 0;
    const flush = async () => {
      const chunks = pending;
      pending = [];
      pendingBytes = 0;
      if (chunks.length > 0) await this.#guard(() => writeAll(handle, chunks));
    };
    return {
      get offset() {
        return offset;
      },
      write: async (chunk) => {
        hash.update(chunk);
        offset += chunk.length;
        pending.push(chunk);
        pendingBytes += chunk.length;
        if (pendingBytes >= WRITE_BYTES) await flush();
      },
      restart: async () => {
        pending = [];
        pendingBytes = 0;
        await handle.truncate(0);
        hash = createHash('sha256');
        offset = 0;
      },
      commit: async () => {
        await flush();
        const got = `sha256:${hash.digest('hex')}`;
        if (got !== digest) {
          await handle.close();
          await rm(file, { force: true });
          throw imageErrors.blobDigest(digest, got);
        }
        await this.#guard(() => handle.sync());
        await handle.close();
        await rename(file, this.file(digest));
        await syncDirectory(this.#blobs);
      },
      close: async () => {
        // Nothing is gained by a failure to keep a partial file: the next attempt hashes what is really there.
        await flush().catch(() => {});
        await handle.close();
        if (offset === 0) await rm(file, { force: true });
      },
    };
  }

  /** Removes a partial file, e.g. to give the space back when the disk is full. */
  async discardPartial(digest: string): Promise<void> {
    await rm(path.join(this.#ingest, hexOf(digest)), { force: true });
  }

  async remove(digest: string): Promise<number> {
    const file = this.file(digest);
    const size = (await stat(file).catch(() => null))?.size ?? 0;
    await rm(file, { force: true });
    return size;
  }

  /** Removes what nobody wanted for a day and `keep` does not hold: finished and partial files of transfers that were cut. Returns the bytes given back. */
  async sweep(keep: (digest: string) => boolean): Promise<number> {
    let freed = 0;
    for (const folder of [this.#blobs, this.#ingest])
      for (const hex of await readdir(folder)) {
        const file = path.join(folder, hex);
        const facts = await stat(file).catch(() => null);
        if (!facts || Date.now() - facts.mtimeMs < LEFTOVER_LIFE_MS || keep(`sha256:${hex}`)) continue;
        freed += facts.size;
        await rm(file, { force: true });
      }
    return freed;
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC' || code === 'EDQUOT') throw imageErrors.noSpace(this.#dataRoot);
      throw error;
    }
  }
}

async function rehash(file: string, hash: Hash, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: WRITE_BYTES, signal })) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return bytes;
}

/** writev may stop short of the end. */
async function writeAll(handle: FileHandle, chunks: Buffer[]): Promise<void> {
  const whole = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  for (let at = 0; at < whole.length; ) at += (await handle.write(whole, at)).bytesWritten;
}
