/** A folder as a tar, streamed: the root of a container, or the layer that its writable folder is (image-spec layer.md). */
import { type BigIntStats, constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { getXattr, listXattrs } from '../system/syscalls.ts';
import { isLayerAttribute } from './tar-names.ts';
import type { TarEntryType } from './tar-reader.ts';
import { padding, TAR_END, tarHeader } from './tar-writer.ts';

export interface PackOptions {
  /** The folder is an overlay's writable layer: its marks become whiteouts of a layer tar. */
  overlay?: boolean;
  signal?: AbortSignal;
}

const CHUNK = 1 << 18;
const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');
const isGone = (error: unknown) => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

function typeOf(stat: BigIntStats): TarEntryType | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : undefined; // a socket means nothing elsewhere
}

function attributesOf(file: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const name of listXattrs(file)) {
    const value = isLayerAttribute(name) ? getXattr(file, name) : undefined;
    if (value) found.set(name, value);
  }
  return found;
}

/** The content of a file in exactly `size` bytes, whatever happens to it meanwhile. */
async function* content(file: Buffer, size: number, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NOATIME);
  try {
    let left = size;
    while (left > 0) {
      signal?.throwIfAborted();
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, left));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    while (left > 0) {
      const zeros = Buffer.alloc(Math.min(CHUNK, left));
      left -= zeros.length;
      yield zeros;
    }
  } finally {
    await handle.close();
  }
  yield padding(size);
}

class Packer {
  readonly #root: string;
  readonly #options: PackOptions;
  /** First name of each inode with several. */
  readonly #links = new Map<string, string>();

  constructor(root: string, options: PackOptions) {
    this.#root = root;
    this.#options = options;
  }

  async *all(): AsyncGenerator<Buffer> {
    const top = bytes(this.#root);
    if (!this.#options.overlay) yield this.#header('.', top, await lstat(top, { bigint: true }), 'directory');
    yield* this.#folder('', top);
    yield TAR_END;
  }

  /**
   * Each folder is opened and its entries are named below its descriptor: a container that runs meanwhile cannot lead us out of its
   * root by putting a symlink in a folder's place.
   */
  async *#folder(relative: string, at: Buffer): AsyncGenerator<Buffer> {
    this.#options.signal?.throwIfAborted();
    const handle = await open(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const held = `/proc/self/fd/${handle.fd}`;
      if (this.#options.overlay && getXattr(`${held}/.`, 'trusted.overlay.opaque')?.toString() === 'y')
        yield tarHeader({ name: `${relative}${relative && '/'}.wh..wh..opq`, type: 'file', mode: 0o600 });
      const names = (await readdir(`${held}/.`, { encoding: 'latin1' })).sort();
      for (const name of names) {
        try {
          yield* this.#entry(relative === '' ? name : `${relative}/${name}`, name, bytes(`${held}/${name}`));
        } catch (error) {
          if (!isGone(error)) throw error; // the container runs on while its files are read
        }
      }
    } finally {
      await handle.close();
    }
  }

  async *#entry(relative: string, name: string, file: Buffer): AsyncGenerator<Buffer> {
    const stat = await lstat(file, { bigint: true });
    const type = typeOf(stat);
    if (type === undefined) return;
    if (this.#options.overlay && type === 'char' && stat.rdev === 0n) {
      const folder = relative.slice(0, relative.length - name.length);
      yield tarHeader({ name: `${folder}.wh.${name}`, type: 'file', mode: 0o600 });
      return;
    }
    if (type !== 'directory' && stat.nlink > 1n) {
      const key = `${stat.dev}:${stat.ino}`;
      const first = this.#links.get(key);
      if (first !== undefined) {
        yield tarHeader({ name: relative, type: 'hardlink', mode: Number(stat.mode), link: first });
        return;
      }
      this.#links.set(key, relative);
    }
    if (type === 'file') {
      // Opened before the header goes out: a file that is gone by then leaves no half entry.
      const size = Number(stat.size);
      const pieces = content(file, size, this.#options.signal);
      const first = await pieces.next();
      yield this.#header(relative, file, stat, type, '', size);
      if (!first.done) yield first.value;
      yield* pieces;
      return;
    }
    const link = type === 'symlink' ? await readlink(file, { encoding: 'latin1' }) : '';
    yield this.#header(relative, file, stat, type, link);
    if (type === 'directory') yield* this.#folder(relative, file);
  }

  #header(relative: string, file: Buffer, stat: BigIntStats, type: TarEntryType, link = '', size = 0): Buffer {
    const device = Number(stat.rdev);
    return tarHeader({
      name: relative,
      type,
      mode: Number(stat.mode),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      size,
      // Whole seconds, as Docker: a layer of the same files is then the same layer.
      mtime: Number(
        stat.mtimeNs >= 0n ? stat.mtimeNs / 1_000_000_000n : (stat.mtimeNs - 999_999_999n) / 1_000_000_000n,
      ),
      link,
      ...(type === 'char' || type === 'block'
        ? { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) }
        : {}),
      xattrs: attributesOf(file),
    });
  }
}

/**
 * Streams the tar of a folder (its path UTF-8). Sockets are left out. With `overlay` the folder itself has no entry.
 * The stream fails with what the file system says, or with the signal's reason.
 */
export function packFolder(folder: string, options: PackOptions = {}): Readable {
  const root = Buffer.from(folder).toString('latin1');
  return Readable.from(new Packer(root, options).all(), { objectMode: false, highWaterMark: CHUNK });
}
