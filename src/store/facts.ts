/** What is known about the engine. Patched by single events; readers are told at most every COALESCE_MS, or at once by flush(). */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ContainerSummary, ImageSummary, NetworkResource, Volume } from '../api/index.ts';
import type { Usage } from '../format/stats.ts';

export interface Connection {
  state: 'connecting' | 'connected' | 'lost';
  /** Why it is lost in the client's words, or what is being waited for. */
  message: string;
}

export interface EngineFacts {
  name: string;
  version: string;
  apiVersion: string;
  hostname: string;
  os: string;
  cpus: number;
  memory: number;
  /** Unix milliseconds: a stream of an older connection is opened again. */
  connectedAt: number;
}

/** `since`: Unix milliseconds of the last change of state, worked out from the status text when it arrived; of one that never ran its creation. */
export type ContainerFact = ContainerSummary & { since: number };

export interface Facts {
  connection: Connection;
  /** Why galleyd could not be started; empty when it was not tried or came up. */
  startFailure: string;
  /** Hosts of other engines that answer: offered, never taken. */
  others: readonly string[];
  engine: EngineFacts | undefined;
  containers: ReadonlyMap<string, ContainerFact>;
  /** How often a container was seen to start: one that is restarted quickly is never seen stopped, and its log stream ends all the same. */
  starts: ReadonlyMap<string, number>;
  images: ReadonlyMap<string, ImageSummary>;
  volumes: ReadonlyMap<string, Volume>;
  networks: ReadonlyMap<string, NetworkResource>;
  /** The newest samples per container, oldest first, at most RING. */
  stats: ReadonlyMap<string, readonly Usage[]>;
}

const COALESCE_MS = 80;
export const RING = 300;

export const NO_FACTS: Facts = {
  connection: { state: 'connecting', message: '' },
  startFailure: '',
  others: [],
  engine: undefined,
  containers: new Map(),
  starts: new Map(),
  images: new Map(),
  volumes: new Map(),
  networks: new Map(),
  stats: new Map(),
};

/** A store whose writers are coalesced. `current()` is the newest state, also before readers were told. */
export interface Coalesced<T> {
  store: StoreApi<T>;
  current(): T;
  /** `delay`: readers may be told as late as this, ms. */
  patch(change: (state: T) => T, delay?: number): void;
  flush(): void;
  stop(): void;
}

export function createCoalesced<T>(initial: T, delay = COALESCE_MS): Coalesced<T> {
  const store = createStore<T>(() => initial);
  let pending = initial;
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    due = Number.POSITIVE_INFINITY;
    if (pending !== store.getState()) store.setState(pending, true);
  };
  return {
    store,
    current: () => pending,
    patch(change, latest = delay) {
      const before = pending;
      pending = change(pending);
      const at = performance.now() + latest;
      if (pending === before || at >= due) return;
      clearTimeout(timer);
      due = at;
      timer = setTimeout(flush, latest);
    },
    flush,
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** A copy of `map` with `value` under `key`, or without the key when it is undefined. */
export function withEntry<V>(map: ReadonlyMap<string, V>, key: string, value: V | undefined): ReadonlyMap<string, V> {
  const next = new Map(map);
  if (value === undefined) next.delete(key);
  else next.set(key, value);
  return next;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  second: 1e3,
  minute: 6e4,
  hour: 36e5,
  day: 864e5,
  week: 6048e5,
  month: 2592e6,
  year: 31536e6,
};

/** Milliseconds in Docker's rough words (`Up About an hour`, `Exited (0) 3 weeks ago`); undefined where there are none. */
export function statusAge(status: string): number | undefined {
  if (/less than a second/i.test(status)) return 0;
  const match = /(\d+|an?) (second|minute|hour|day|week|month|year)s?/i.exec(status);
  if (!match) return undefined;
  const count = Number(match[1]);
  return (Number.isNaN(count) ? 1 : count) * (UNIT_MS[match[2] as string] ?? 0);
}
