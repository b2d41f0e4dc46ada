import type { NetworkManager } from '../../networks/index.ts';
import { readJson } from '../body.ts';
import type { Route } from '../context.ts';
import { filters } from '../query.ts';
import { empty, json } from '../respond.ts';
import { connectBody, createNetworkBody, disconnectBody } from '../schemas/network.ts';

const LIST_FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];
const PRUNE_FILTERS = ['label', 'label!', 'until'];

export function networkRoutes(networks: NetworkManager): Route[] {
  return [
    {
      method: 'GET',
      path: '/networks',
      handler: ({ res, query }) => json(res, 200, networks.list(filters(query, LIST_FILTERS))),
    },
    {
      method: 'POST',
      path: '/networks/create',
      handler: async ({ req, res }) => json(res, 201, await networks.create(await readJson(req, createNetworkBody))),
    },
    {
      method: 'POST',
      path: '/networks/prune',
      handler: async ({ res, query }) => json(res, 200, await networks.prune(filters(query, PRUNE_FILTERS))),
    },
    {
      method: 'GET',
      path: '/networks/:id',
      handler: ({ res, params }) => json(res, 200, networks.inspect(params['id'] as string)),
    },
    {
      method: 'DELETE',
      path: '/networks/:id',
      handler: async ({ res, params }) => {
        await networks.remove(params['id'] as string);
        empty(res, 204);
      },
    },
    {
      method: 'POST',
      path: '/networks/:id/connect',
      handler: async ({ req, res, params }) => {
        const body = await readJson(req, connectBody);
        await networks.connect(params['id'] as string, body.Container, body.EndpointConfig);
        empty(res, 200);
      },
    },
    {
      method: 'POST',
      path: '/networks/:id/disconnect',
      handler: async ({ req, res, params }) => {
        const body = await readJson(req, disconnectBody);
        await networks.disconnect(params['id'] as string, body.Container, body.Force);
        empty(res, 200);
      },
    },
  ];
}
