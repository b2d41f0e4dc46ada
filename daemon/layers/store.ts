import { existsSync, mkdirSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { layerErrors } from '../errors/layers.ts';
import type { Database } from '../state/index.ts';
import { syncDirectory } from '../system/files.ts';
import type { Log } from '../system/log.ts';
import { MNT_DETACH, unmount } from '../system/syscalls.ts';
import { folderSize, isMounted, listChanges, makeRootFolders, mountOverlay, removeRootFolder } from './roots.ts';
import type { LayerRecord, LayerStore, UnpackRequest } from './types.ts';
import { unpackTar } from './unpack.ts';

const recordSchema = z.object({
  chainId: z.string(),
  diffId: z.string(),
  parent: z.string().nullable(),
  driver: z.enum(['dirs', 'erofs']),
  size: z.number(),
  created: z.string(),
  /** Folder name below `layers`: a short number, because mount options are one page. */
  folder: z.string(),
});
type StoredLayer = z.infer<typeof recordSchema>;
const rootSchema = z.object({ chainId: z.string().nullable() });

export interface LayerStoreDeps {
  db: Database;
  dataRoot: string;
  log: Log;
}

/** Layers as folders (`layers/<n>/fs`) stacked by overlayfs: the driver that works everywhere (design section 6). */
export function createLayerStore({ db, dataRoot, log }: LayerStoreDeps): LayerStore {
  const layersFolder = path.join(dataRoot, 'layers');
  const rootsFolder = path.join(dataRoot, 'roots');
  for (const folder of [layersFolder, rootsFolder]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const table = db.documents('layers', (value) => recordSchema.parse(value));
  const rootTable = db.documents('meta', (value) => rootSchema.parse(value));
  const layers = new Map(table.all().map((record) => [record.chainId, record]));
  const underWay = new Map<string, Promise<LayerRecord>>();
  let counter = Math.max(0, ...[...layers.values()].map((record) => Number(record.folder)));

  const rootOf = (containerId: string) => path.join(rootsFolder, containerId);
  const rootKey = (containerId: string) => `root:${containerId}`;

  /** Topmost first, as overlayfs wants them. @throws EngineError when one is missing. */
  function chain(chainId: string | null): StoredLayer[] {
    const result: StoredLayer[] = [];
    for (let next = chainId; next !== null; ) {
      const record = layers.get(next);
      if (!record) throw layerErrors.unknownLayer(next);
      result.push(record);
      next = record.parent;
    }
    return result;
  }

  async function unpack(request: UnpackRequest): Promise<LayerRecord> {
    const temporary = path.join(layersFolder, `tmp-${process.pid}-${(counter += 1)}`);
    const folder = String((counter += 1));
    try {
      const { diffId, size } = await unpackTar(request.tar, path.join(temporary, 'fs'), dataRoot, request.signal);
      if (diffId !== request.diffId) throw layerErrors.wrongDiffId(request.diffId, diffId);
      await rename(temporary, path.join(layersFolder, folder));
      await syncDirectory(layersFolder);
      const record: StoredLayer = {
        chainId: request.chainId,
        diffId,
        parent: request.parent,
        driver: 'dirs',
        size,
        created: new Date().toISOString(),
        folder,
      };
      table.put(record.chainId, record);
      layers.set(record.chainId, record);
      return record;
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  const store: LayerStore = {
    get: (chainId) => layers.get(chainId),
    all: () => [...layers.values()],

    unpack(request) {
      const known = layers.get(request.chainId);
      if (known) {
        request.tar.destroy();
        return Promise.resolve(known);
      }
      const running = underWay.get(request.chainId);
      if (running) {
        request.tar.destroy();
        return running;
      }
      const work = unpack(request).finally(() => underWay.delete(request.chainId));
      underWay.set(request.chainId, work);
      return work;
    },

    async remove(chainId) {
      const record = layers.get(chainId);
      if (!record) return;
      layers.delete(chainId);
      table.delete(chainId);
      await rm(path.join(layersFolder, record.folder), { recursive: true, force: true });
    },

    async createRoot(containerId, chainId) {
      chain(chainId); // every layer is there before anything is made
      makeRootFolders(rootOf(containerId));
      rootTable.put(rootKey(containerId), { chainId });
    },

    async mountRoot(containerId) {
      const root = rootOf(containerId);
      const merged = path.join(root, 'merged');
      if (await isMounted(merged)) return merged;
      const chainId = rootTable.get(rootKey(containerId))?.chainId ?? null;
      const lowers = [`../roots/${containerId}/init`, ...chain(chainId).map((layer) => `${layer.folder}/fs`)];
      mountOverlay(layersFolder, lowers, root);
      return merged;
    },

    async unmountRoot(containerId) {
      unmount(path.join(rootOf(containerId), 'merged'), MNT_DETACH);
    },

    async removeRoot(containerId) {
      rootTable.delete(rootKey(containerId));
      await removeRootFolder(rootOf(containerId));
    },

    rootSize: (containerId) => folderSize(path.join(rootOf(containerId), 'upper')),

    async changes(containerId) {
      const root = rootOf(containerId);
      const chainId = rootTable.get(rootKey(containerId))?.chainId ?? null;
      const lowers = [
        path.join(root, 'init'),
        ...chain(chainId).map((layer) => path.join(layersFolder, layer.folder, 'fs')),
      ];
      return listChanges(path.join(root, 'upper'), lowers);
    },

    async roots() {
      return existsSync(rootsFolder) ? readdir(rootsFolder) : [];
    },

    describe(containerId) {
      const root = rootOf(containerId);
      const chainId = rootTable.get(rootKey(containerId))?.chainId ?? null;
      const lowers =
        chainId !== null && layers.has(chainId)
          ? chain(chainId).map((layer) => path.join(layersFolder, layer.folder, 'fs'))
          : [];
      return {
        Name: 'overlay2',
        Data: {
          LowerDir: [path.join(root, 'init'), ...lowers].join(':'),
          MergedDir: path.join(root, 'merged'),
          UpperDir: path.join(root, 'upper'),
          WorkDir: path.join(root, 'work'),
        },
      };
    },

    driverStatus: () => [
      ['Layer driver', 'dirs: folders stacked by overlayfs'],
      ['Layers', String(layers.size)],
    ],

    async collect(keepRoots) {
      const known = new Set([...layers.values()].map((record) => record.folder));
      for (const name of await readdir(layersFolder)) {
        if (known.has(name)) continue;
        log.info('removing a layer folder that nothing refers to', { folder: name });
        await rm(path.join(layersFolder, name), { recursive: true, force: true });
      }
      for (const id of await readdir(rootsFolder)) {
        if (keepRoots.has(id)) continue;
        log.info('removing a root that no container has', { container: id });
        await store.removeRoot(id);
      }
    },
  };
  return store;
}
