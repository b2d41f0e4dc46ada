import { z } from 'zod';
import { compareVersions, type ProgressMessage, type RegistryAuth } from '../../../src/api/index.ts';
import { EngineError, messageOf, requestErrors } from '../../errors/index.ts';
import type { ImageStore } from '../../images/index.ts';
import type { Context, Route } from '../context.ts';
import { filters, flag } from '../query.ts';
import { empty, json, write } from '../respond.ts';

const LIST_FILTERS = ['before', 'since', 'dangling', 'label', 'label!', 'reference', 'until'];
const PRUNE_FILTERS = ['dangling', 'label', 'label!', 'until'];

const authSchema = z.object({
  username: z.string().optional(),
  password: z.string().optional(),
  serveraddress: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});

/** X-Registry-Auth is base64url JSON; Docker ignores what it cannot decode (field/engine-api.md section 1.1). */
export function decodeRegistryAuth(header: string | string[] | undefined): RegistryAuth | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  try {
    return authSchema.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')));
  } catch {
    return undefined;
  }
}

/** Progress as JSON lines. The header waits for the first one, so that a refusal before any progress keeps its own status. */
async function streamProgress(
  { res, signal }: Context,
  work: (send: (message: ProgressMessage) => void) => Promise<void>,
): Promise<void> {
  let writing: Promise<unknown> = Promise.resolve();
  const start = () => {
    if (!res.headersSent) res.writeHead(200, { 'Content-Type': 'application/json' });
  };
  const send = (message: ProgressMessage) => {
    start();
    writing = write(res, `${JSON.stringify(message)}\r\n`);
  };
  try {
    await work(send);
  } catch (error) {
    if (!res.headersSent || signal.aborted) throw error;
    const message = messageOf(error);
    send({ errorDetail: { message }, error: message });
  }
  start();
  await writing;
  res.end();
}

async function pull(images: ImageStore, context: Context): Promise<void> {
  const { req, query, signal } = context;
  const image = query.get('fromImage');
  if (!image) {
    if (query.get('fromSrc')) throw requestErrors.notImplemented('image import');
    throw new EngineError('invalid', 'missing parameter: fromImage names the image to pull');
  }
  await streamProgress(context, (onProgress) =>
    images.pull({
      image,
      tag: query.get('tag') || undefined,
      platform: query.get('platform') || undefined,
      auth: decodeRegistryAuth(req.headers['x-registry-auth']),
      signal,
      onProgress,
    }),
  );
}

async function push(images: ImageStore, name: string, context: Context): Promise<void> {
  const { req, query, signal } = context;
  await streamProgress(context, (onProgress) =>
    images.push({
      image: name,
      tag: query.get('tag') || undefined,
      auth: decodeRegistryAuth(req.headers['x-registry-auth']),
      signal,
      onProgress,
    }),
  );
}

/** `/images/{name}/verb`, where the name itself may hold slashes. */
function splitName(rest: string): { name: string; verb: string } {
  const at = rest.lastIndexOf('/');
  return at < 0 ? { name: rest, verb: '' } : { name: rest.slice(0, at), verb: rest.slice(at + 1) };
}

export function imageRoutes(images: ImageStore): Route[] {
  return [
    { method: 'POST', path: '/images/create', handler: (context) => pull(images, context) },
    {
      method: 'GET',
      path: '/images/json',
      handler: async ({ res, query, version }) => {
        const list = await images.list({
          all: flag(query, 'all'),
          filters: filters(query, LIST_FILTERS),
          sharedSize: flag(query, 'shared-size'),
        });
        const legacy = compareVersions(version, '1.43') < 0;
        json(
          res,
          200,
          list.map((image) => ({
            ...image,
            ...(legacy && image.RepoTags.length === 0
              ? {
                  RepoTags: ['<none>:<none>'],
                  RepoDigests: image.RepoDigests.length ? image.RepoDigests : ['<none>@<none>'],
                }
              : {}),
            ...(compareVersions(version, '1.44') < 0 ? { VirtualSize: image.Size } : {}),
          })),
        );
      },
    },
    {
      method: 'POST',
      path: '/images/prune',
      handler: async ({ res, query }) => json(res, 200, await images.prune(filters(query, PRUNE_FILTERS))),
    },
    {
      method: 'GET',
      path: '/images/*',
      handler: ({ res, params, version }) => {
        const { name, verb } = splitName(params['*'] as string);
        if (name === '' || !['json', 'history', 'get'].includes(verb)) throw requestErrors.pageNotFound();
        if (verb === 'get') throw requestErrors.notImplemented('image save');
        if (verb === 'history') return json(res, 200, images.history(name));
        const image = images.inspect(name);
        json(res, 200, compareVersions(version, '1.44') < 0 ? { ...image, VirtualSize: image.Size } : image);
      },
    },
    {
      method: 'POST',
      path: '/images/*',
      handler: (context) => {
        const { res, params, query } = context;
        const { name, verb } = splitName(params['*'] as string);
        if (name === '' || !['tag', 'push'].includes(verb)) throw requestErrors.pageNotFound();
        if (verb === 'push') return push(images, name, context);
        images.tag(name, query.get('repo') ?? '', query.get('tag') ?? '');
        empty(res, 201);
      },
    },
    {
      method: 'DELETE',
      path: '/images/*',
      handler: async ({ res, params, query }) =>
        json(
          res,
          200,
          await images.remove(params['*'] as string, { force: flag(query, 'force'), noPrune: flag(query, 'noprune') }),
        ),
    },
  ];
}
