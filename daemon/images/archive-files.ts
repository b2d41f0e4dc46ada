/** The files of an image archive, taken off the stream and kept beside the blobs until it is known what they are. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';
import { type TarEntry, TarError, TarReader, type TarSink } from '../layers/index.ts';
import type { ContentStore, Spool } from './content.ts';
import { type Packing, packingOf } from './decompress.ts';

export interface ArchiveFile {
  file: string;
  size: number;
  /** sha256:… of its bytes. */
  digest: string;
}

const MAX_FILES = 20_000;
const MAX_JSON = 8 << 20;

/** `./a//b/../c` to `a/c`; undefined when it leads out of the archive. */
function normal(name: string): string | undefined {
  const clean = path.posix
    .normalize(name)
    .replace(/^\.?\//, '')
    .replace(/\/$/, '');
  return clean === '..' || clean.startsWith('../') ? undefined : clean;
}

/** All regular files of a tar, by name; links among them are followed. Dispose of it to remove what was not adopted. */
export class ArchiveFiles implements TarSink, Disposable {
  readonly #content: ContentStore;
  readonly #files = new Map<string, ArchiveFile>();
  readonly #links = new Map<string, string>();
  readonly #spools: Spool[] = [];
  readonly #reader = new TarReader(this);
  #open: { name: string; spool: Spool; fd: number; hash: Hash; size: number } | undefined;

  constructor(content: ContentStore) {
    this.#content = content;
  }

  /** @throws EngineError when it is no tar, or the disk is full. */
  async readAll(stream: AsyncIterable<Buffer>): Promise<void> {
    await this.#content.guarded(async () => {
      try {
        for await (const chunk of stream) this.#reader.push(chunk);
        this.#reader.end();
      } catch (error) {
        if (error instanceof TarError) throw imageErrors.badArchive(messageOf(error));
        throw error;
      }
    });
  }

  entry(entry: TarEntry): void {
    if (this.#files.size + this.#links.size >= MAX_FILES)
      throw new TarError(`it has more than ${MAX_FILES} files, which no image needs`);
    const name = normal(entry.name);
    if (name === undefined) throw new TarError(`entry ${JSON.stringify(entry.name)} leaves the archive`);
    if (entry.type === 'symlink' || entry.type === 'hardlink') {
      const from = entry.type === 'symlink' ? path.posix.dirname(name) : '';
      const target = normal(path.posix.join(from, entry.link));
      if (target === undefined) throw new TarError(`entry ${JSON.stringify(entry.name)} links out of the archive`);
      this.#links.set(name, target);
    }
    if (entry.type !== 'file') return;
    if (entry.sparse) throw new TarError(`entry ${JSON.stringify(entry.name)} is sparse`);
    const spool = this.#content.temporary();
    this.#spools.push(spool);
    this.#open = { name, spool, fd: openSync(spool.file, 'wx', 0o600), hash: createHash('sha256'), size: 0 };
  }

  data(chunk: Buffer): void {
    if (!this.#open) return;
    for (let done = 0; done < chunk.length; ) done += writeSync(this.#open.fd, chunk, done);
    this.#open.hash.update(chunk);
    this.#open.size += chunk.length;
  }

  endFile(): void {
    if (!this.#open) return;
    const { name, spool, fd, hash, size } = this.#open;
    closeSync(fd);
    this.#open = undefined;
    this.#links.delete(name);
    this.#files.set(name, { file: spool.file, size, digest: `sha256:${hash.digest('hex')}` });
  }

  get(name: string): ArchiveFile | undefined {
    let at = normal(name);
    for (let hops = 0; at !== undefined && hops < 20; hops += 1) {
      const found = this.#files.get(at);
      if (found) return found;
      at = this.#links.get(at);
    }
    return undefined;
  }

  /** @throws EngineError when the archive lacks it. */
  need(name: string): ArchiveFile {
    const found = this.get(name);
    if (!found) throw imageErrors.badArchive(`it has no file ${JSON.stringify(name)}`);
    return found;
  }

  /** A small file's bytes. @throws EngineError */
  bytes(name: string): Buffer {
    const { file, size } = this.need(name);
    if (size > MAX_JSON) throw imageErrors.badArchive(`${JSON.stringify(name)} has ${size} bytes`);
    return readFileSync(file);
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#open.fd);
    for (const spool of this.#spools) spool[Symbol.dispose]();
  }
}

/** How a file is packed. */
export function packingOfFile(file: string): Packing {
  const start = Buffer.alloc(6);
  const fd = openSync(file, 'r');
  try {
    return packingOf(start.subarray(0, readSync(fd, start)));
  } finally {
    closeSync(fd);
  }
}
