import { existsSync, type FSWatcher, mkdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cgroupOomKills } from '../system/cgroups.ts';
import { onProcessEnd } from '../system/pidfd.ts';
import { conmonOf, type RuntimePaths, readTask } from './bundle.ts';
import type { ExitStatus } from './types.ts';

/** The code that nobody wrote down (Docker's for an exit it knows nothing of). */
const LOST = 255;

interface Waiter {
  promise: Promise<ExitStatus>;
  /** Ends the wait if the exit is on disk. */
  look(): boolean;
  /** Ends the wait with what is known: the file, else 255. */
  finish(): void;
}

/**
 * Exit files: conmon leaves `<exits>/<id>` with the code, whether or not galleyd runs (field/conmon.md). One watch on their folder
 * serves all containers. Beside it a pidfd on each conmon, because one that is killed writes no file: then the container's own
 * process is watched, and its end is a 255.
 */
export class Exits {
  readonly #paths: RuntimePaths;
  readonly #waiters = new Map<string, Waiter>();
  #watcher: FSWatcher | null = null;

  constructor(paths: RuntimePaths) {
    this.#paths = paths;
    mkdirSync(paths.exits, { recursive: true, mode: 0o700 });
  }

  #file(id: string): string {
    return path.join(this.#paths.exits, id);
  }

  /** The exit as far as it is on disk. The container's cgroup still counts the kills: conmon may hear of the end first. */
  read(id: string): ExitStatus | undefined {
    let text: string;
    let at: Date;
    try {
      text = readFileSync(this.#file(id), 'utf8').trim();
      at = statSync(this.#file(id)).mtime;
    } catch {
      return undefined; // not yet
    }
    if (!/^\d+$/.test(text)) return undefined; // conmon is writing it
    const bundle = this.#paths.bundle(id);
    const cgroup = readTask(bundle)?.cgroup ?? '';
    const oomKilled = existsSync(path.join(bundle, 'oom')) || (cgroup !== '' && cgroupOomKills(cgroup) > 0);
    return { exitCode: Number(text), oomKilled, at };
  }

  /** Resolves at once when the file is there; 255 when the process is gone and no file comes. */
  wait(id: string): Promise<ExitStatus> {
    const waiting = this.#waiters.get(id);
    if (waiting) return waiting.promise;
    const known = this.read(id);
    if (known) return Promise.resolve(known);
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    let stopWatching = () => {};
    const end = (status: ExitStatus) => {
      stopWatching();
      this.#waiters.delete(id);
      if (this.#waiters.size === 0) this.#unwatch();
      resolve(status);
    };
    const look = () => {
      const status = this.read(id);
      if (status) end(status);
      return status !== undefined;
    };
    const finish = () => {
      if (look()) return;
      // On disk first, so that the next galleyd says the same.
      writeFileSync(this.#file(id), String(LOST), { mode: 0o600 });
      if (!look()) end({ exitCode: LOST, oomKilled: false, at: new Date() });
    };
    const afterConmon = () => {
      if (look()) return;
      const init = readTask(this.#paths.bundle(id))?.init;
      if (init) stopWatching = onProcessEnd(init, finish);
      else finish();
    };
    this.#waiters.set(id, { promise, look, finish });
    this.#watch();
    const conmon = conmonOf(this.#paths.bundle(id));
    if (conmon) stopWatching = onProcessEnd(conmon, afterConmon);
    else afterConmon();
    this.#waiters.get(id)?.look(); // it may have come between the first look and the watch
    return promise;
  }

  /** The container is being removed: whoever still waits hears what is known. */
  forget(id: string): void {
    this.#waiters.get(id)?.finish();
    rmSync(this.#file(id), { force: true });
  }

  /** Where the kernel has no watch left to give, the end of conmon, which follows its file, is heard all the same. */
  #watch(): void {
    if (this.#watcher) return;
    try {
      this.#watcher = watch(this.#paths.exits, { persistent: false }, (_kind, name) => {
        // Without a name the kernel has lost count: look at all.
        if (name) this.#waiters.get(name)?.look();
        else for (const waiter of [...this.#waiters.values()]) waiter.look();
      });
      this.#watcher.on('error', () => this.#unwatch());
    } catch {
      this.#watcher = null;
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}
