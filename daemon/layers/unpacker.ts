import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { makeNode, SyscallError, setTimes, setXattr } from '../system/syscalls.ts';
import { checkedName, isLayerAttribute, OPAQUE, partsOf, whiteoutOf } from './tar-names.ts';
import { type TarEntry, TarError, type TarSink } from './tar-reader.ts';

const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;
const bytes = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');

function kindOf(path: string): 'directory' | 'symlink' | 'other' | 'absent' {
  const stat = lstatSync(bytes(path), { throwIfNoEntry: false });
  if (!stat) return 'absent';
  return stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'other';
}

/**
 * Writes the entries of a layer tar below one folder, never outside it: a path is walked part by part and a symlink on the way is
 * followed as if the folder were `/`. Whiteouts become what overlayfs understands (char device 0:0, trusted.overlay.opaque).
 * All fs calls are synchronous: it runs in a worker thread (field/ink-and-node.md section 8).
 */
export class Unpacker implements TarSink {
  readonly #root: string;
  #size = 0;
  #fd = -1;
  #file: TarEntry | null = null;
  #filePath = '';
  /** Folders known to be real, so that most entries need no lstat. */
  readonly #directories = new Set<string>();
  /** Set last: making a child changes them. */
  readonly #directoryTimes = new Map<string, readonly [mtime: number, mtimeNs: number]>();
  readonly #whiteouts = new Set<string>();
  readonly #opaque = new Set<string>();
  /** The entry at work, for error messages. */
  current = '';
  skippedAttributes = 0;

  /** `root` exists and is empty; latin1. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Bytes of file content so far. */
  get size(): number {
    return this.#size;
  }

  entry(entry: TarEntry): void {
    this.current = entry.name;
    const parts = partsOf(entry.name);
    const base = parts.pop();
    if (base === undefined) {
      if (entry.type === 'directory') {
        this.#applyMeta(this.#root, entry);
        this.#directoryTimes.set(this.#root, [entry.mtime, entry.mtimeNs]);
      }
      return;
    }
    const parent = this.#resolve(parts, entry.name, true);
    if (base === OPAQUE) {
      this.#makeOpaque(parent);
      return;
    }
    const hidden = whiteoutOf(base, entry.name);
    if (hidden !== undefined) {
      if (hidden !== '') this.#whiteout(parent, checkedName(hidden, entry.name));
      return;
    }
    checkedName(base, entry.name);
    this.#make(`${parent}/${base}`, entry);
  }

