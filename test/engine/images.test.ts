/** The image store against Debian's docker-registry and real layers (needs root: overlayfs, device nodes, trusted xattrs). */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createImageStore, type ImageStore } from '../../daemon/images/index.ts';
import { createLayerStore, type LayerStore } from '../../daemon/layers/index.ts';
import { Database, Leases } from '../../daemon/state/index.ts';
import { createLog } from '../../daemon/system/log.ts';
import type { ProgressMessage, RegistryAuth } from '../../src/api/index.ts';
import { isRoot } from '../fixtures/engine.ts';
import {
  busyboxImage,
  busyboxIndex,
  busyboxWith,
  busyboxZstdImage,
  nginxImage,
  pushImage,
  settingsImage,
} from '../fixtures/images.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';

interface Event {
  action: string;
  id: string;
  attributes: Record<string, string>;
}

describe.skipIf(!isRoot)('images from a real registry (needs root)', () => {
  let registry: Registry;
  let folder: string;
  let db: Database;
  let layers: LayerStore;
  let images: ImageStore;
  let events: Event[];
  let users: { id: string; imageId: string; running: boolean }[];

  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry?.stop());

  const open = (mirrors: string[] = [], keepBlobs = true) => {
    db = new Database(path.join(folder, 'galley.db'));
    const log = createLog('error');
    layers = createLayerStore({ db, dataRoot: folder, log });
    images = createImageStore({
      db,
      leases: new Leases(db),
      layers,
      dataRoot: folder,
      users: { usersOf: (id) => users.filter((user) => user.imageId === id) },
      publish: (action, id, attributes) => events.push({ action, id, attributes }),
      mirrors,
      insecureRegistries: [],
      log,
      transfers: { retryDelayMs: 10 },
      keepBlobs,
    });
  };
  const close = async () => {
    await images.close();
    await layers.close();
    db.close();
  };
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'galley-images-'));
    events = [];
    users = [];
    open();
  });
  afterEach(async () => {
    for (const id of await layers.roots()) await layers.removeRoot(id);
    await close();
    rmSync(folder, { recursive: true, force: true });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(folder);
  });

  async function pull(
    image: string,
    options: { tag?: string; platform?: string; auth?: RegistryAuth; signal?: AbortSignal } = {},
  ): Promise<ProgressMessage[]> {
    const lines: ProgressMessage[] = [];
    const signal = options.signal ?? new AbortController().signal;
    await images.pull({
      image,
      tag: options.tag ?? 'latest',
      platform: options.platform,
      auth: options.auth,
      signal,
      onProgress: (line) => lines.push(line),
    });
    return lines;
  }
  const blobs = () => readdirSync(path.join(folder, 'content/blobs/sha256'));
  const partials = () => readdirSync(path.join(folder, 'content/ingest'));
  const layerFolders = () => readdirSync(path.join(folder, 'layers'));
  const statuses = (lines: ProgressMessage[]) => lines.map((line) => line.status);

  it('pulls busybox, tells it as Docker does, and a second pull finds it up to date', async () => {
    const image = await busyboxImage();
    const name = await pushImage(registry, 'library/busybox:latest', image);
    const repository = `${registry.host}/library/busybox`;
    const lines = await pull(repository);
    expect(lines[0]).toEqual({ status: 'Pulling from library/busybox', id: 'latest' });
    const id = (image.blobs[1]?.digest ?? '').slice(7, 19);
    expect(statuses(lines.filter((line) => line.id === id))).toEqual(
      expect.arrayContaining([
        'Pulling fs layer',
        'Downloading',
        'Verifying Checksum',
        'Download complete',
        'Extracting',
        'Pull complete',
      ]),
    );
    expect(statuses(lines).slice(-2)).toEqual([
      `Digest: ${image.digest}`,
      `Status: Downloaded newer image for ${name}`,
    ]);
    expect(events).toEqual([{ action: 'pull', id: name, attributes: { name: repository } }]);

    const resolved = images.resolve(repository);
    expect(resolved).toMatchObject({
      id: image.imageId,
      os: 'linux',
      chainId: image.diffIds[0],
      config: { Cmd: ['sh'] },
    });
    for (const text of [
      name,
      image.imageId,
      image.imageId.slice(7),
      image.imageId.slice(7, 19),
      `${repository}@${image.digest}`,
    ])
      expect(images.resolve(text)?.id).toBe(image.imageId);
    expect(images.inspect(name)).toMatchObject({
      Id: image.imageId,
      RepoTags: [name],
      RepoDigests: [`${repository}@${image.digest}`],
    });

    const again = await pull(repository);
    expect(statuses(again)).toContain('Already exists');
    expect(statuses(again).at(-1)).toBe(`Status: Image is up to date for ${name}`);
    expect(images.count()).toBe(1);
  });

  it('survives a restart: the same image from the rows on disk', async () => {
    const image = await settingsImage();
    const name = await pushImage(registry, 'settings:v1', image);
    await pull(`${registry.host}/settings`, { tag: 'v1' });
    await close();
    open();
    expect(images.resolve(name)).toMatchObject({
      id: image.imageId,
      config: { User: 'cook', Labels: { 'org.galley.test': 'settings' } },
    });
    expect(await images.collectGarbage()).toBe(0);
    const history = images.history(name);
    expect(history).toHaveLength(2);
    expect(history[0]).toMatchObject({ Id: image.imageId, Tags: [name] });
    expect(history[1]).toMatchObject({ Id: '<missing>', Tags: null });
  });

  it('unpacks four layers into a root where whiteouts hide files', async () => {
    const name = await pushImage(registry, 'nginx', await nginxImage());
    await pull(`${registry.host}/nginx`);
    const image = images.resolve(name);
    await layers.createRoot('c1', image?.chainId ?? null);
    const root = await layers.mountRoot('c1');
    expect(existsSync(path.join(root, 'usr/sbin/nginx'))).toBe(true);
    expect(readFileSync(path.join(root, 'usr/share/nginx/html/index.html'), 'utf8')).toContain('galley');
    expect(existsSync(path.join(root, 'usr/share/nginx/html/stale.html'))).toBe(false);
    expect(existsSync(path.join(root, '.dockerenv'))).toBe(true);
    // While a root stands on them the layers stay, whatever becomes of the image.
    await images.remove(name, { force: true, noPrune: false });
    expect(await layers.changes('c1')).toEqual([]);
    expect(existsSync(path.join(root, 'usr/sbin/nginx'))).toBe(true);
    await layers.removeRoot('c1');
    await images.collectGarbage();
    expect(layers.all()).toEqual([]);
    expect(layerFolders()).toEqual([]);
    expect(blobs()).toEqual([]);
  });

  it.each(['docker', 'oci'] as const)('chooses this platform from a %s index, or the one asked for', async (format) => {
    const index = await busyboxIndex(format);
    const name = await pushImage(registry, `index-${format}`, index);
    await pull(`${registry.host}/index-${format}`);
    expect(images.resolve(name)?.id).toBe(index.imageId);
    expect(images.inspect(name).RepoDigests).toEqual([`${registry.host}/index-${format}@${index.digest}`]);
    const foreign = index.children.find((child) => child.imageId !== index.imageId);
    await pull(`${registry.host}/index-${format}`, { platform: 'linux/s390x' });
    expect(images.resolve(name)?.id).toBe(foreign?.imageId);
    await expect(pull(`${registry.host}/index-${format}`, { platform: 'linux/mips' })).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining('no matching manifest for linux/mips in the manifest list entries'),
    });
  });

  it('takes zstd and plain layers, and a pull by digest', async () => {
    const zstd = await busyboxZstdImage();
    await pushImage(registry, 'zstd', zstd);
    await pull(`${registry.host}/zstd`, { tag: zstd.digest });
    expect(images.resolve(`${registry.host}/zstd@${zstd.digest}`)?.id).toBe(zstd.imageId);
    expect(images.inspect(zstd.imageId).RepoTags).toEqual([]);
    const plain = await busyboxImage({ name: 'busybox-plain', format: 'oci', compression: 'none' });
    await pushImage(registry, 'plain', plain);
    await pull(`${registry.host}/plain`);
    expect(images.resolve(plain.imageId)?.chainId).toBe(plain.diffIds[0]);
  });

  it('pulls docker.io through a mirror, and passes over one that is down', async () => {
    await close();
    open(['http://127.0.0.1:1', registry.url]);
    const image = await busyboxImage();
    await pushImage(registry, 'library/busybox:latest', image);
    const lines = await pull('busybox');
    expect(statuses(lines).at(-1)).toBe('Status: Downloaded newer image for busybox:latest');
    expect(images.resolve('busybox')?.id).toBe(image.imageId);
    expect(images.inspect('docker.io/library/busybox').RepoTags).toEqual(['busybox:latest']);
  });

  it('pulls every tag when none is named', async () => {
    const image = await busyboxImage();
    for (const tag of ['a', 'b']) await pushImage(registry, `tags:${tag}`, image);
    await images.pull({
      image: `${registry.host}/tags`,
      tag: undefined,
      platform: undefined,
      auth: undefined,
      signal: new AbortController().signal,
      onProgress: () => {},
    });
    expect(images.inspect(image.imageId).RepoTags).toEqual([`${registry.host}/tags:a`, `${registry.host}/tags:b`]);
  });

  it('keeps no compressed layers when told so, and still gives the image away', async () => {
    await close();
    open([], false);
    const image = await nginxImage();
    const name = await pushImage(registry, 'spared', image);
    await pull(`${registry.host}/spared`);
    if (layers.all().some((layer) => layer.driver !== 'erofs')) return; // folders give no tar back: their blobs stay
    expect(blobs().sort()).toEqual([image.imageId.slice(7), image.digest.slice(7)].sort());
    expect(await images.check(true)).toEqual([]);
    expect(statuses(await pull(`${registry.host}/spared`)).at(-1)).toBe(`Status: Image is up to date for ${name}`);
    images.tag(name, `${registry.host}/spared-again`, 'latest');
    const { signal } = new AbortController();
    await images.push({
      image: `${registry.host}/spared-again`,
      tag: 'latest',
      auth: undefined,
      signal,
      onProgress: () => {},
    });
    await images.remove(name, { force: true, noPrune: false });
    await images.remove(`${registry.host}/spared-again`, { force: true, noPrune: false });
    expect(blobs()).toEqual([]);
    await pull(`${registry.host}/spared-again`);
    expect(images.resolve(`${registry.host}/spared-again`)?.id).toBe(image.imageId);
  });

  it('two pulls of the same image share their transfers', async () => {
    await pushImage(registry, 'shared', await nginxImage());
    await Promise.all([
      pull(`${registry.host}/shared`),
      pull(`${registry.host}/shared`),
      pull(`${registry.host}/shared`),
    ]);
    expect(images.count()).toBe(1);
    expect(layers.all()).toHaveLength(4);
    expect(layerFolders()).toHaveLength(4);
    expect(partials()).toEqual([]);
  });

  it('tells what is wrong in words Docker users know, and leaves nothing', async () => {
    await pushImage(registry, 'here', await busyboxImage());
    await expect(pull(`${registry.host}/here`, { tag: 'no' })).rejects.toMatchObject({
      status: 404,
      message: `manifest for ${registry.host}/here:no not found: manifest unknown: manifest unknown`,
    });
    await expect(pull(`${registry.host}/absent`)).rejects.toMatchObject({ status: 404 });
    await expect(pull('127.0.0.1:1/x')).rejects.toMatchObject({
      status: 500,
      message: 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    });
    await expect(pull('Upper')).rejects.toMatchObject({
      status: 400,
      message: 'invalid reference format: repository name (library/Upper) must be lowercase',
    });
    expect(() => images.inspect('nothing')).toThrow('No such image: nothing:latest');
    expect(blobs()).toEqual([]);
    expect(layerFolders()).toEqual([]);
  });

  it('refuses a blob that is not what its digest says', async () => {
    const image = await busyboxWith('damaged', {}, [(root) => writeFileSync(path.join(root, 'x'), 'damage me\n')]);
    await pushImage(registry, 'damaged', image);
    const hex = (image.blobs.at(-1)?.digest ?? '').slice(7);
    const file = path.join(registry.storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
    const bytes = readFileSync(file);
    bytes[20] = (bytes[20] as number) ^ 0xff;
    writeFileSync(file, bytes);
    await expect(pull(`${registry.host}/damaged`)).rejects.toThrow(
      /filesystem layer verification failed for digest sha256:/,
    );
    expect(images.count()).toBe(0);
    await images.collectGarbage();
    expect(layers.all()).toEqual([]);
    expect(layerFolders()).toEqual([]);
    // A good layer that the failure cut short may stay for resuming; of the damaged one nothing does.
    expect(partials()).not.toContain(hex);
  });

  it('asks for credentials where the registry wants them', async () => {
    const auth = { username: 'cook', password: 'salt' };
    const locked = await startRegistry({ auth });
    try {
      const image = await busyboxImage();
      const name = await pushImage(locked, 'secret', image);
      await expect(pull(`${locked.host}/secret`)).rejects.toThrow('no basic auth credentials');
      await expect(pull(`${locked.host}/secret`, { auth: { username: 'cook', password: 'pepper' } })).rejects.toThrow(
        /pull access denied|unauthorized/,
      );
      await pull(`${locked.host}/secret`, { auth });
      expect(images.resolve(name)?.id).toBe(image.imageId);
    } finally {
      await locked.stop();
    }
  });

  it('speaks TLS first, also with a certificate that nobody vouches for on loopback', async () => {
    const secure = await startRegistry({ tls: true });
    try {
      const image = await busyboxImage();
      const name = await pushImage(secure, 'tls', image);
      await pull(`${secure.host}/tls`);
      expect(images.resolve(name)?.id).toBe(image.imageId);
    } finally {
      await secure.stop();
    }
  });

  it('a root that no container has goes at boot, with its row, so that nothing holds its layers', async () => {
    const name = await pushImage(registry, 'orphan', await busyboxImage());
    await pull(`${registry.host}/orphan`);
    await layers.createRoot('kept', images.resolve(name)?.chainId ?? null);
    await layers.createRoot('orphan', images.resolve(name)?.chainId ?? null);
    await layers.mountRoot('orphan');
    rmSync(path.join(folder, 'roots/kept'), { recursive: true }); // a folder lost by hand
    await layers.collect(new Set());
    expect(await layers.roots()).toEqual([]);
    expect(layers.pinned().size).toBe(0);
    await images.remove(name, { force: false, noPrune: false });
    expect(layers.all()).toEqual([]);
  });

  it('tags, lists with filters, and removes by the rules', async () => {
    const busybox = await busyboxImage();
    const settings = await settingsImage();
    const name = await pushImage(registry, 'busybox', busybox);
    await pushImage(registry, 'settings', settings);
    await pull(`${registry.host}/busybox`);
    await pull(`${registry.host}/settings`);
    images.tag(name, 'mine', 'v1');
    expect(events.at(-1)).toMatchObject({ action: 'tag', id: busybox.imageId, attributes: { name: 'mine:v1' } });
    expect(() => images.tag('absent', 'x', 'y')).toThrow('No such image: absent:latest');
    expect(() => images.tag(name, 'a b', 'y')).toThrow('invalid reference format');

    const list = (filters: Record<string, string[]>) => images.list({ all: false, filters, sharedSize: true });
    const ids = async (filters: Record<string, string[]>) => (await list(filters)).map((image) => image.Id);
    expect((await ids({})).sort()).toEqual([busybox.imageId, settings.imageId].sort());
    expect(await ids({ reference: ['mine'] })).toEqual([busybox.imageId]);
    expect((await list({ reference: ['mine:*'] }))[0]?.RepoTags).toEqual(['mine:v1']);
    expect(await ids({ label: ['org.galley.test=settings'] })).toEqual([settings.imageId]);
    expect(await ids({ 'label!': ['org.galley.test'] })).toEqual([busybox.imageId]);
    expect(await ids({ dangling: ['true'] })).toEqual([]);
    expect(await ids({ until: ['1h'] })).toHaveLength(2);
    expect((await list({}))[0]).toMatchObject({ Containers: -1 });

    users = [{ id: 'f'.repeat(64), imageId: busybox.imageId, running: true }];
    const short = busybox.imageId.slice(7, 19);
    await expect(images.remove(busybox.imageId, { force: true, noPrune: false })).rejects.toThrow(
      `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ${'f'.repeat(12)}`,
    );
    expect(await images.remove('mine:v1', { force: false, noPrune: false })).toEqual([{ Untagged: 'mine:v1' }]);
    await expect(images.remove(name, { force: false, noPrune: false })).rejects.toMatchObject({
      status: 409,
      message: `conflict: unable to remove repository reference "${name}" (must force) - container ${'f'.repeat(12)} is using its referenced image ${short}`,
    });
    users = [{ id: 'f'.repeat(64), imageId: busybox.imageId, running: false }];
    await expect(images.remove(short, { force: false, noPrune: false })).rejects.toThrow(
      '(must be forced) - image is being used by stopped container',
    );
    users = [];
    images.tag(name, 'other', 'x');
    await expect(images.remove(short, { force: false, noPrune: false })).rejects.toThrow(
      '(must be forced) - image is referenced in multiple repositories',
    );
    const removed = await images.remove(short, { force: true, noPrune: false });
    expect(removed).toEqual(
      expect.arrayContaining([{ Untagged: 'other:x' }, { Untagged: name }, { Deleted: busybox.imageId }]),
    );
    // The lowest layer is shared with the other image and stays.
    expect(layers.all()).toHaveLength(settings.diffIds.length);
    expect(await images.prune({})).toEqual({ ImagesDeleted: null, SpaceReclaimed: expect.any(Number) });
    const pruned = await images.prune({ dangling: ['false'] });
    expect(pruned.ImagesDeleted).toEqual(expect.arrayContaining([{ Deleted: settings.imageId }]));
    expect(pruned.SpaceReclaimed).toBeGreaterThan(1000);
    expect([images.count(), layers.all().length, blobs().length, layerFolders().length]).toEqual([0, 0, 0, 0]);
  });

  it('a dangling image is pruned after another takes its tag', async () => {
    const first = await busyboxImage();
    const name = await pushImage(registry, 'moving', first);
    await pull(`${registry.host}/moving`);
    const second = await settingsImage();
    await pushImage(registry, 'moving', second);
    await pull(`${registry.host}/moving`);
    expect(images.resolve(name)?.id).toBe(second.imageId);
    const dangling = await images.list({ all: false, filters: { dangling: ['true'] }, sharedSize: false });
    expect(dangling.map((image) => image.Id)).toEqual([first.imageId]);
    expect((await images.prune({})).ImagesDeleted).toEqual(expect.arrayContaining([{ Deleted: first.imageId }]));
    expect(images.count()).toBe(1);
  });
});
