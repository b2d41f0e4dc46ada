/** The two ways a layer lies on disk, and which one new layers get (design section 6). */
import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { layerErrors } from '../errors/layers.ts';
import { MNT_DETACH, unmount } from '../system/syscalls.ts';
import { TAR_AT } from './erofs/format.ts';
import { mountImage, probeErofs } from './erofs/probe.ts';
import { IMAGE_NAME } from './layer-job.ts';
import type { LayerDriver, LayerDriverChoice } from './types.ts';

const EROFS_MAGIC = 0xe0f5e1e2;

/**
 * The driver for new layers; those that are there keep theirs.
 * @throws EngineError when erofs is asked for by name and this host cannot mount it.
 */
export function chooseDriver(dataRoot: string, wanted: LayerDriverChoice): { driver: LayerDriver; why: string } {
  if (wanted === 'dirs') return { driver: 'dirs', why: 'chosen by --layer-driver' };
  const trouble = probeErofs(dataRoot);
  if (trouble === '')
    return {
      driver: 'erofs',
      why: wanted === 'erofs' ? 'chosen by --layer-driver' : 'this kernel mounts image files, tried at start',
    };
  if (wanted === 'erofs') throw layerErrors.noErofs(dataRoot, trouble);
  return { driver: 'dirs', why: `EROFS images cannot be mounted here: ${trouble}` };
}

/** Where overlayfs finds layers: folders as they are, images mounted once and shared by all containers. */
export class LayerFolders {
  readonly #layersFolder: string;

  constructor(layersFolder: string) {
    this.#layersFolder = layersFolder;
  }

  image(folder: string): string {
    return path.join(this.#layersFolder, folder, IMAGE_NAME);
  }

  /** The folder with the layer's files, mounted where it is an image. @throws SyscallError */
  ready(layer: { driver: LayerDriver; folder: string }): string {
    const target = path.join(this.#layersFolder, layer.folder, 'fs');
    if (layer.driver === 'erofs' && !this.#isMounted(target)) mountImage(this.image(layer.folder), target);
    return target;
  }

  /** Lets go of an image's mount; an overlay that uses it keeps what it needs of it. */
  release(folder: string): void {
    while (unmount(path.join(this.#layersFolder, folder, 'fs'), MNT_DETACH));
  }

  /** Unmounts the images that no overlay needs. */
  releaseAllBut(inUse: ReadonlySet<string>): void {
    for (const folder of readdirSync(this.#layersFolder))
      if (!inUse.has(folder) && this.#isMounted(path.join(this.#layersFolder, folder, 'fs'))) this.release(folder);
  }

  #isMounted(target: string): boolean {
    // A layer that was being made when its maker ended may have no such folder yet.
    return existsSync(target) && statfsSync(target).type >>> 0 === EROFS_MAGIC;
  }

  /** What is wrong with a layer's files. */
  async check(layer: {
    driver: LayerDriver;
    folder: string;
    tarSize?: number | undefined;
  }): Promise<string | undefined> {
    const folder = path.join(this.#layersFolder, layer.folder);
    const fs = await lstat(path.join(folder, 'fs')).catch(() => null);
    if (!fs?.isDirectory()) return `the folder ${folder} is not there`;
    if (layer.driver === 'dirs') return undefined;
    const image = await lstat(this.image(layer.folder)).catch(() => null);
    if (!image) return `${this.image(layer.folder)} is not there`;
    const least = TAR_AT + (layer.tarSize ?? 0);
    return image.size <= least ? `${this.image(layer.folder)} is cut off` : undefined;
  }

  /** Bytes on disk, as du counts them. */
  async diskUsage(folder: string): Promise<number> {
    return diskUsage(path.join(this.#layersFolder, folder));
  }
}

/** Bytes on disk of everything below a folder on one file system, hard links counted once. */
export async function diskUsage(folder: string): Promise<number> {
  const seen = new Set<number>();
  const { dev } = await lstat(folder);
  const walk = async (at: string): Promise<number> => {
    let sum = 0;
    for (const entry of await readdir(at, { withFileTypes: true })) {
      const file = path.join(at, entry.name);
      const stat = await lstat(file).catch(() => null); // gone since the folder was read
      if (!stat || stat.dev !== dev || seen.has(stat.ino)) continue;
      if (stat.nlink > 1 && !stat.isDirectory()) seen.add(stat.ino);
      sum += stat.blocks * 512;
      if (stat.isDirectory()) sum += await walk(file);
    }
    return sum;
  };
  return walk(folder);
}
