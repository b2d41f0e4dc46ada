import { compareVersions } from '../../../src/api/index.ts';
import { EngineError, requestErrors } from '../../errors/index.ts';
import type { ImageStore } from '../../images/index.ts';
import type { Route } from '../context.ts';
import { filters, flag, integer } from '../query.ts';
import { empty, json } from '../respond.ts';
import { decodeRegistryAuth, load, pull, push, save } from './image-transfers.ts';

const LIST_FILTERS = ['before', 'since', 'dangling', 'label', 'label!', 'reference', 'until'];
const PRUNE_FILTERS = ['dangling', 'label', 'label!', 'until'];

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
    { method: 'POST', path: '/images/load', handler: (context) => load(images, context) },
    {
      method: 'GET',
      path: '/images/get',
      handler: (context) => {
        const names = context.query.getAll('names').flatMap((name) => name.split(','));
        if (names.length === 0) throw new EngineError('invalid', 'missing parameter: names says which images to save');
        return save(images, names, context);
      },
    },
    {
      method: 'GET',
      path: '/images/search',
      handler: async ({ req, res, query, signal }) => {
        const term = query.get('term');
        if (!term) throw new EngineError('invalid', 'missing parameter: term says what to search for');
        const request = {
          term,
          limit: integer(query, 'limit', 25),
          filters: filters(query, ['is-automated', 'is-official', 'stars']),
          auth: decodeRegistryAuth(req.headers['x-registry-auth']),
          signal,
        };
        json(res, 200, await images.search(request));
      },
    },
    {
      method: 'GET',
      path: '/distribution/*',
      handler: async ({ req, res, params, signal }) => {
        const { name, verb } = splitName(params['*'] as string);
        if (name === '' || verb !== 'json') throw requestErrors.pageNotFound();
        json(res, 200, await images.distribution(name, decodeRegistryAuth(req.headers['x-registry-auth']), signal));
      },
    },
    {
      method: 'GET',
      path: '/galley/v1/fsck',
      handler: async ({ res, query }) => json(res, 200, { Faults: await images.check(flag(query, 'deep')) }),
    },
    {
      method: 'POST',
      path: '/images/prune',
      handler: async ({ res, query }) => json(res, 200, await images.prune(filters(query, PRUNE_FILTERS))),
    },
    {
      method: 'GET',
      path: '/images/*',
      handler: (context) => {
        const { res, params, version } = context;
        const { name, verb } = splitName(params['*'] as string);
        if (name === '' || !['json', 'history', 'get'].includes(verb)) throw requestErrors.pageNotFound();
        if (verb === 'get') return save(images, [name], context);
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
