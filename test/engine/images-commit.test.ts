/** commit: a container's changes become a layer that shows them, in both drivers, and that travels (needs root). */
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createImageStore, type ImageStore } from '../../daemon/images/index.ts';
import { createLayerStore, type LayerStore } from '../../daemon/layers/index.ts';
import { Database, Leases } from '../../daemon/state/index.ts';
import { createLog } from '../../daemon/system/log.ts';
import { makeNode, setXattr } from '../../daemon/system/syscalls.ts';
import { isRoot } from '../fixtures/engine.ts';
import { busyboxImage, pushImage } from '../fixtures/images.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';

describe.skipIf(!isRoot).each(['erofs', 'dirs'] as const)('commit on %s layers (needs root)', (driver) => {
  let registry: Registry;
  let folder: string;
  let db: Database;
  let layers: LayerStore;
  let images: ImageStore;
  let base: string;
  const { signal } = new AbortController();

  beforeAll(async () => {
    registry = await startRegistry();
    await pushImage(registry, 'busybox', await busyboxImage());
  });
  afterAll(() => registry?.stop());
  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'galley-commit-'));
    db = new Database(path.join(folder, 'galley.db'));
    const log = createLog('error');
    layers = createLayerStore({ db, dataRoot: folder, log, driver });
    const leases = new Leases(db);
    const users = { usersOf: () => [] };
    images = createImageStore({
      db,
      leases,
      layers,
      dataRoot: folder,
      users,
      publish: () => {},
      mirrors: [],
      insecureRegistries: [],
      log,
    });
    const request = {
      image: `${registry.host}/busybox`,
      tag: 'latest',
      platform: undefined,
      auth: undefined,
      signal,
      onProgress: () => {},
    };
    await images.pull(request);
    base = images.resolve(`${registry.host}/busybox`)?.id as string;
  });
  afterEach(async () => {
    for (const id of await layers.roots()) await layers.removeRoot(id);
    await images.close();
    await layers.close();
    db.close();
    rmSync(folder, { recursive: true, force: true });
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(folder);
  });

  async function container(id: string, imageId: string, change: (root: string) => void): Promise<string> {
    await layers.createRoot(id, images.resolve(imageId)?.chainId ?? null);
    change(await layers.mountRoot(id));
    return path.join(folder, 'roots', id, 'upper');
  }
  const commit = (upper: string, baseImageId: string, repository = '', changes: string[] = []) =>
    images.commit({
      upper,
      baseImageId,
      config: images.resolve(baseImageId)?.config ?? {},
      containerId: 'c',
      createdBy: 'sh -c test',
      repository,
      tag: '',
      author: 'cook',
      message: 'hello',
      changes,
      signal,
    });
  /** Everything that is not the init layer's. */
  const listing = (root: string) =>
    execFileSync('sh', [
      '-c',
      `cd ${root} && find . -path ./dev -prune -o -path ./proc -prune -o -path ./sys -prune -o -path ./etc -prune -o ! -name .dockerenv -printf '%p %y %m %U:%G %s %l %n\\n' | grep -v ' d ' | sort; cat work/*`,
    ]).toString();

  it('shows what the container shows: new, changed, removed, replaced, linked', async () => {
    const upper = await container('c', base, (root) => {
      mkdirSync(path.join(root, 'work'));
      writeFileSync(path.join(root, 'work/new'), 'new\n');
      linkSync(path.join(root, 'work/new'), path.join(root, 'work/same'));
      symlinkSync('new', path.join(root, 'work/link'));
      makeNode(path.join(root, 'pipe'), 0o010644, 0, 0);
      makeNode(path.join(root, 'device'), 0o020644, 10, 300);
      setXattr(path.join(root, 'work/new'), 'user.galley', Buffer.from('x'));
      rmSync(path.join(root, 'bin/vi'));
      rmSync(path.join(root, 'var/spool'), { recursive: true });
      // A folder of the image replaced by one of the same name must not let the old files through.
      rmSync(path.join(root, 'home'), { recursive: true });
      mkdirSync(path.join(root, 'home'));
      writeFileSync(path.join(root, 'home/only'), '');
      execFileSync('chown', ['12:34', path.join(root, 'home/only')]);
    });
    const before = listing(path.join(folder, 'roots/c/merged'));
    const id = await commit(upper, base, 'made', ['LABEL made=here', 'CMD ["cat","/work/new"]']);
    expect(images.resolve('made')?.id).toBe(id);
    await layers.createRoot('d', images.resolve(id)?.chainId ?? null);
    expect(listing(await layers.mountRoot('d'))).toBe(before);
    expect(readdirSync(path.join(folder, 'roots/d/merged/home'))).toEqual(['only']);
    expect(images.inspect(id)).toMatchObject({
      Author: 'cook',
      Comment: 'hello',
      Config: { Cmd: ['cat', '/work/new'], Labels: { made: 'here' } },
    });
    expect(images.history(id)[0]).toMatchObject({ CreatedBy: 'sh -c test', Comment: 'hello', Tags: ['made:latest'] });
    expect(images.inspect(id).RootFS.Layers).toHaveLength(2);

    // It travels: what a registry gives back is the same image.
    images.tag(id, `${registry.host}/made-${driver}`, 'v1');
    await images.push({
      image: `${registry.host}/made-${driver}`,
      tag: 'v1',
      auth: undefined,
      signal,
      onProgress: () => {},
    });
    await layers.removeRoot('d');
    await layers.removeRoot('c');
    await images.remove('made', { force: true, noPrune: false });
    await images.remove(`${registry.host}/made-${driver}:v1`, { force: true, noPrune: false });
    expect(images.resolve(id)).toBeUndefined();
    const request = {
      image: `${registry.host}/made-${driver}`,
      tag: 'v1',
      platform: undefined,
      auth: undefined,
      signal,
      onProgress: () => {},
    };
    await images.pull(request);
    expect(images.resolve(`${registry.host}/made-${driver}:v1`)?.id).toBe(id);
  });

  it('a container without changes adds a step and no layer; a commit of a commit stacks', async () => {
    const untouched = await commit(await container('c', base, () => {}), base, 'untouched');
    expect(images.inspect(untouched).RootFS.Layers).toHaveLength(1);
    expect(images.history(untouched)[0]).toMatchObject({ Size: 0 });
    const first = await commit(await container('d', base, (root) => writeFileSync(path.join(root, 'one'), '1')), base);
    const second = await commit(
      await container('e', first, (root) => writeFileSync(path.join(root, 'two'), '2')),
      first,
    );
    expect(images.inspect(second).RootFS.Layers).toHaveLength(3);
    await layers.createRoot('f', images.resolve(second)?.chainId ?? null);
    const root = await layers.mountRoot('f');
    expect([readFileSync(path.join(root, 'one'), 'utf8'), readFileSync(path.join(root, 'two'), 'utf8')]).toEqual([
      '1',
      '2',
    ]);
    expect(images.inspect(first).RepoTags).toEqual([]);
  });

  it('refuses a bad name or change before anything is written', async () => {
    const upper = await container('c', base, (root) => writeFileSync(path.join(root, 'x'), 'x'));
    const before = images.count();
    await expect(commit(upper, base, 'Bad Name')).rejects.toMatchObject({ status: 400 });
    await expect(commit(upper, base, '', ['FROM scratch'])).rejects.toThrow('from is not a valid change command');
    await expect(commit(upper, base, '', ['EXPOSE soup'])).rejects.toThrow('Invalid containerPort: soup');
    expect(images.count()).toBe(before);
    expect(readdirSync(path.join(folder, 'content/tmp'))).toEqual([]);
  });
});
