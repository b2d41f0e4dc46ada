import type { ContainerSummary, ImageSummary, Volume } from '../../../src/api/index.ts';
import { requestErrors } from '../../errors/index.ts';
import type { Route } from '../context.ts';
import { json } from '../respond.ts';

/** What `docker system df` asks for; the shapes are those of the domains. */
export interface DiskUsageSources {
  images(): Promise<ImageSummary[]>;
  /** With sizes. */
  containers(): Promise<ContainerSummary[]>;
  volumes(): Volume[];
  volumeSize(name: string): Promise<number>;
  volumeUsers(name: string): string[];
  /** Bytes of all layers, each counted once however many images share it. */
  layersSize(): number;
}

const TYPES = ['container', 'image', 'volume', 'build-cache'];

/** GET /system/df (Engine API 1.51): sizes are looked up when asked for, never guessed. */
export function diskUsageRoutes(sources: DiskUsageSources): Route[] {
  return [
    {
      method: 'GET',
      path: '/system/df',
      handler: async ({ res, query }) => {
        const asked = query.getAll('type');
        for (const type of asked) if (!TYPES.includes(type)) throw requestErrors.unknownObjectType(type);
        const wants = (type: string) => asked.length === 0 || asked.includes(type);
        const containers = await sources.containers();
        const users = new Map<string, number>();
        for (const { ImageID } of containers) users.set(ImageID, (users.get(ImageID) ?? 0) + 1);
        const [Images, Volumes] = await Promise.all([
          wants('image') ? sources.images() : null,
          wants('volume')
            ? Promise.all(
                sources.volumes().map(async (volume) => ({
                  ...volume,
                  UsageData: {
                    Size: await sources.volumeSize(volume.Name),
                    RefCount: sources.volumeUsers(volume.Name).length,
                  },
                })),
              )
            : null,
        ]);
        json(res, 200, {
          ...(Images
            ? {
                LayersSize: sources.layersSize(),
                Images: Images.map((image) => ({ ...image, Containers: users.get(image.Id) ?? 0 })),
              }
            : {}),
          ...(wants('container') ? { Containers: containers } : {}),
          ...(Volumes ? { Volumes } : {}),
          ...(wants('build-cache') ? { BuildCache: [], BuilderSize: 0 } : {}),
        });
      },
    },
  ];
}
