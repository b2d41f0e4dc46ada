import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { ContainerManager } from '../../containers/index.ts';
import { requestErrors } from '../../errors/index.ts';
import type { Context, Route } from '../context.ts';
import { flag } from '../query.ts';
import { empty } from '../respond.ts';

type Packed = Awaited<ReturnType<ContainerManager['pack']>>;

function pathOf({ query }: Context): string {
  const path = query.get('path') ?? '';
  if (path === '') throw requestErrors.emptyParameter('path');
  return path;
}

function setStat(res: ServerResponse, stat: NonNullable<Packed['stat']>): void {
  res.setHeader('X-Docker-Container-Path-Stat', Buffer.from(JSON.stringify(stat)).toString('base64'));
}

/** The tar as it comes; a copy that fails half-way breaks the connection, so that nobody takes the half for the whole. */
async function send({ res }: Context, { stat, tar }: Packed): Promise<void> {
  if (stat) setStat(res, stat);
  res.writeHead(200, { 'Content-Type': stat ? 'application/x-tar' : 'application/octet-stream' });
  res.flushHeaders();
  await pipeline(tar, res);
}

/** docker cp and docker export (field/engine-api.md section 1.3). */
export function archiveRoutes(containers: ContainerManager): Route[] {
  const id = (context: Context) => context.params['id'] as string;
  return [
    {
      method: 'HEAD',
      path: '/containers/:id/archive',
      handler: async (context) => {
        setStat(context.res, await containers.statPath(id(context), pathOf(context)));
        empty(context.res, 200);
      },
    },
    {
      method: 'GET',
      path: '/containers/:id/archive',
      handler: async (context) => send(context, await containers.pack(id(context), pathOf(context))),
    },
    {
      method: 'PUT',
      path: '/containers/:id/archive',
      handler: async (context) => {
        await containers.extract(id(context), pathOf(context), context.req, {
          noOverwriteDirNonDir: flag(context.query, 'noOverwriteDirNonDir'),
          copyUidGid: flag(context.query, 'copyUIDGID'),
        });
        empty(context.res, 200);
      },
    },
    {
      method: 'GET',
      path: '/containers/:id/export',
      handler: async (context) => send(context, await containers.pack(id(context), null)),
    },
  ];
}
