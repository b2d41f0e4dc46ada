import { compareVersions, encodeFrames, MULTIPLEXED, RAW_STREAM } from '../../../src/api/index.ts';
import { CONTAINER_FILTERS, type ContainerManager, PRUNE_FILTERS } from '../../containers/index.ts';
import { EngineError, requestErrors } from '../../errors/index.ts';
import { readJson } from '../body.ts';
import type { Context, Route } from '../context.ts';
import { hijack } from '../hijack.ts';
import { filters, flag, integer, timestamp } from '../query.ts';
import { empty, json, write } from '../respond.ts';
import { createContainerBody, updateBody } from '../schemas/container.ts';

const UINT32 = 2 ** 32 - 1;

/** `signal` and `t` of stop and restart. -1 waits for ever. */
function stopOptions(query: URLSearchParams): { signal?: string; timeout?: number } {
  const signal = query.get('signal');
  return {
    ...(signal ? { signal } : {}),
    ...(query.get('t') ? { timeout: integer(query, 't', 0, -1) } : {}),
  };
}

function tail(query: URLSearchParams): number {
  const text = query.get('tail');
  // Docker takes anything that is no number for "all".
  return text === null || !/^\d+$/.test(text) ? -1 : Number(text);
}

async function streamLogs(
  containers: ContainerManager,
  { res, params, query, version, signal }: Context,
): Promise<void> {
  const stdout = flag(query, 'stdout');
  const stderr = flag(query, 'stderr');
  if (!stdout && !stderr) throw new EngineError('invalid', 'Bad parameters: you must choose at least one stream');
  const logs = await containers.logs(params['id'] as string, {
    stdout,
    stderr,
    follow: flag(query, 'follow'),
    since: timestamp(query, 'since') ?? 0n,
    until: timestamp(query, 'until') ?? 0n,
    timestamps: flag(query, 'timestamps'),
    details: flag(query, 'details'),
    tail: tail(query),
  });
  const multiplexed = !logs.tty;
  res.writeHead(200, {
    'Content-Type': multiplexed && compareVersions(version, '1.42') >= 0 ? MULTIPLEXED : RAW_STREAM,
  });
  res.flushHeaders();
  await logs.run(async (stream, data) => {
    await write(res, multiplexed ? encodeFrames(stream, data) : data);
  }, signal);
  res.end();
}

async function streamStats(containers: ContainerManager, { res, params, query, signal }: Context): Promise<void> {
  const stream = flag(query, 'stream', true);
  // An unknown container must be a 404, so the header goes out with the first sample.
  await containers.stats(
    params['id'] as string,
    { stream, oneShot: flag(query, 'one-shot'), signal },
    async (sample) => {
      if (!res.headersSent) res.writeHead(200, { 'Content-Type': 'application/json' });
      await write(res, `${JSON.stringify(sample)}\n`);
    },
  );
  res.end();
}

async function wait(containers: ContainerManager, { res, params, query, signal }: Context): Promise<void> {
  const condition = query.get('condition') || 'not-running';
  if (condition !== 'not-running' && condition !== 'next-exit' && condition !== 'removed')
    throw new EngineError('invalid', `invalid condition: "${condition}"`);
  const { result } = containers.wait(params['id'] as string, { condition, signal });
  result.catch(() => {}); // told below; a rejection before the header is flushed must not end the process
  res.writeHead(200, { 'Content-Type': 'application/json' });
  // docker run waits for this header before it starts the container (field/engine-api.md section 0.1).
  res.flushHeaders();
  const outcome = await result;
  if (!signal.aborted) res.end(`${JSON.stringify(outcome)}\n`);
}

