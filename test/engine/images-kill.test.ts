/**
 * kill -9 of galleyd at random moments of pull, load and rmi: afterwards no broken image is listed, fsck finds nothing, the work completes
 * when it is asked for again, and what a pull had finished is not fetched twice. `npm run test:long` does 200 rounds; GALLEY_TEST_SEED
 * repeats one.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { type Engine, isRoot, startEngine } from '../fixtures/engine.ts';
import { type Front, startFront } from '../fixtures/front.ts';
import { busyboxWith, pushImage, type TestImage } from '../fixtures/images.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';

const LONG = process.env.GALLEY_TEST_LONG === '1';
const ROUNDS = LONG ? 200 : 9;
const SEED = Number(process.env.GALLEY_TEST_SEED ?? 20261127);
const KINDS = ['pull', 'load', 'rmi'] as const;
/** Most of a round's work is done by then. */
const SPAN_MS = 500;

let state = SEED;
const random = (below: number) => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return state % below;
};

describe.skipIf(!isRoot)(`kill -9 at any moment of pull, load and rmi, seed ${SEED} (needs root)`, () => {
  let registry: Registry;
  let front: Front;
  let engine: Engine;
  let docker: DockerCli;
  let image: TestImage;
  let folder: string;
  let name: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'galley-kill-'));
    registry = await startRegistry();
    front = await startFront(registry);
    const noise = (seed: string, size: number) => createHash('shake256', { outputLength: size }).update(seed).digest();
    const layer = (i: number) => (root: string) => {
      mkdirSync(path.join(root, `d${i}`));
      writeFileSync(path.join(root, `d${i}/noise`), noise(String(i), 3 << 20));
      for (let n = 0; n < 100; n += 1) writeFileSync(path.join(root, `d${i}/${n}`), String(n));
    };
    image = await busyboxWith('kill', {}, [1, 2, 3, 4].map(layer), 'four layers');
    await pushImage(registry, 'kill', image);
    engine = await startEngine();
    docker = await dockerCli(engine.host);
    name = `${front.host}/kill:latest`;
    await docker.must(['pull', '-q', name]);
    await docker.must(['save', '-o', path.join(folder, 'kill.tar'), name]);
  });
  afterAll(async () => {
    docker?.close();
    try {
      await engine?.purge();
    } finally {
      await front?.stop();
      await registry?.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const faults = async () =>
    (await engine.request('GET', '/galley/v1/fsck?deep=1')).json<{ Faults: string[] }>().Faults;
  const layersOnDisk = () => readdirSync(path.join(engine.dataRoot, 'layers')).length;

  it(`${ROUNDS} rounds`, { timeout: LONG ? 3_600_000 : 180_000 }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const kind = KINDS[round % KINDS.length] as (typeof KINDS)[number];
      const what = `round ${round}, ${kind}`;
      const here = async () => (await docker.must(['images', '-q', name])) !== '';
      if (kind === 'rmi' && !(await here())) await docker.must(['pull', '-q', name]);
      if (kind !== 'rmi' && (await here())) await docker.must(['rmi', name]);
      const work = {
        pull: ['pull', '-q', name],
        load: ['load', '-i', path.join(folder, 'kill.tar')],
        rmi: ['rmi', name],
      }[kind];
      const running = docker.run(work);
      await sleep(random(kind === 'rmi' ? 120 : SPAN_MS));
      await engine.kill9();
      const cut = await running;
      await engine.start();

      expect(await faults(), what).toEqual([]);
      const survived = await here();
      if (kind !== 'rmi' && cut.code === 0) expect(survived, what).toBe(true); // what was reported is durable
      if (survived) expect(await docker.must(['image', 'inspect', '-f', '{{.Id}}', name]), what).toBe(image.imageId);
      const finished = readdirSync(path.join(engine.dataRoot, 'content/blobs/sha256'));
      front.requests.length = 0;
      const again = await docker.run(work);
      if (kind === 'rmi') expect(await here(), what).toBe(false);
      else {
        expect(again.code, `${what}: ${again.stderr}`).toBe(0);
        expect(await docker.must(['image', 'inspect', '-f', '{{.Id}}', name]), what).toBe(image.imageId);
        expect(await docker.must(['run', '--rm', '--network=none', name, 'ls', '/d4/99']), what).toBe('/d4/99');
      }
      const fetched = front.requests.filter((one) => finished.some((hex) => one.url.endsWith(`/blobs/sha256:${hex}`)));
      if (kind === 'pull') expect(fetched, `${what}: blobs that were finished`).toEqual([]);
      expect(await faults(), what).toEqual([]);
      if (kind === 'rmi') expect(layersOnDisk(), what).toBe(0);
    }
  });

  it('fsck tells what was damaged behind its back', async () => {
    if ((await docker.must(['images', '-q', name])) === '') await docker.must(['pull', '-q', name]);
    const blob = path.join(engine.dataRoot, 'content/blobs/sha256', (image.blobs.at(-1)?.digest ?? '').slice(7));
    writeFileSync(blob, Buffer.alloc(image.blobs.at(-1)?.size ?? 0));
    expect(await faults()).toEqual([expect.stringContaining(`blob ${image.blobs.at(-1)?.digest} holds sha256:`)]);
    rmSync(blob);
    expect(await faults()).toEqual([expect.stringContaining('is not on disk')]);
    await docker.must(['rmi', name]);
    expect(await faults()).toEqual([]);
  });
});