  /** A whiteout is a file in the tar, but none on disk: its content goes nowhere. */
  data(chunk: Buffer, at: number): void {
    if (this.#fd < 0) return;
    for (let done = 0; done < chunk.length; ) done += writeSync(this.#fd, chunk, done, chunk.length - done, at + done);
    this.#size += chunk.length;
  }

  endFile(): void {
    if (this.#fd < 0) return;
    if (this.#file?.sparse) ftruncateSync(this.#fd, this.#file.size);
    closeSync(this.#fd);
    this.#fd = -1;
    if (this.#file) this.#applyMeta(this.#filePath, this.#file);
    this.#file = null;
  }

  /** After a failure: closes what is open; the folder is the caller's to remove. */
  abandon(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  /** Closes what is open and sets the folders' times, which their children changed. */
  finish(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    for (const [path, [mtime, mtimeNs]] of this.#directoryTimes) {
      if (kindOf(path) === 'directory') setTimes(bytes(path), mtime, mtimeNs);
    }
  }

  /** The real folder behind `parts`; missing ones are made. */
  #resolve(parts: readonly string[], entryName: string, create: boolean, depth = 0): string {
    if (depth > 40) throw new TarError(`entry ${JSON.stringify(entryName)} passes too many symlinks`);
    let current = this.#root;
    for (const [index, part] of parts.entries()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        if (current !== this.#root) current = current.slice(0, current.lastIndexOf('/'));
        continue;
      }
      const next = `${current}/${part}`;
      if (this.#directories.has(next)) {
        current = next;
        continue;
      }
      const kind = kindOf(`${current}/${checkedName(part, entryName)}`);
      if (kind === 'symlink') {
        const target = readlinkSync(bytes(next), { encoding: 'latin1' }) as string;
        const from = target.startsWith('/') ? [] : current.slice(this.#root.length).split('/');
        return this.#resolve([...from, ...target.split('/'), ...parts.slice(index + 1)], entryName, create, depth + 1);
      }
      if (kind === 'absent') {
        if (!create)
          throw new TarError(`entry ${JSON.stringify(entryName)} links to a file that the layer does not have`);
        this.#makeImplied(next);
      } else if (this.#whiteouts.has(next)) this.#makeImplied(next);
      else if (kind === 'other')
        throw new TarError(
          `entry ${JSON.stringify(entryName)} passes through ${JSON.stringify(part)}, which is no folder`,
        );
      this.#directories.add(next);
      current = next;
    }
    return current;
  }

  /** Inside an opaque folder a whiteout would show as a device, so the ones made before go (field/engine-api.md section 4.2). */
  #makeOpaque(folder: string): void {
    if (this.#opaque.has(folder)) return;
    setXattr(bytes(folder), 'trusted.overlay.opaque', Buffer.from('y'));
    this.#opaque.add(folder);
    for (const path of this.#whiteouts) {
      if (path.slice(0, path.lastIndexOf('/')) !== folder) continue;
      rmSync(bytes(path));
      this.#whiteouts.delete(path);
    }
  }

  /** A whiteout speaks of the layers below only: what this layer itself brings under that name stays (image-spec layer.md). */
  #whiteout(parent: string, hidden: string): void {
    if (this.#opaque.has(parent)) return;
    const path = `${parent}/${hidden}`;
    const kind = kindOf(path);
    if (kind === 'directory') this.#makeOpaque(path);
    else if (kind === 'absent') {
      makeNode(bytes(path), S_IFCHR, 0, 0);
      setTimes(bytes(path), 0, 0);
      this.#whiteouts.add(path);
    }
  }

  /** A folder that the tar does not list: Docker's mode, whatever our umask, and a time that is the same in every unpacking. */
  #makeImplied(path: string): void {
    this.#makeDirectory(path, 0o755);
    chmodSync(bytes(path), 0o755);
    this.#directoryTimes.set(path, [0, 0]);
  }

  /** Makes room for a folder; one that takes the place of a whiteout must not let the hidden folder below shine through. */
  #makeDirectory(path: string, mode: number): void {
    const hidden = this.#whiteouts.delete(path);
    if (hidden || kindOf(path) !== 'absent') rmSync(bytes(path), { force: true });
    mkdirSync(bytes(path), { mode });
    if (hidden) this.#makeOpaque(path);
  }

  #make(path: string, entry: TarEntry): void {
    const kind = kindOf(path);
    if (entry.type === 'directory') {
      if (kind !== 'directory') this.#makeDirectory(path, 0o700);
      this.#directories.add(path);
      this.#applyMeta(path, entry);
      this.#directoryTimes.set(path, [entry.mtime, entry.mtimeNs]);
      return;
    }
    if (entry.type === 'hardlink') {
      this.#hardLink(path, kind, entry);
      return;
    }
    if (kind !== 'absent') this.#clear(path);
    switch (entry.type) {
      case 'file':
        this.#fd = openSync(bytes(path), 'wx', 0o600);
        this.#file = entry;
        this.#filePath = path;
        return;
      case 'symlink':
        symlinkSync(bytes(entry.link), bytes(path));
        break;
      case 'fifo':
        makeNode(bytes(path), S_IFIFO | 0o600, 0, 0);
        break;
      default:
        makeNode(bytes(path), (entry.type === 'char' ? S_IFCHR : S_IFBLK) | 0o600, entry.major, entry.minor);
    }
    this.#applyMeta(path, entry);
  }

  /** Makes room for another entry; what was noted of a folder and everything in it goes with it. */
  #clear(path: string): void {
    const folder = kindOf(path) === 'directory';
    rmSync(bytes(path), { recursive: true, force: true });
    this.#whiteouts.delete(path);
    if (!folder) return;
    for (const notes of [this.#directories, this.#whiteouts, this.#opaque, this.#directoryTimes])
      for (const known of notes.keys()) if (known === path || known.startsWith(`${path}/`)) notes.delete(known);
  }

  #hardLink(path: string, kind: string, entry: TarEntry): void {
    const target = partsOf(entry.link);
    const base = target.pop();
    if (base === undefined) throw new TarError(`entry ${JSON.stringify(entry.name)} is a hard link to the root`);
    const source = `${this.#resolve(target, entry.name, false)}/${base}`;
    if (source === path) return;
    const sourceKind = this.#whiteouts.has(source) ? 'absent' : kindOf(source);
    if (sourceKind === 'absent' || sourceKind === 'directory')
      throw new TarError(
        `entry ${JSON.stringify(entry.name)} is a hard link to ${JSON.stringify(entry.link)}, which is no file of the layer`,
      );
    if (kind !== 'absent') this.#clear(path);
    linkSync(bytes(source), bytes(path)); // link(2) does not follow a symlink at its end
  }

  /** Owner first: chown clears setuid and file capabilities. */
  #applyMeta(path: string, entry: TarEntry): void {
    lchownSync(bytes(path), entry.uid, entry.gid);
    if (entry.type !== 'symlink') chmodSync(bytes(path), entry.mode);
    for (const [name, value] of entry.xattrs) {
      if (!isLayerAttribute(name)) continue;
      try {
        setXattr(bytes(path), name, value);
      } catch (error) {
        // As dockerd: an attribute that this file system (or this kind of file) cannot hold is passed over.
        if (!(error instanceof SyscallError) || !['ENOTSUP', 'EOPNOTSUPP', 'EPERM'].includes(error.code)) throw error;
        this.skippedAttributes += 1;
      }
    }
    setTimes(bytes(path), entry.mtime, entry.mtimeNs);
  }
}
