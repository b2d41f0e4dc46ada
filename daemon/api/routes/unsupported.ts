import { requestErrors } from '../../errors/index.ts';
import type { Handler, Route } from '../context.ts';
import { json } from '../respond.ts';

/** What Docker itself refuses on a node without swarm: clients expect this status and these words (field/engine-api.md section 1.3, P2). */
const SWARM = [
  '/swarm',
  '/swarm/*',
  '/services',
  '/services/*',
  '/tasks',
  '/tasks/*',
  '/nodes',
  '/nodes/*',
  '/secrets',
  '/secrets/*',
  '/configs',
  '/configs/*',
];

/** Parts of the Engine API that galley does not have yet: a clear 501 instead of a 404 that clients read as "no such object". */
const MISSING: readonly (readonly [Route['method'], string, string])[] = [
  ['POST', '/build', 'image build'],
  ['POST', '/build/cancel', 'image build'],
  ['POST', '/session', 'BuildKit session'],
  ['POST', '/grpc', 'BuildKit'],
  ['GET', '/containers/:id/attach/ws', 'attach over websocket'],
  ['GET', '/containers/:id/checkpoints', 'checkpoints'],
  ['POST', '/containers/:id/checkpoints', 'checkpoints'],
  ['POST', '/plugins/*', 'plugins'],
  ['DELETE', '/plugins/*', 'plugins'],
];

export function unsupportedRoutes(): Route[] {
  const refuse: Handler = () => {
    throw requestErrors.notASwarm();
  };
  return [
    ...SWARM.flatMap((path) =>
      (['GET', 'POST', 'DELETE'] as const).map((method): Route => ({ method, path, handler: refuse })),
    ),
    ...MISSING.map(
      ([method, path, what]): Route => ({
        method,
        path,
        handler: () => {
          throw requestErrors.notImplemented(what);
        },
      }),
    ),
    { method: 'GET', path: '/plugins', handler: ({ res }) => json(res, 200, []) },
    // docker system prune calls it whatever there is to prune.
    {
      method: 'POST',
      path: '/build/prune',
      handler: ({ res }) => json(res, 200, { CachesDeleted: null, SpaceReclaimed: 0 }),
    },
  ];
}
