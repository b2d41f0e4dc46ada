/** `galley system fsck`: whether everything that images refer to is here and is what it says (design section 4). */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { familiarString } from '../../src/api/index.ts';
import type { LayerStore } from '../layers/types.ts';
import type { Catalog } from './catalog.ts';
import type { ContentStore } from './content.ts';
import { type LayerFile, layersOf, readRange } from './layer-blobs.ts';

export interface CheckDeps {
  catalog: Catalog;
  content: ContentStore;
  layers: LayerStore;
}

async function digestOf(bytes: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

async function checkTar(range: LayerFile, diffId: string): Promise<string[]> {
  const got = await digestOf(readRange(range));
  return got === diffId ? [] : [`layer ${diffId}: its image file holds ${got}`];
}

/**
 * A line for each fault. `deep` reads and hashes every blob and every image file, else only what is there and its size counts.
 */
export async function checkImages({ catalog, content, layers }: CheckDeps, deep: boolean): Promise<string[]> {
  const faults: string[] = [];
  const seenLayers = new Set<string>();
  const seenBlobs = new Set<string>();
  for (const image of catalog.all()) {
    const name = catalog.referencesOf(image.id).map(familiarString)[0] ?? image.id;
    if (!catalog.blobsOf(image.id).includes(image.id)) faults.push(`image ${name}: its config ${image.id} has no row`);
    for (const { digest, size } of catalog.blobRowsOf(image.id)) {
      if (seenBlobs.has(digest)) continue;
      seenBlobs.add(digest);
      if (!content.has(digest)) faults.push(`image ${name}: blob ${digest} is not on disk`);
      else if (content.size(digest) !== size)
        faults.push(`image ${name}: blob ${digest} has ${content.size(digest)} bytes instead of ${size}`);
      else if (deep) {
        const got = await digestOf(createReadStream(content.file(digest)));
        if (got !== digest) faults.push(`image ${name}: blob ${digest} holds ${got}`);
      }
    }
    for (const { chainId, diffId } of layersOf(image)) {
      if (seenLayers.has(chainId)) continue;
      seenLayers.add(chainId);
      if (!layers.get(chainId)) {
        faults.push(`image ${name}: layer ${diffId} is not unpacked`);
        continue;
      }
      const fault = await layers.check(chainId);
      if (fault) faults.push(`image ${name}: layer ${diffId}: ${fault}`);
      const range = layers.tar(chainId);
      if (!fault && deep && range) faults.push(...(await checkTar(range, diffId)));
    }
  }
  return faults;
}
