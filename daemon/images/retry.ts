/** Second attempts for small requests: manifests, tags, uploads. Blobs have their own, which go on where they stopped. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TransientError } from './http.ts';

export interface RetrySettings {
  /** In all, the first one included. */
  attempts: number;
  /** The n-th pause lasts n times this, and up to half as much again so that many clients do not come back at once. */
  retryDelayMs: number;
}

/**
 * Runs `work` again while a registry that is there says "busy" (429 with its Retry-After, 408, 5xx).
 * @throws what `work` throws, when it is something else or the attempts are used up; the signal's reason.
 */
export async function retrying<T>(settings: RetrySettings, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransientError) || !error.answered || attempt >= settings.attempts) throw error;
      const pause = error.retryAfterMs ?? attempt * settings.retryDelayMs * (1 + Math.random() / 2);
      await sleep(pause, undefined, { signal });
    }
  }
}
