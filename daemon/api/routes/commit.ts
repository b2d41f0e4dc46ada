import type { ContainerConfig } from '../../../src/api/index.ts';
import type { ContainerManager } from '../../containers/index.ts';
import { requestErrors } from '../../errors/index.ts';
import { readJson } from '../body.ts';
import type { Route } from '../context.ts';
import { flag } from '../query.ts';
import { json } from '../respond.ts';
import { createContainerBody } from '../schemas/container.ts';

/** POST /commit (field/engine-api.md section 1.3): the body, a Config over the container's own, may be missing. */
export function commitRoutes(containers: ContainerManager): Route[] {
  return [
    {
      method: 'POST',
      path: '/commit',
      handler: async ({ req, res, query, signal }) => {
        const container = query.get('container') ?? '';
        if (container === '') throw requestErrors.emptyParameter('container');
        const given = Number(req.headers['content-length'] ?? 0) > 0 || req.headers['transfer-encoding'] !== undefined;
        const body = given ? await readJson(req, createContainerBody, true) : undefined;
        const config = body && isConfig(body) ? body : undefined;
        json(
          res,
          201,
          await containers.commit(container, {
            repository: query.get('repo') ?? '',
            tag: query.get('tag') ?? '',
            author: query.get('author') ?? '',
            comment: query.get('comment') ?? '',
            pause: flag(query, 'pause', true),
            changes: query.getAll('changes').flatMap((text) => text.split('\n').filter((line) => line.trim() !== '')),
            ...(config ? { config } : {}),
            signal,
          }),
        );
      },
    },
  ];
}

/** The CLI sends `null`, which decodes to nothing but zero values. */
function isConfig(body: ContainerConfig): boolean {
  return Boolean(
    body.Env || body.Cmd || body.Entrypoint || body.Labels || body.User || body.WorkingDir || body.Volumes,
  );
}
