import { existsSync, type FSWatcher, mkdirSync, readFileSync, rmSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import { isSameProcess, type ProcessIdentity } from '../system/processes.ts';
import type { ExitStatus } from './types.ts';

/** How often containers that somebody waits for are looked at, for the case that conmon itself was killed. */
const CHECK_MS = 2000;
/** conmon writes the exit file soon after the process ended; later than this it is dead. */
const GRACE_CHECKS = 2;
const LOST = 255;

interface Waiter {
  identity: ProcessIdentity | null;
  misses: number;
  promise: Promise<ExitStatus>;
  resolve(status: ExitStatus): void;
}

/** Exit files: conmon leaves `<exits>/<id>` with the code, whether or not galleyd runs (field/conmon.md). */
export class Exits {
  readonly folder: string;
  readonly #waiters = new Map<string, Waiter>();
  readonly #oomFile: (id: string) => string;
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(folder: string, oomFile: (id: string) => string) {
    this.folder = folder;
    this.#oomFile = oomFile;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  read(id: string): ExitStatus | undefined {
    const file = path.join(this.folder, id);
    try {
      const text = readFileSync(file, 'utf8').trim();
      if (!/^\d+$/.test(text)) return undefined;
      return { exitCode: Number(text), oomKilled: existsSync(this.#oomFile(id)), at: statSync(file).mtime };
    } catch {
      return undefined;
    }
  }

  /** Resolves at once when the file is there; 255 when the process is gone and no file comes. */
  wait(id: string, identity: ProcessIdentity | null): Promise<ExitStatus> {
    const known = this.read(id);
    if (known) return Promise.resolve(known);
    const waiting = this.#waiters.get(id);
    if (waiting) return waiting.promise;
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    this.#waiters.set(id, { identity, misses: 0, promise, resolve });
    this.#watch();
    this.#look(id); // it may have come between the read and the watch
    return promise;
  }

  forget(id: string): void {
    this.#waiters.delete(id);
    rmSync(path.join(this.folder, id), { force: true });
  }

  #watch(): void {
    this.#watcher ??= watch(this.folder, { persistent: false }, (_kind, name) => {
      if (name) this.#look(name);
    });
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS).unref();
  }

  #look(id: string): void {
    const waiter = this.#waiters.get(id);
    const status = waiter ? this.read(id) : undefined;
    if (!waiter || !status) return;
    this.#waiters.delete(id);
    waiter.resolve(status);
  }

  #check(): void {
    for (const [id, waiter] of [...this.#waiters]) {
      this.#look(id);
      if (!this.#waiters.has(id) || (waiter.identity && isSameProcess(waiter.identity))) continue;
      waiter.misses += 1;
      if (waiter.misses < GRACE_CHECKS) continue;
      this.#waiters.delete(id);
      waiter.resolve({ exitCode: LOST, oomKilled: existsSync(this.#oomFile(id)), at: new Date() });
    }
    if (this.#waiters.size > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
