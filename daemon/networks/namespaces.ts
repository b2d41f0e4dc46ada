import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ipBatch } from '../system/ip.ts';
import { run } from '../system/spawn.ts';
import { MNT_DETACH, unmount } from '../system/syscalls.ts';

/** Network namespaces as files below `<exec-root>/netns`; a used one is destroyed, never given to another container. */
export interface Namespaces {
  /** A namespace with nothing but `lo` in it. */
  take(): Promise<string>;
  destroy(netnsPath: string): void;
  /** Destroys every namespace whose path is not in `keep` and that an earlier process left (boot). */
  collect(keep: ReadonlySet<string>): void;
  /** Starts filling the pool. */
  fill(): void;
  /** Destroys the pool; what is being made right now is waited for, so that nothing is left when the process ends. */
  close(): Promise<void>;
}

export function createNamespaces(execRoot: string, poolSize: number, onError: (error: unknown) => void): Namespaces {
  const folder = path.join(execRoot, 'netns');
  const pool: string[] = [];
  const making = new Set<Promise<void>>();
  const own = new Set<string>();
  let closed = false;

  async function make(): Promise<string> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = path.join(folder, randomBytes(6).toString('hex'));
    own.add(file);
    writeFileSync(file, '', { mode: 0o600 });
    try {
      await run('unshare', [`--net=${file}`, 'true']);
      await ipBatch(['link set lo up'], file);
      return file;
    } catch (error) {
      destroy(file);
      throw error;
    }
  }

  function destroy(netnsPath: string): void {
    while (unmount(netnsPath, MNT_DETACH));
    rmSync(netnsPath, { force: true });
    own.delete(netnsPath);
  }

  function fill(): void {
    while (!closed && pool.length + making.size < poolSize) {
      const one = make()
        .then((file) => {
          if (closed) destroy(file);
          else pool.push(file);
        })
        .catch(onError)
        .finally(() => {
          making.delete(one);
        });
      making.add(one);
    }
  }

  return {
    async take() {
      const ready = pool.shift();
      // The refill waits until the start that took this one is through: it is not to compete with it.
      if (ready !== undefined) setTimeout(fill, 100).unref();
      return ready ?? make();
    },
    destroy,
    collect(keep) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(folder)) {
        const file = path.join(folder, name);
        if (!keep.has(file) && !own.has(file)) destroy(file);
      }
    },
    fill,
    async close() {
      closed = true;
      await Promise.all(making);
      for (const file of pool.splice(0)) destroy(file);
    },
  };
}
