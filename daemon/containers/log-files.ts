import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { LineSplitter, type LogEntry, parseLogLine } from './log-format.ts';

const CHUNK = 64 * 1024;

async function inodeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The log and what rotation left of it, oldest first. One readdir, so that a rotation under way hides nothing older. */
export async function logFiles(logPath: string): Promise<string[]> {
  const folder = path.dirname(logPath);
  const base = path.basename(logPath);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const age = (name: string) => (name === base ? 0 : Number(name.slice(base.length + 1)));
  return names
    .filter((name) => name === base || (name.startsWith(`${base}.`) && /^\d+$/.test(name.slice(base.length + 1))))
    .sort((x, y) => age(y) - age(x))
    .map((name) => path.join(folder, name));
}

/**
 * Renames the log away (`.1` is the newest) and drops the oldest. The writer must reopen then: until it does it goes on
 * in the renamed file, which is why a cursor stays with a file until its successor exists.
 */
export async function rotateLog(logPath: string, keep: number): Promise<void> {
  if (keep <= 1) {
    await rm(`${logPath}.1`, { force: true });
    await rename(logPath, `${logPath}.1`);
    return;
  }
  await rm(`${logPath}.${keep - 1}`, { force: true });
  for (let n = keep - 2; n >= 1; n -= 1)
    if ((await inodeOf(`${logPath}.${n}`)) !== undefined) await rename(`${logPath}.${n}`, `${logPath}.${n + 1}`);
  await rename(logPath, `${logPath}.1`);
}

/** A byte in one file of the log, whatever rotation named it since. */
export interface LogPosition {
  /** undefined: there was no log yet. */
  inode: number | undefined;
  offset: number;
}

interface Place {
  file: string;
  inode: number;
}

/** A place in the log that survives rotation: it holds its file open and steps to the next one when that exists. */
export class LogCursor implements AsyncDisposable {
  readonly #logPath: string;
  #handle: FileHandle | undefined;
  #offset: number;
  #inode: number | undefined;
  #lines = new LineSplitter();
  readonly #buffer = Buffer.allocUnsafe(CHUNK);

  private constructor(logPath: string, handle: FileHandle | undefined, inode: number | undefined, offset: number) {
    this.#logPath = logPath;
    this.#handle = handle;
    this.#inode = inode;
    this.#offset = offset;
  }

  /** At the start of the oldest file. */
  static async atStart(logPath: string): Promise<LogCursor> {
    const [oldest] = await logFiles(logPath);
    return LogCursor.#open(logPath, oldest, 0);
  }

  /** At a byte of one file (a line's beginning). */
  static async at(logPath: string, file: string, offset: number): Promise<LogCursor> {
    return LogCursor.#open(logPath, file, offset);
  }

  /** The present end of the newest file. */
  static async endOf(logPath: string): Promise<LogPosition> {
    try {
      const { ino, size } = await stat(logPath);
      return { inode: ino, offset: size };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { inode: undefined, offset: 0 };
      throw error;
    }
  }

  /** At a position taken before; at the oldest file when rotation has dropped that one. */
  static async atPosition(logPath: string, { inode, offset }: LogPosition): Promise<LogCursor> {
    for (let look = 0; look < 3; look += 1)
      for (const file of await logFiles(logPath)) {
        const cursor = (await inodeOf(file)) === inode ? await LogCursor.#open(logPath, file, offset) : undefined;
        if (cursor && cursor.#inode === inode) return cursor; // else a rotation renamed it between the two looks
        await cursor?.[Symbol.asyncDispose]();
      }
    return LogCursor.atStart(logPath);
  }

  static async #open(logPath: string, file: string | undefined, offset: number): Promise<LogCursor> {
    if (file === undefined) return new LogCursor(logPath, undefined, undefined, 0);
    try {
      const handle = await open(file, 'r');
      return new LogCursor(logPath, handle, (await handle.stat()).ino, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new LogCursor(logPath, undefined, undefined, 0);
      throw error;
    }
  }

  /** The next entries, at most about 64 KiB of them; an empty list at the present end. `final` also gives an unfinished last line. */
  async read(final = false): Promise<LogEntry[]> {
    for (;;) {
      if (!this.#handle && !(await this.#step())) return [];
      const entries = await this.#readHere();
      if (entries.length > 0) return entries;
      const next = await this.#successor();
      if (next === undefined) return final ? this.#rest() : [];
      // The file was renamed, and its writer has moved on: what came between the last read and now is complete.
      const last = await this.#readHere();
      if (last.length > 0) return last;
      await this.#moveTo(next);
    }
  }

  #rest(): LogEntry[] {
    const line = this.#lines.take();
    const entry = line && parseLogLine(line);
    return entry ? [entry] : [];
  }

  async #readHere(): Promise<LogEntry[]> {
    const handle = this.#handle as FileHandle;
    for (;;) {
      const { bytesRead } = await handle.read(this.#buffer, 0, CHUNK, this.#offset);
      if (bytesRead === 0) return [];
      this.#offset += bytesRead;
      const entries: LogEntry[] = [];
      for (const line of this.#lines.push(Buffer.from(this.#buffer.subarray(0, bytesRead)))) {
        const entry = parseLogLine(line);
        if (entry) entries.push(entry);
      }
      if (entries.length > 0) return entries;
    }
  }

  /** The file that came after the one that is open; undefined when the open one is the newest. */
  async #successor(): Promise<Place | undefined> {
    const newest = await inodeOf(this.#logPath);
    if (newest === undefined || newest === this.#inode) return undefined;
    const places = await this.#places();
    const mine = places.findIndex(({ inode }) => inode === this.#inode);
    if (mine >= 0) return places[mine + 1];
    // Not found but not deleted: a rotation is renaming right now; the next look finds it.
    if ((await (this.#handle as FileHandle).stat()).nlink > 0) return undefined;
    return places[0]; // dropped by rotation: go on with the oldest that is left
  }

  /** Each file with its inode: names move on under a rotation, inodes do not. */
  async #places(): Promise<Place[]> {
    const places: Place[] = [];
    for (const file of await logFiles(this.#logPath)) {
      const inode = await inodeOf(file);
      // The same inode twice, or none: the rotation overtook this look.
      if (inode === undefined || places.some((place) => place.inode === inode)) return this.#places();
      places.push({ file, inode });
    }
    return places;
  }

  async #step(): Promise<boolean> {
    const [oldest] = await this.#places();
    if (oldest === undefined) return false;
    await this.#moveTo(oldest);
    return this.#handle !== undefined;
  }

  async #moveTo({ file, inode }: Place): Promise<void> {
    const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined; // renamed meanwhile: the next read looks anew
      throw error;
    });
    if (!handle) return;
    if ((await handle.stat()).ino !== inode) {
      await handle.close();
      return;
    }
    await this.#handle?.close();
    this.#handle = handle;
    this.#inode = inode;
    this.#offset = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }
}
