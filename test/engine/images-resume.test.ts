/** A pull that is cut, cancelled, killed, refused or asked for twice, through galleyd and the docker CLI (needs root). */
import { createHash } from 'node:crypto';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { type Engine, isRoot, startEngine } from '../fixtures/engine.ts';
import { background, tool, waitFor } from '../fixtures/exec.ts';
import { type Front, startFront } from '../fixtures/front.ts';
import { busyboxWith, pushImage, type TestImage } from '../fixtures/images.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';

const MIB = 1 << 20;

describe.skipIf(!isRoot)('pulls that are cut short (needs root)', () => {
  let registry: Registry;
  let front: Front;
  let engine: Engine;
  let docker: DockerCli;
  let image: TestImage;
  let big: { digest: string; size: number };

  beforeAll(async () => {
    registry = await startRegistry();
    const noise = (seed: string) =>
      createHash('shake256', { outputLength: 8 * MIB })
        .update(seed)
        .digest();
    image = await busyboxWith('noise', {}, [(root) => writeFileSync(path.join(root, 'noise'), noise('galley'))]);
    big = image.blobs.at(-1) as typeof big;
    await pushImage(registry, 'noise', image);
  });
  afterAll(() => registry?.stop());
  beforeEach(async () => {
    front = await startFront(registry);
    engine = await startEngine();
    docker = await dockerCli(engine.host);
  });
  afterEach(async () => {
    docker?.close();
    try {
      await engine?.purge();
    } finally {
      await front?.stop();
    }
  });

  const blobRequests = () => front.requests.filter((one) => one.method === 'GET' && one.url.endsWith(big.digest));
  const partial = () => statSync(path.join(engine.dataRoot, 'content/ingest', big.digest.slice(7))).size;
  const name = () => `${front.host}/noise`;
  /** Starts a pull that the front holds after 5 MiB of the big layer, and gives it back once they are there. */
  async function heldPull() {
    front.holdAfter = 5 * MIB;
    const pulling = background(docker.path, ['pull', name()], { env: docker.env });
    await waitFor('most of the layer on disk', () => partial() >= 4 * MIB);
    front.holdAfter = undefined;
    return pulling;
  }
  async function expectsTheRest() {
    const kept = partial();
    expect(kept).toBeGreaterThanOrEqual(4 * MIB);
    const before = blobRequests().length;
    const again = await docker.run(['pull', name()]);
    expect(again.stdout).toContain(`Status: Downloaded newer image for ${name()}:latest`);
    const after = blobRequests().slice(before);
    expect(after.map((one) => one.range)).toEqual([`bytes=${kept}-`]);
    expect(after[0]?.sent).toBe(big.size - kept);
    expect(await docker.must(['run', '--rm', '--network=none', name(), 'wc', '-c', '/noise'])).toContain(
      String(8 * MIB),
    );
    expect(readdirSync(path.join(engine.dataRoot, 'content/ingest'))).toEqual([]);
  }

  it('after kill -9 of galleyd the next pull fetches only what is missing', async () => {
    const pulling = await heldPull();
    await engine.kill9();
    expect(await pulling.exited).not.toBe(0);
    await engine.start();
    expect(await docker.must(['images', '-q'])).toBe('');
    await expectsTheRest();
  });

  it('Ctrl-C ends the transfer at the registry, keeps what came, and the next pull goes on', async () => {
    const pulling = await heldPull();
    pulling.kill('SIGINT');
    await pulling.exited;
    await waitFor('the line to the registry to be cut', () => blobRequests()[0]?.cut);
    expect(await docker.must(['images', '-q'])).toBe('');
    await expectsTheRest();
  });

  it('a partial file that was damaged meanwhile is found out and fetched anew', async () => {
    const pulling = await heldPull();
    pulling.kill('SIGINT');
    await pulling.exited;
    await waitFor('the line to the registry to be cut', () => blobRequests()[0]?.cut);
    const file = path.join(engine.dataRoot, 'content/ingest', big.digest.slice(7));
    await tool('dd', ['if=/dev/zero', `of=${file}`, 'bs=1k', 'count=1', 'seek=100', 'conv=notrunc']);
    const again = await docker.run(['pull', name()]);
    expect(again.stdout).toContain('Status: Downloaded newer image');
    expect(await docker.must(['image', 'inspect', '-f', '{{.Id}}', name()])).toBe(image.imageId);
  });

  it('two clients share one transfer, and one that leaves does not take it from the other', async () => {
    const first = await heldPull();
    front.holdAfter = undefined;
    const second = docker.run(['pull', name()]);
    await waitFor('the second pull to reach the registry', () => {
      return front.requests.filter((one) => one.url.endsWith('/manifests/latest') && one.method === 'GET').length > 1;
    });
    first.kill('SIGINT');
    await first.exited;
    // The held line never brings more: the front closes it, and the transfer goes on for the one who stayed.
    front.dropAll();
    expect((await second).stdout).toContain('Status: Downloaded newer image');
    const ranges = blobRequests().map((one) => one.range);
    expect(ranges).toHaveLength(2);
    expect(ranges[1]).toMatch(/^bytes=\d{7,}-$/);
  });

  it('waits as long as a busy registry asks, for manifests and for blobs, and says so', async () => {
    const refused = new Set<string>();
    front.intercept = (request, response) => {
      const url = request.url ?? '';
      const busy = (url.endsWith('/manifests/latest') || url.endsWith(big.digest)) && request.method === 'GET';
      if (!busy || refused.has(url)) return false;
      refused.add(url);
      response.writeHead(429, { 'retry-after': '2', 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message: 'slow down' }] }));
      return true;
    };
    const pulled = await docker.run(['pull', name()]);
    expect(pulled.stdout).toContain('Retrying in 2 seconds');
    expect(pulled.stdout).toContain('Status: Downloaded newer image');
    expect(refused.size).toBe(2);
  });

  it('gives up on a registry that stays broken, in its words, and leaves no image', async () => {
    front.intercept = (request, response) => {
      if (!(request.url ?? '').includes('/manifests/')) return false;
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'UNSUPPORTED', message: 'not today' }] }));
      return true;
    };
    const pulled = await docker.run(['pull', name()]);
    expect(pulled.code).toBe(1);
    expect(pulled.stderr).toContain('unsupported: not today');
    expect(await docker.must(['images', '-q'])).toBe('');
  });
});
