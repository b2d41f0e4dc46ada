import { existsSync, mkdirSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf } from '../errors/engine-error.ts';
import { layerErrors } from '../errors/layers.ts';
import { syncDirectory } from '../system/files.ts';
import type { Log } from '../system/log.ts';
import { MNT_DETACH, unmountAside } from '../system/syscalls.ts';
import { chooseDriver, LayerFolders } from './drivers.ts';
import { TAR_AT } from './erofs/format.ts';
import { findIgzip } from './igzip.ts';
import {
  fileSystemName,
  folderSize,
  isMounted,
  listChanges,
  makeInitLayer,
  makeRootFolders,
  mountOverlay,
  probeOverlay,
  removeRootFolder,
} from './roots.ts';
import type { LayerDatabase, LayerDriverChoice, LayerRecord, LayerStore, UnpackRequest } from './types.ts';
import { unpackInto } from './unpack.ts';

const recordSchema = z.object({
  chainId: z.string(),
  diffId: z.string(),
  parent: z.string().nullable(),
  driver: z.enum(['dirs', 'erofs']),
  size: z.number(),
  created: z.string(),
  /** Folder name below `layers`: a short number, because mount options are one page. */
  folder: z.string(),
  /** Of an erofs layer: bytes of the tar inside. */
  tarSize: z.number().optional(),
});
type StoredLayer = z.infer<typeof recordSchema>;
const rootSchema = z.object({ chainId: z.string().nullable() });

export interface LayerStoreDeps {
  db: LayerDatabase;
  dataRoot: string;
  log: Log;
  /** Default `auto`. */
  driver?: LayerDriverChoice;
}

/**
 * Layers in `layers/<n>`, each as a folder `fs` or as an image file that is mounted there, stacked by overlayfs (design section 6).
 * @throws Error naming the data root when it cannot hold layers; EngineError when the driver asked for cannot be used.
 */
