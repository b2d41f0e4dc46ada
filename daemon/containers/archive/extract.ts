/** A tar into a folder of the container, from a thread that is in its root: every call here is synchronous. */
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { type TarEntry, TarError, type TarSink } from '../../layers/tar-reader.ts';
import { makeNode, SyscallError, setTimes, setXattr } from '../../system/syscalls.ts';
import type { ExtractOptions } from './types.ts';

const NODE_TYPES = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const;
const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');

export class Extractor implements TarSink {
  readonly #folder: string;
  readonly #options: ExtractOptions;
  #fd = -1;
  #open: { file: string; entry: TarEntry } | null = null;
  /** Set last: making a child changes them. */
  readonly #folderTimes = new Map<string, TarEntry>();

  /** @param folder latin1, exists */
  constructor(folder: string, options: ExtractOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  #place(name: string): string {
    if (path.posix.normalize(name).startsWith('..'))
      throw new TarError(`${JSON.stringify(name)} is outside of ${JSON.stringify(this.#folder)}`);
    return path.posix.join(this.#folder, name);
  }

  entry(entry: TarEntry): void {
    const file = this.#place(entry.name).replace(/(.)\/$/, '$1');
    const present = lstatSync(bytes(file), { throwIfNoEntry: false });
    const isFolder = entry.type === 'directory';
    if (present && this.#options.keepKinds) {
      const what = `${JSON.stringify(file)} with`;
      if (present.isDirectory() && !isFolder)
        throw new TarError(`cannot overwrite directory ${what} non-directory ${JSON.stringify(entry.name)}`);
      if (!present.isDirectory() && isFolder)
        throw new TarError(`cannot overwrite non-directory ${what} directory ${JSON.stringify(entry.name)}`);
    }
    if (file === this.#folder.replace(/(.)\/$/, '$1') && isFolder) return; // the folder itself stays as it is
    if (present && !(present.isDirectory() && isFolder)) rmSync(bytes(file), { recursive: true, force: true });
    if (!present) mkdirSync(bytes(path.posix.dirname(file)), { recursive: true, mode: 0o755 });
    this.#make(file, entry, present?.isDirectory() ?? false);
  }

  #make(file: string, entry: TarEntry, folderThere: boolean): void {
    switch (entry.type) {
      case 'directory':
        if (!folderThere) mkdirSync(bytes(file), { mode: 0o755 });
        this.#folderTimes.set(file, entry);
        break;
      case 'file':
        this.#fd = openSync(bytes(file), 'wx', 0o600);
        this.#open = { file, entry };
        return; // the rest at its end
      case 'hardlink':
        linkSync(bytes(this.#place(entry.link)), bytes(file));
        return;
      case 'symlink':
        symlinkSync(bytes(entry.link), bytes(file));
        break;
      default:
        makeNode(bytes(file), NODE_TYPES[entry.type] | 0o600, entry.major, entry.minor);
    }
    this.#dress(file, entry);
  }

  /** Owner before mode: a change of owner takes setuid bits away. */
  #dress(file: string, entry: TarEntry): void {
    const { uid, gid } = this.#options.owner ?? entry;
    lchownSync(bytes(file), uid, gid);
    if (entry.type !== 'symlink') chmodSync(bytes(file), entry.mode & 0o7777);
    for (const [name, value] of entry.xattrs) {
      try {
        setXattr(bytes(file), name, value);
      } catch (error) {
        // Not every file system takes every attribute; the file is worth more than its attribute.
        if (!(error instanceof SyscallError && (error.code === 'ENOTSUP' || error.code === 'EPERM'))) throw error;
      }
    }
    if (entry.type !== 'directory') setTimes(bytes(file), entry.mtime, entry.mtimeNs);
  }

  data(chunk: Buffer, at: number): void {
    if (this.#fd < 0) return;
    for (let done = 0; done < chunk.length; ) done += writeSync(this.#fd, chunk, done, chunk.length - done, at + done);
  }

  endFile(): void {
    const open = this.#open;
    if (!open) return;
    if (open.entry.sparse) ftruncateSync(this.#fd, open.entry.size);
    closeSync(this.#fd);
    this.#fd = -1;
    this.#open = null;
    this.#dress(open.file, open.entry);
  }

  finish(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    for (const [file, { mtime, mtimeNs }] of this.#folderTimes) {
      if (lstatSync(bytes(file), { throwIfNoEntry: false })?.isDirectory()) setTimes(bytes(file), mtime, mtimeNs);
    }
  }
}
