import { createStore, type StoreApi } from 'zustand/vanilla';
import type { ContainerSummary, ImageSummary, Volume } from '../api/index.ts';

/** What is known of the engine, apart from what is on the screen. */
export interface Facts {
  containers: ReadonlyMap<string, ContainerSummary>;
  images: ReadonlyMap<string, ImageSummary>;
  volumes: ReadonlyMap<string, Volume>;
  /** '' while connected; else why not, in the words of the failure. */
  trouble: string;
  /** e.g. "galley 0.1.0" */
  engine: string;
  host: string;
}

export type FactStore = StoreApi<Facts>;

export function createFacts(host: string): FactStore {
  return createStore<Facts>(() => ({
    containers: new Map(),
    images: new Map(),
    volumes: new Map(),
    trouble: 'connecting',
    engine: '',
    host,
  }));
}

/** A copy of the map with one entry set, or taken out when `value` is undefined. */
export function patched<K, V>(map: ReadonlyMap<K, V>, key: K, value: V | undefined): ReadonlyMap<K, V> {
  const copy = new Map(map);
  if (value === undefined) copy.delete(key);
  else copy.set(key, value);
  return copy;
}
