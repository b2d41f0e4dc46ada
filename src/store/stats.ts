/** Stats streams for the containers that are on the screen, and no others. */
import type { EngineClient } from '../client/index.ts';
import { usageOf } from '../format/stats.ts';
import { type Coalesced, type Facts, RING, withEntry } from './facts.ts';

/** Samples of many containers come at different moments of a second: drawn together they cost one frame. */
const TOGETHER_MS = 400;

export interface StatsFeed {
  /** The running containers whose stats are wanted from now on. */
  want(ids: readonly string[]): void;
  stop(): void;
}

export function createStatsFeed(client: EngineClient, facts: Coalesced<Facts>): StatsFeed {
  const open = new Map<string, AbortController>();
  async function follow(id: string, ending: AbortController): Promise<void> {
    try {
      for await (const stats of client.getContainer(id).statsStream({ signal: ending.signal })) {
        // The first sample has nothing before it, so its rate means nothing.
        if (!stats.precpu_stats?.system_cpu_usage) continue;
        facts.patch((now) => {
          const ring = [...(now.stats.get(id) ?? []), usageOf(stats)].slice(-RING);
          return { ...now, stats: withEntry(now.stats, id, ring) };
        }, TOGETHER_MS);
      }
    } catch (error) {
      // An engine or container that went away shows in the facts; the stream has nothing to add to that.
      if (ending.signal.aborted || error instanceof Error) return;
      throw error;
    } finally {
      if (open.get(id) === ending) open.delete(id);
    }
  }
  return {
    want(ids) {
      const wanted = new Set(ids);
      for (const [id, ending] of open) {
        if (wanted.has(id)) continue;
        open.delete(id);
        ending.abort();
      }
      for (const id of wanted) {
        if (open.has(id)) continue;
        const ending = new AbortController();
        open.set(id, ending);
        void follow(id, ending);
      }
    },
    stop() {
      for (const ending of open.values()) ending.abort();
      open.clear();
    },
  };
}
