import type { WaitResponse } from '../../src/api/index.ts';
import type { Core } from './core.ts';
import { isAlive } from './record.ts';
import type { Entry } from './store.ts';
import type { WaitOptions } from './types.ts';

/** Registered when it returns, so that an exit right after is not missed (the CLI waits before it starts). */
export function waitFor(core: Core, entry: Entry, { condition, signal }: WaitOptions): Promise<WaitResponse> {
  const { record } = entry;
  const running = isAlive(record) || record.status === 'restarting';
  if (condition === 'not-running' && !running) return Promise.resolve({ StatusCode: record.exitCode });
  const live = core.live(entry);
  const { promise, resolve } = Promise.withResolvers<WaitResponse>();
  const exited = (exitCode: number) => resolve({ StatusCode: exitCode });
  const removed = ({ exitCode, error }: { exitCode: number; error?: string }) =>
    resolve({ StatusCode: exitCode, ...(error === undefined ? {} : { Error: { Message: error } }) });
  const aborted = () => resolve({ StatusCode: entry.record.exitCode }); // nobody reads it: the client has gone
  if (condition === 'removed') live.removals.add(removed);
  else live.exits.add(exited);
  signal.addEventListener('abort', aborted, { once: true });
  if (signal.aborted) aborted();
  return promise.finally(() => {
    live.removals.delete(removed);
    live.exits.delete(exited);
    signal.removeEventListener('abort', aborted);
  });
}
