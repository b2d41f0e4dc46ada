/** The public face of images: a store that pulls, names, shows and removes them. */
import path from 'node:path';
import { familiarString } from '../../src/api/index.ts';
import { imageErrors } from '../errors/images.ts';
import type { LayerStore } from '../layers/types.ts';
import type { Database, Leases } from '../state/index.ts';
import type { Log } from '../system/log.ts';
import { TokenStore } from './auth.ts';
import { Catalog, parse } from './catalog.ts';
import { checkImages } from './check.ts';
import { chainIds } from './config.ts';
import { ContentStore } from './content.ts';
import { createCollector } from './garbage.ts';
import { RegistryHttp } from './http.ts';
import { load } from './load.ts';
import { commit, importTar } from './make.ts';
import { pull } from './pull.ts';
import { push } from './push.ts';
import { pruneImages, removeImage } from './remove.ts';
import { save } from './save.ts';
import { distributionInspect, search } from './search.ts';
import { TRANSFER_DEFAULTS, type TransferSettings, Transfers } from './transfers.ts';
import type { ImageEventSink, ImageStore, ImageUsers } from './types.ts';
import { imageHistory, inspectImage, listImages } from './views.ts';

export type { ImageEventSink, ImageStore, ImageUsers, PullRequest, ResolvedImage } from './types.ts';

export interface ImageStoreDeps {
  db: Database;
  leases: Leases;
  layers: LayerStore;
  dataRoot: string;
  users: ImageUsers;
  publish: ImageEventSink;
  /** `http(s)://host[:port]`, asked in this order for docker.io. */
  mirrors: readonly string[];
  /** `host[:port]` or CIDR; loopback is always among them. */
  insecureRegistries: readonly string[];
  log: Log;
  transfers?: Partial<TransferSettings>;
  /** False: the compressed blob of a pulled layer goes where its image file gives the tar back; a push compresses it anew. Default true. */
  keepBlobs?: boolean;
}

/** Opens the image store below `dataRoot`; nothing is fetched or removed until it is asked to. */
export function createImageStore(deps: ImageStoreDeps): ImageStore {
  const { db, leases, layers, dataRoot, users, publish, log } = deps;
  const content = new ContentStore(dataRoot);
  const catalog = new Catalog(db);
  const transfers = new Transfers(content, { ...TRANSFER_DEFAULTS, ...deps.transfers });
  const http = new RegistryHttp(deps.insecureRegistries, transfers.settings.stallMs);
  const tokens = new TokenStore(http);
  const collect = createCollector({ catalog, content, layers, leases, transfers });
  const { keepBlobs = true } = deps;
  const pullDeps = {
    keepBlobs,
    http,
    tokens,
    leases,
    layers,
    content,
    catalog,
    transfers,
    mirrors: deps.mirrors,
    publish,
    log,
  };
  const pushDeps = { http, tokens, leases, layers, content, catalog, settings: transfers.settings, publish };
  const makeDeps = { catalog, content, layers, leases, publish };
  const removeDeps = { catalog, users, publish, collect };
  const views = { catalog, layers };

  return {
    pull: (request) => pull(pullDeps, request),
    push: (request) => push(pushDeps, request),
    save: (names) => save(makeDeps, names),
    load: (archive, request) => load(makeDeps, archive, request),
    importTar: (tar, request) => importTar(makeDeps, tar, request),
    async download(url, signal) {
      const { origin, pathname, search: query } = new URL(url);
      const answer = await http.send(origin, pathname + query, { method: 'GET', headers: {}, signal });
      if (answer.status === 200) return answer.body;
      answer.body.on('error', () => {}).destroy();
      throw imageErrors.badAnswer(url, answer.status, '');
    },
    commit: (request) => commit(makeDeps, request),
    search: (request) => search({ http, tokens }, request),
    distribution: (name, auth, signal) => distributionInspect({ http, tokens }, name, auth, signal),

    resolve(reference) {
      const image = catalog.find(reference);
      if (!image) return undefined;
      const { config } = image;
      return {
        id: image.id,
        config: config.config ?? {},
        os: config.os,
        architecture: config.architecture,
        ...(config.variant ? { variant: config.variant } : {}),
        chainId: chainIds(config.rootfs.diff_ids ?? []).at(-1) ?? null,
      };
    },

    list: async ({ filters, sharedSize }) => listImages(views, filters, sharedSize),
    inspect: (reference) => inspectImage(views, catalog.need(reference), path.join(dataRoot, 'layers')),
    history: (reference) => imageHistory(views, catalog.need(reference)),

    tag(source, repository, tag) {
      const image = catalog.need(source);
      const named = parse(repository);
      if (named.digest !== undefined) throw imageErrors.tagDigest();
      if (repository === 'sha256') throw imageErrors.tagAlgorithm();
      const reference = parse(`${named.name}:${tag || named.tag || 'latest'}`);
      catalog.tag(image.id, reference);
      publish('tag', image.id, { ...(image.config.config?.Labels ?? {}), name: familiarString(reference) });
    },

    remove: (reference, { force }) => removeImage(removeDeps, reference, force),
    prune: (filters) => pruneImages(removeDeps, filters),
    check: (deep) => checkImages({ catalog, content, layers }, deep),
    count: () => catalog.size,
    collectGarbage: async () => (await collect()).bytes,

    async close() {
      await http.close();
      await transfers.settle();
    },
  };
}
