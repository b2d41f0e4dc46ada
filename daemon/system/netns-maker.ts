import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** Its start costs 30 ms and its memory 8 MB: an idle one goes. */
const IDLE_MS = 10_000;

/** Makes network namespaces on a thread of its own, one at a time. */
export class NetnsMaker {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  readonly #waiting = new Map<string, (error: string) => void>();

  /** Mounts a new namespace, with `lo` up, on the file, which must exist. @throws Error with the kernel's words */
  async make(file: string): Promise<void> {
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= this.#start());
    const error = await new Promise<string>((resolve) => {
      this.#waiting.set(file, resolve);
      worker.ref();
      worker.postMessage(file);
    });
    if (this.#waiting.size === 0) {
      worker.unref();
      this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
    }
    if (error !== '') throw new Error(`cannot make a network namespace: ${error}`);
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    // Beside this source, or beside the bundle in dist/.
    const source = new URL('./netns-worker.ts', import.meta.url);
    const worker = new Worker(
      existsSync(fileURLToPath(source)) ? source : new URL('./netns-worker.mjs', import.meta.url),
    );
    worker.on('message', ({ file, error }: { file: string; error: string }) => this.#answer(file, error));
    const ended = (why: string) => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const file of [...this.#waiting.keys()]) this.#answer(file, why);
    };
    worker.on('error', (error) => ended(error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => ended('its thread ended'));
    return worker;
  }

  #answer(file: string, error: string): void {
    const done = this.#waiting.get(file);
    this.#waiting.delete(file);
    done?.(error);
  }
}
