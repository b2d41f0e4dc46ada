/** A first-come-first-served lock with an owner and a deadline (design section 4). Reads never take one. */
export class Mutex {
  #tail: Promise<void> = Promise.resolve();
  #owner = '';

  /** What holds the lock now, '' when it is free. */
  get owner(): string {
    return this.#owner;
  }

  /**
   * Runs `work` alone. `owner` names the operation for error messages.
   * @throws Error naming the present owner when the lock is not free within `deadlineMs`.
   */
  async run<T>(owner: string, work: () => Promise<T>, deadlineMs = 120_000): Promise<T> {
    const before = this.#tail;
    let release: () => void = () => {};
    this.#tail = new Promise((resolve) => {
      release = resolve;
    });
    const tail = this.#tail;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), deadlineMs);
      timer.unref();
    });
    const first = await Promise.race([before.then(() => 'free' as const), late]);
    clearTimeout(timer);
    if (first === 'late') {
      void before.then(release);
      throw new Error(`${owner} waited ${deadlineMs} ms for ${this.#owner || 'another operation'} to finish`);
    }
    this.#owner = owner;
    try {
      return await work();
    } finally {
      if (tail === this.#tail) this.#owner = '';
      release();
    }
  }
}
