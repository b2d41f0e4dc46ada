import type { Core } from './core.ts';
import type { Entry } from './store.ts';

/** Starts the container again after `delay` ms, unless it is cancelled before. */
export function scheduleRestart(
  core: Core,
  entry: Entry,
  delay: number,
  restart: (core: Core, entry: Entry) => Promise<void>,
): void {
  const live = core.live(entry);
  live.restartDelay = delay;
  live.restartTimer = setTimeout(() => {
    live.restartTimer = null;
    void restart(core, entry);
  }, delay);
}

/** Takes a pending restart back; true when there was one. */
export function cancelRestart(core: Core, entry: Entry): boolean {
  const live = core.live(entry);
  if (!live.restartTimer) return false;
  clearTimeout(live.restartTimer);
  live.restartTimer = null;
  return true;
}
