/** Files of the container as a tar, from a thread that is in its root: every call here is synchronous. */
import {
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  writeSync,
} from 'node:fs';
import type { TarEntryType } from '../../layers/tar-reader.ts';
import { padding, TAR_END, tarHeader } from '../../layers/tar-writer.ts';
import { getXattr } from '../../system/syscalls.ts';

const CHUNK = 1 << 18;
const CAPABILITY = 'security.capability';
/** Paths are latin1, one character a byte, so that any file name survives. */
const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');

function typeOf(stat: BigIntStats): TarEntryType | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : undefined; // a socket means nothing elsewhere
}

const isGone = (error: unknown) => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

export class Packer {
  readonly #fd: number;
  readonly #links = new Map<string, string>();
  readonly #buffer = Buffer.allocUnsafe(CHUNK);

  /** @param fd the pipe's end that takes the tar */
  constructor(fd: number) {
    this.#fd = fd;
  }

  #write(data: Buffer): void {
    for (let at = 0; at < data.length; ) at += writeSync(this.#fd, data, at);
  }

  /**
   * One path with what is below it. @param file latin1
   * @param name what it is called in the tar; '' for a folder leaves the folder itself out
   */
  add(file: string, name: string): void {
    const stat = lstatSync(bytes(file), { bigint: true });
    const type = typeOf(stat);
    if (type === undefined) return;
    const common = {
      name,
      type,
      mode: Number(stat.mode),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mtime: Math.floor(Number(stat.mtimeMs) / 1000),
    };
    if (type !== 'directory' && stat.nlink > 1n) {
      const key = `${stat.dev}:${stat.ino}`;
      const first = this.#links.get(key);
      if (first !== undefined) {
        this.#write(tarHeader({ ...common, type: 'hardlink', link: first }));
        return;
      }
      this.#links.set(key, name);
    }
    const capability = type === 'file' ? getXattr(bytes(file), CAPABILITY) : undefined;
    const xattrs = capability ? new Map([[CAPABILITY, capability]]) : new Map<string, Buffer>();
    switch (type) {
      case 'file':
        this.#file(file, Number(stat.size), (size) => tarHeader({ ...common, size, xattrs }));
        break;
      case 'symlink':
        this.#write(tarHeader({ ...common, link: readlinkSync(bytes(file), 'latin1') }));
        break;
      case 'char':
      case 'block': {
        const device = Number(stat.rdev);
        const major = (device >>> 8) & 0xfff;
        const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
        this.#write(tarHeader({ ...common, major, minor }));
        break;
      }
      case 'directory':
        if (name !== '') this.#write(tarHeader(common));
        this.#folder(file, name);
        break;
      default:
        this.#write(tarHeader(common));
    }
  }

  #folder(file: string, name: string): void {
    for (const entry of (readdirSync(bytes(file), { encoding: 'latin1' }) as string[]).sort()) {
      try {
        this.add(`${file === '/' ? '' : file}/${entry}`, name === '' ? entry : `${name}/${entry}`);
      } catch (error) {
        if (!isGone(error)) throw error; // the container runs on while its files are read
      }
    }
  }

  /** Exactly `size` bytes follow the header, whatever happens to the file meanwhile. */
  #file(file: string, size: number, header: (size: number) => Buffer): void {
    const from = openSync(bytes(file), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      this.#write(header(size));
      let left = size;
      while (left > 0) {
        const n = readSync(from, this.#buffer, 0, Math.min(CHUNK, left), null);
        if (n === 0) break;
        this.#write(this.#buffer.subarray(0, n));
        left -= n;
      }
      for (; left > 0; left -= Math.min(CHUNK, left)) this.#write(Buffer.alloc(Math.min(CHUNK, left)));
      this.#write(padding(size));
    } finally {
      closeSync(from);
    }
  }

  finish(): void {
    this.#write(TAR_END);
  }
}
