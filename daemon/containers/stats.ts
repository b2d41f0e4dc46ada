import type { ContainerStats, CpuStats } from '../../src/api/index.ts';
import { messageOf } from '../errors/engine-error.ts';
import type { Core } from './core.ts';
import { isAlive, ZERO_TIME } from './record.ts';
import type { Entry } from './store.ts';

const PERIOD_MS = 1000;
const NO_CPU: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

/** What a stopped container answers at once. */
function emptyStats(entry: Entry): ContainerStats {
  return {
    id: entry.record.id,
    name: `/${entry.record.name}`,
    os_type: 'linux',
    read: ZERO_TIME,
    preread: ZERO_TIME,
    num_procs: 0,
    pids_stats: {},
    cpu_stats: NO_CPU,
    precpu_stats: NO_CPU,
    memory_stats: {},
    blkio_stats: {},
  };
}

type Listener = (stats: ContainerStats) => void;

interface Sampler {
  listeners: Set<Listener>;
  timer: NodeJS.Timeout | undefined;
  last: ContainerStats | undefined;
}

/** One sampler a container, shared by all who look, and stopped when nobody does. */
export class StatsSamplers {
  readonly #core: Core;
  readonly #samplers = new Map<string, Sampler>();

  constructor(core: Core) {
    this.#core = core;
  }

  async sample(entry: Entry, previous: ContainerStats | undefined): Promise<ContainerStats> {
    const { record } = entry;
    if (!isAlive(record) || !record.identity) return emptyStats(entry);
    const now = await this.#core.deps.runtime.sample(record.id, record.identity.pid);
    return {
      ...now,
      id: record.id,
      name: `/${record.name}`,
      os_type: 'linux',
      preread: previous?.read ?? ZERO_TIME,
      precpu_stats: previous?.cpu_stats ?? NO_CPU,
    };
  }

  #subscribe(entry: Entry, listener: Listener): () => void {
    const { id } = entry.record;
    let sampler = this.#samplers.get(id);
    if (!sampler) {
      sampler = { listeners: new Set(), timer: undefined, last: undefined };
      this.#samplers.set(id, sampler);
      void this.#tick(entry, sampler);
    }
    const mine = sampler;
    mine.listeners.add(listener);
    return () => {
      mine.listeners.delete(listener);
      if (mine.listeners.size > 0) return;
      clearTimeout(mine.timer);
      if (this.#samplers.get(id) === mine) this.#samplers.delete(id);
    };
  }

  async #tick(entry: Entry, sampler: Sampler): Promise<void> {
    const begun = Date.now();
    try {
      const alive = isAlive(entry.record);
      const stats = await this.sample(entry, alive ? sampler.last : undefined);
      sampler.last = alive ? stats : undefined;
      for (const listener of sampler.listeners) listener(stats);
    } catch (error) {
      // The container ended between the look and the reading; the next round shows it stopped.
      this.#core.deps.log.debug('sample failed', { container: entry.record.id, error: messageOf(error) });
    }
    if (sampler.listeners.size === 0) return;
    sampler.timer = setTimeout(() => void this.#tick(entry, sampler), Math.max(50, PERIOD_MS - (Date.now() - begun)));
  }

  /** Streams until the client or the container is gone; once: two samples a second apart, so that precpu is filled. */
  async run(
    entry: Entry,
    { stream, oneShot, signal }: { stream: boolean; oneShot: boolean; signal: AbortSignal },
    listener: (stats: ContainerStats) => Promise<void>,
  ): Promise<void> {
    if (!isAlive(entry.record) || (!stream && oneShot)) {
      const stats = await this.sample(entry, undefined);
      await listener(stats);
      if (!stream || signal.aborted) return;
    }
    const queue: ContainerStats[] = [];
    let wake: (() => void) | undefined;
    const off = this.#subscribe(entry, (stats) => {
      queue.splice(0, queue.length, stats); // a slow client gets the newest
      wake?.();
    });
    const stop = () => wake?.();
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted && this.#core.store.get(entry.record.id) && !this.#core.closed) {
        const stats = queue.shift();
        if (!stats) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        if (!stream) {
          // Without precpu the CLI could compute no percentage: wait for the second sample, unless it stopped meanwhile.
          if (stats.preread === ZERO_TIME && isAlive(entry.record)) continue;
          await listener(stats);
          return;
        }
        await listener(stats);
      }
    } finally {
      off();
      signal.removeEventListener('abort', stop);
    }
  }

  close(): void {
    for (const sampler of this.#samplers.values()) {
      clearTimeout(sampler.timer);
      sampler.listeners.clear();
    }
    this.#samplers.clear();
  }
}
