import { compareVersions } from '../../../src/api/index.ts';
import type { VolumeManager } from '../../volumes/index.ts';
import { readJson } from '../body.ts';
import type { Route } from '../context.ts';
import { filters, flag } from '../query.ts';
import { empty, json } from '../respond.ts';
import { createVolumeBody } from '../schemas/network.ts';

const LIST_FILTERS = ['dangling', 'driver', 'label', 'name'];
const PRUNE_FILTERS = ['all', 'label', 'label!'];

export function volumeRoutes(volumes: VolumeManager): Route[] {
  return [
    {
      method: 'GET',
      path: '/volumes',
      handler: ({ res, query }) =>
        json(res, 200, { Volumes: volumes.list(filters(query, LIST_FILTERS)), Warnings: null }),
    },
    {
      method: 'POST',
      path: '/volumes/create',
      handler: async ({ req, res }) =>
        json(res, 201, await volumes.create(await readJson(req, createVolumeBody, true))),
    },
    {
      method: 'POST',
      path: '/volumes/prune',
      handler: async ({ res, query, version }) => {
        const asked = filters(query, PRUNE_FILTERS);
        // Before 1.42 a prune took named volumes too.
        json(res, 200, await volumes.prune(compareVersions(version, '1.42') < 0 ? { ...asked, all: ['true'] } : asked));
      },
    },
    {
      method: 'GET',
      path: '/volumes/:name',
      handler: ({ res, params }) => json(res, 200, volumes.inspect(params['name'] as string)),
    },
    {
      method: 'DELETE',
      path: '/volumes/:name',
      handler: async ({ res, params, query }) => {
        await volumes.remove(params['name'] as string, flag(query, 'force'));
        empty(res, 204);
      },
    },
  ];
}
