import type { ContainerManager } from '../../containers/index.ts';
import { readJson, readUpgradeJson } from '../body.ts';
import type { Context, Route } from '../context.ts';
import { hijack } from '../hijack.ts';
import { integer } from '../query.ts';
import { empty, json } from '../respond.ts';
import { createExecBody, startExecBody } from '../schemas/container.ts';

const UINT32 = 2 ** 32 - 1;

async function start(containers: ContainerManager, context: Context): Promise<void> {
  const { req, res, params, upgrade } = context;
  const body = upgrade ? await readUpgradeJson(req, upgrade, startExecBody) : await readJson(req, startExecBody, true);
  const session = await containers.startExec(params['id'] as string, body);
  if (body.Detach) {
    await session.runDetached();
    empty(res, 200);
    return;
  }
  await hijack(context, session);
}

export function execRoutes(containers: ContainerManager): Route[] {
  return [
    {
      method: 'POST',
      path: '/containers/:id/exec',
      handler: async ({ req, res, params }) =>
        json(res, 201, await containers.createExec(params['id'] as string, await readJson(req, createExecBody))),
    },
    { method: 'POST', path: '/exec/:id/start', hijacks: true, handler: (context) => start(containers, context) },
    {
      method: 'POST',
      path: '/exec/:id/resize',
      handler: async ({ res, params, query }) => {
        await containers.resizeExec(
          params['id'] as string,
          integer(query, 'h', 0, 0, UINT32),
          integer(query, 'w', 0, 0, UINT32),
        );
        empty(res, 200);
      },
    },
    {
      method: 'GET',
      path: '/exec/:id/json',
      handler: ({ res, params }) => json(res, 200, containers.inspectExec(params['id'] as string)),
    },
  ];
}
