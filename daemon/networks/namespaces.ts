import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { NetnsMaker } from '../system/netns-maker.ts';
import { MNT_DETACH, unmountLater } from '../system/syscalls.ts';

/** Network namespaces as files below `<exec-root>/netns`; a used one is destroyed, never given to another container. */
export interface Namespaces {
  /** A namespace with nothing but `lo` in it. */
  take(): Promise<string>;
  /** Idempotent. */
  destroy(netnsPath: string): Promise<void>;
  /** Destroys every namespace whose path is not in `keep` and that an earlier process left (boot). */
  collect(keep: ReadonlySet<string>): Promise<void>;
  /** Starts filling the pool. */
  fill(): void;
  /** Destroys the pool; what is being made right now is waited for, so that nothing is left when the process ends. */
  close(): Promise<void>;
}

/** How long after a start the pool is filled again: the refill is not to compete with that start for the kernel's lock. */
const REFILL_MS = 100;

export function createNamespaces(execRoot: string, poolSize: number, onError: (error: unknown) => void): Namespaces {
  const folder = path.join(execRoot, 'netns');
  const maker = new NetnsMaker();
  const pool: string[] = [];
  const making = new Set<Promise<void>>();
  const own = new Set<string>();
  let refill: NodeJS.Timeout | undefined;
  let closed = false;

  async function make(): Promise<string> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = path.join(folder, randomBytes(6).toString('hex'));
    own.add(file);
    writeFileSync(file, '', { mode: 0o600 });
    try {
      await maker.make(file);
      return file;
    } catch (error) {
      await destroy(file);
      throw error;
    }
  }

  async function destroy(netnsPath: string): Promise<void> {
    while (await unmountLater(netnsPath, MNT_DETACH));
    rmSync(netnsPath, { force: true });
    own.delete(netnsPath);
  }

  function fill(): void {
    clearTimeout(refill);
    refill = undefined;
    while (!closed && pool.length + making.size < poolSize) {
      const one = make()
        .then(async (file) => {
          if (closed) await destroy(file);
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
      refill ??= setTimeout(fill, REFILL_MS).unref();
      return pool.shift() ?? make();
    },
    destroy,
    async collect(keep) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(folder)) {
        const file = path.join(folder, name);
        if (!keep.has(file) && !own.has(file)) await destroy(file);
      }
    },
    fill,
    async close() {
      closed = true;
      clearTimeout(refill);
      await Promise.all(making);
      for (const file of pool.splice(0)) await destroy(file);
      await maker.close();
    },
  };
}