export function containerRoutes(containers: ContainerManager): Route[] {
  const id = (context: Context) => context.params['id'] as string;
  return [
    {
      method: 'GET',
      path: '/containers/json',
      handler: async ({ res, query }) => {
        const limit = integer(query, 'limit', -1);
        json(
          res,
          200,
          await containers.list({
            all: flag(query, 'all') || limit > 0,
            limit: Math.max(limit, 0),
            size: flag(query, 'size'),
            filters: filters(query, CONTAINER_FILTERS),
          }),
        );
      },
    },
    {
      method: 'POST',
      path: '/containers/create',
      handler: async ({ req, res, query }) => {
        const body = await readJson(req, createContainerBody);
        json(res, 201, await containers.create(query.get('name') ?? '', query.get('platform') || undefined, body));
      },
    },
    {
      method: 'POST',
      path: '/containers/prune',
      handler: async ({ res, query }) => json(res, 200, await containers.prune(filters(query, PRUNE_FILTERS))),
    },
    {
      method: 'GET',
      path: '/containers/:id/json',
      handler: async (c) => json(c.res, 200, await containers.inspect(id(c), { size: flag(c.query, 'size') })),
    },
    {
      method: 'POST',
      path: '/containers/:id/start',
      handler: async (c) => {
        if (Number(c.req.headers['content-length'] ?? 0) > 7)
          throw new EngineError(
            'invalid',
            'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
          );
        await containers.start(id(c), c.query.get('detachKeys') ?? undefined);
        empty(c.res, 204);
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/stop',
      handler: async (c) => {
        await containers.stop(id(c), stopOptions(c.query));
        empty(c.res, 204);
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/restart',
      handler: async (c) => {
        await containers.restart(id(c), stopOptions(c.query));
        empty(c.res, 204);
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/kill',
      handler: async (c) => {
        await containers.kill(id(c), c.query.get('signal') || 'KILL');
        empty(c.res, 204);
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/pause',
      handler: async (c) => {
        await containers.pause(id(c));
        empty(c.res, 204);
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/unpause',
      handler: async (c) => {
        await containers.unpause(id(c));
        empty(c.res, 204);
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/rename',
      handler: async (c) => {
        await containers.rename(id(c), c.query.get('name') ?? '');
        empty(c.res, 204);
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/update',
      handler: async (c) => json(c.res, 200, await containers.update(id(c), await readJson(c.req, updateBody))),
    },
    { method: 'POST', path: '/containers/:id/wait', handler: (c) => wait(containers, c) },
    {
      method: 'POST',
      path: '/containers/:id/resize',
      handler: async (c) => {
        await containers.resize(id(c), integer(c.query, 'h', 0, 0, UINT32), integer(c.query, 'w', 0, 0, UINT32));
        empty(c.res, 200);
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/attach',
      hijacks: true,
      handler: async (c) => {
        const { query } = c;
        await hijack(
          c,
          await containers.attach(id(c), {
            logs: flag(query, 'logs'),
            stream: flag(query, 'stream'),
            stdin: flag(query, 'stdin'),
            stdout: flag(query, 'stdout'),
            stderr: flag(query, 'stderr'),
            detachKeys: query.get('detachKeys') ?? '',
          }),
        );
      },
    },
    { method: 'GET', path: '/containers/:id/logs', handler: (c) => streamLogs(containers, c) },
    { method: 'GET', path: '/containers/:id/stats', handler: (c) => streamStats(containers, c) },
    {
      method: 'GET',
      path: '/containers/:id/top',
      handler: async (c) => json(c.res, 200, await containers.top(id(c), c.query.get('ps_args') ?? '')),
    },
    {
      method: 'GET',
      path: '/containers/:id/changes',
      handler: async (c) => json(c.res, 200, await containers.changes(id(c))),
    },
    {
      method: 'DELETE',
      path: '/containers/:id',
      handler: async (c) => {
        if (flag(c.query, 'link')) throw requestErrors.notImplemented('removing a link');
        await containers.remove(id(c), { force: flag(c.query, 'force'), volumes: flag(c.query, 'v'), link: false });
        empty(c.res, 204);
      },
    },
  ];
}
