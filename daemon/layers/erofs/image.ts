/** One layer on its way into an EROFS image file: the tar goes in as it comes, the metadata follows when it has ended. */
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { TarReader } from '../tar-reader.ts';
import { encode, TAR_AT } from './format.ts';
import { LayerTree, UnfitError } from './tree.ts';

export class LayerImage {
  /** Open for reading and writing, positioned where the tar begins. */
  readonly fd: number;
  readonly #tree = new LayerTree();
  readonly #reader = new TarReader(this.#tree);
  #tarSize = 0;
  /** Why EROFS cannot hold this layer; its tar is still collected, to be unpacked. */
  unfit = '';

  constructor(file: string) {
    this.fd = openSync(file, 'wx+', 0o400);
    writeAll(this.fd, Buffer.alloc(TAR_AT), null);
  }

  get tarSize(): number {
    return this.#tarSize;
  }

  /** Bytes of file content. */
  get size(): number {
    return this.#tree.size;
  }

  get current(): string {
    return this.#tree.current;
  }

  /** Takes the next piece of the tar. `write` is false when somebody else writes it into the file. @throws TarError */
  take(chunk: Buffer, write: boolean): void {
    if (write) writeAll(this.fd, chunk, TAR_AT + this.#tarSize);
    this.#tarSize += chunk.length;
    this.#guarded(() => this.#reader.push(chunk));
  }

  /** Reads what somebody else wrote behind what was taken so far; 0: nothing yet. */
  readMore(buffer: Buffer): number {
    return readSync(this.fd, buffer, 0, buffer.length, TAR_AT + this.#tarSize);
  }

  /** The tar is complete. On disk when it returns. `id`: 16 bytes that name the layer. @throws TarError */
  finish(id: Buffer): void {
    this.#guarded(() => {
      this.#reader.end();
      this.#tree.finish();
      const { bytes, at, superblock, superblockAt } = encode(this.#tree.root, this.#tarSize, id);
      writeAll(this.fd, bytes, at);
      writeAll(this.fd, superblock, superblockAt);
      fdatasyncSync(this.fd);
    });
  }

  close(): void {
    closeSync(this.fd);
  }

  #guarded(work: () => void): void {
    if (this.unfit) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof UnfitError)) throw error;
      this.unfit = error.message;
    }
  }
}

function writeAll(fd: number, bytes: Buffer, position: number | null): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
}
