/** Job control: ctrl-z, and a stop signal from outside. */

export type Suspend = (work: () => Promise<void>) => Promise<void>;

/** A process that nobody can stop (no job control above it) goes on at once: then this is how long it waits. */
const NOT_STOPPED_MS = 100;

export interface Job {
  /** Gives the terminal back, stops the whole process group, and resolves when it runs again. */
  stop(): Promise<void>;
  release(): void;
}

/** @param suspend Ink's way to hand the terminal over while `work` runs */
export function watchJob(suspend: Suspend, onError: (error: unknown) => void): Job {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    try {
      await suspend(
        () =>
          new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, NOT_STOPPED_MS);
            process.once('SIGCONT', () => {
              clearTimeout(timer);
              resolve();
            });
            // Without our listener the signal stops. The whole group: npm and sh wait above node, and a shell sees only a stopped job.
            process.off('SIGTSTP', onSignal);
            process.kill(0, 'SIGTSTP');
          }),
      );
    } finally {
      stopping = false;
      process.on('SIGTSTP', onSignal);
      // The window may have changed while nobody could be told.
      process.emit('SIGWINCH', 'SIGWINCH');
    }
  };
  const onSignal = () => void stop().catch(onError);
  process.on('SIGTSTP', onSignal);
  return { stop, release: () => process.off('SIGTSTP', onSignal) };
}