export function createLayerStore({ db, dataRoot, log, driver: wanted = 'auto' }: LayerStoreDeps): LayerStore {
  const layersFolder = path.join(dataRoot, 'layers');
  const rootsFolder = path.join(dataRoot, 'roots');
  for (const folder of [layersFolder, rootsFolder]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const initFolder = path.join(dataRoot, 'init');
  probeOverlay(dataRoot);
  makeInitLayer(initFolder);
  const { driver, why } = chooseDriver(dataRoot, wanted);
  const folders = new LayerFolders(layersFolder);
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

  /** Every chain, with its parents, that a container's root stands on. */
  function pinned(): Set<string> {
    const result = new Set<string>();
    const rows = db.sql("SELECT record FROM meta WHERE id LIKE 'root:%'").all() as unknown as { record: string }[];
    for (const row of rows)
      for (let next = rootSchema.parse(JSON.parse(row.record)).chainId; next !== null && !result.has(next); ) {
        result.add(next);
        next = layers.get(next)?.parent ?? null;
      }
    return result;
  }

  async function unpack(request: UnpackRequest): Promise<LayerRecord> {
    const temporary = path.join(layersFolder, `tmp-${process.pid}-${(counter += 1)}`);
    const folder = String((counter += 1));
    try {
      mkdirSync(temporary, { mode: 0o700 });
      const result = await unpackInto(temporary, request, { dataRoot, driver });
      const { diffId, size, skippedAttributes, tarSize, unfit } = result;
      if (unfit) log.info('a layer is unpacked, because no image can hold it', { layer: request.diffId, why: unfit });
      if (skippedAttributes > 0)
        log.warn('extended attributes that the file system does not take', {
          layer: request.diffId,
          count: skippedAttributes,
        });
      if (diffId !== request.diffId) throw layerErrors.wrongDiffId(request.diffId, diffId);
      await syncDirectory(temporary);
      await rename(temporary, path.join(layersFolder, folder));
      await syncDirectory(layersFolder);
      const record: StoredLayer = {
        chainId: request.chainId,
        diffId,
        parent: request.parent,
        driver: result.driver === 'erofs' ? 'erofs' : 'dirs',
        size,
        created: new Date().toISOString(),
        folder,
        ...(result.driver === 'erofs' ? { tarSize } : {}),
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

    async unpack(request) {
      /** The layer is here: the other tar is only looked at, because its sender will believe that it is the same. */
      const check = async () => {
        await setImmediate(); // whoever unpacked it has had time to say so
        if (request.isKnown?.()) return;
        const { diffId } = await unpackInto('', request, { dataRoot, driver: 'none' });
        if (diffId !== request.diffId) throw layerErrors.wrongDiffId(request.diffId, diffId);
      };
      for (;;) {
        const known = layers.get(request.chainId);
        const running = underWay.get(request.chainId);
        if (!known && !running) break;
        let record: LayerRecord;
        try {
          record = known ?? (await (running as Promise<LayerRecord>));
        } catch (error) {
          // The one we waited for failed or was given up by its own caller; ours may still go through.
          log.debug('a layer that another pull was unpacking failed', {
            layer: request.chainId,
            error: messageOf(error),
          });
          continue;
        }
        await check();
        return record;
      }
      const work = unpack(request).finally(() => underWay.delete(request.chainId));
      underWay.set(request.chainId, work);
      return work;
    },

    tar(chainId) {
      const record = layers.get(chainId);
      if (record?.tarSize === undefined) return undefined;
      return { file: folders.image(record.folder), offset: TAR_AT, size: record.tarSize };
    },

    async check(chainId) {
      const record = layers.get(chainId);
      return record ? folders.check(record) : 'it is not here';
    },

    async diskUsage(chainId) {
      const record = layers.get(chainId);
      return record ? folders.diskUsage(record.folder) : 0;
    },

    async remove(chainId) {
      const record = layers.get(chainId);
      if (!record) return;
      if (pinned().has(chainId)) throw layerErrors.inUse(chainId);
      layers.delete(chainId);
      table.delete(chainId);
      folders.release(record.folder);
      const folder = path.join(layersFolder, record.folder);
      const gone = path.join(layersFolder, `gone-${record.folder}`);
      await rename(folder, gone).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
      await rm(gone, { recursive: true, force: true });
    },

    pinned,

    async createRoot(containerId, chainId) {
      chain(chainId); // every layer is there before anything is made
      makeRootFolders(rootOf(containerId));
      // The container's own row brings it to disk.
      db.relaxed(() => rootTable.put(rootKey(containerId), { chainId }));
    },

    async mountRoot(containerId) {
      const root = rootOf(containerId);
      const merged = path.join(root, 'merged');
      if (await isMounted(merged)) return merged;
      const chainId = rootTable.get(rootKey(containerId))?.chainId ?? null;
      const stack = chain(chainId);
      for (const layer of stack) folders.ready(layer);
      const lowers = [path.relative(layersFolder, initFolder), ...stack.map((layer) => `${layer.folder}/fs`)];
      mountOverlay(layersFolder, lowers, root);
      return merged;
    },

    async unmountRoot(containerId) {
      await unmountAside(path.join(rootOf(containerId), 'merged'), MNT_DETACH);
    },

    async removeRoot(containerId) {
      db.relaxed(() => rootTable.delete(rootKey(containerId)));
      await removeRootFolder(rootOf(containerId));
    },

    rootSize: (containerId) => folderSize(path.join(rootOf(containerId), 'upper')),

    async changes(containerId) {
      const root = rootOf(containerId);
      const chainId = rootTable.get(rootKey(containerId))?.chainId ?? null;
      const lowers = [initFolder, ...chain(chainId).map((layer) => folders.ready(layer))];
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
          LowerDir: [initFolder, ...lowers].join(':'),
          MergedDir: path.join(root, 'merged'),
          UpperDir: path.join(root, 'upper'),
          WorkDir: path.join(root, 'work'),
        },
      };
    },

    driverStatus() {
      const images = [...layers.values()].filter((layer) => layer.driver === 'erofs').length;
      return [
        ['Backing Filesystem', fileSystemName(dataRoot)],
        ['Layer driver', `${driver} (${why})`],
        ['Layers', `${layers.size}: ${images} as erofs images, ${layers.size - images} as folders`],
        ['Decompressor', findIgzip() || 'zlib (install isal for igzip, which is three times as fast)'],
      ];
    },

    async collect(keepRoots) {
      const known = new Set([...layers.values()].map((record) => record.folder));
      for (const name of await readdir(layersFolder)) {
        if (known.has(name)) continue;
        log.info('removing a layer folder that nothing refers to', { folder: name });
        folders.release(name);
        await rm(path.join(layersFolder, name), { recursive: true, force: true });
      }
      const rows = db.sql("SELECT id FROM meta WHERE id LIKE 'root:%'").all() as { id: string }[];
      const recorded = rows.map((row) => row.id.slice('root:'.length));
      for (const id of new Set([...recorded, ...(await readdir(rootsFolder))])) {
        if (keepRoots.has(id)) continue;
        log.info('removing a root that no container has', { container: id });
        await store.removeRoot(id);
      }
    },

    async close() {
      const inUse = new Set<string>();
      for (const containerId of await readdir(rootsFolder)) {
        if (!(await isMounted(path.join(rootOf(containerId), 'merged')))) continue;
        const chainId = rootTable.get(rootKey(containerId))?.chainId ?? null;
        for (let next = chainId; next !== null; next = layers.get(next)?.parent ?? null) {
          const folder = layers.get(next)?.folder;
          if (folder) inUse.add(folder);
        }
      }
      folders.releaseAllBut(inUse);
    },
  };
  return store;
}
