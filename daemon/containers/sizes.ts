import type { ContainerSummary } from '../../src/api/index.ts';
import type { Core } from './core.ts';

/** Bytes in the writable layer, and with the image's layers below it. */
export async function sizesOf(core: Core, id: string): Promise<Pick<ContainerSummary, 'SizeRw' | 'SizeRootFs'>> {
  const SizeRw = await core.deps.layers.rootSize(id);
  let below = 0;
  const chain = core.deps.images.resolve(core.store.get(id)?.record.imageId ?? '')?.chainId ?? null;
  for (let at = chain; at !== null; at = core.deps.layers.get(at)?.parent ?? null)
    below += core.deps.layers.get(at)?.size ?? 0;
  return { SizeRw, SizeRootFs: SizeRw + below };
}
