/** Mark and sweep (design section 4): what neither an image, nor a container's root, nor a living lease refers to goes. */
import { EngineError } from '../errors/engine-error.ts';
import type { LayerStore } from '../layers/types.ts';
import type { Leases } from '../state/index.ts';
import { Mutex } from '../system/mutex.ts';
import type { Catalog } from './catalog.ts';
import type { ContentStore } from './content.ts';
import type { Transfers } from './transfers.ts';

export interface GarbageDeps {
  catalog: Catalog;
  content: ContentStore;
  layers: LayerStore;
  leases: Leases;
  transfers: Transfers;
}

export interface Collected {
  chainIds: string[];
  /** Of layers, plus of compressed blobs. */
  bytes: number;
}

export function createCollector({
  catalog,
  content,
  layers,
  leases,
  transfers,
}: GarbageDeps): () => Promise<Collected> {
  const mutex = new Mutex();
  const sweep = async (): Promise<Collected> => {
    const gone: string[] = [];
    let bytes = 0;
    // A candidate is looked at anew before it goes: a pull or a create may have come in while the last one was deleted.
    const chainLives = (chainId: string) =>
      catalog.liveChains().has(chainId) || layers.pinned().has(chainId) || leases.held('layer').has(chainId);
    const chains = catalog.liveChains();
    for (const layer of layers.all().reverse()) {
      if (chains.has(layer.chainId) || chainLives(layer.chainId)) continue;
      try {
        await layers.remove(layer.chainId);
      } catch (error) {
        if (error instanceof EngineError && error.kind === 'conflict') continue;
        throw error;
      }
      gone.push(layer.chainId);
      bytes += layer.size;
    }
    const held = (digest: string) =>
      transfers.has(digest) || leases.held('blob').has(digest) || catalog.liveBlobs().has(digest);
    for (const digest of catalog.deadBlobs()) {
      if (held(digest)) continue;
      bytes += await content.remove(digest);
      catalog.forgetBlob(digest);
    }
    // What no image ever had is of a pull that was cut: it stays a day, so that the next one need not fetch it again.
    bytes += await content.sweep(held);
    catalog.pruneLayerBlobs(leases.held('blob'));
    return { chainIds: gone, bytes };
  };
  return () => mutex.run('image garbage collection', sweep);
}
