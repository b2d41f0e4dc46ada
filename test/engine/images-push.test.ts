/** Pushes to Debian's docker-registry through the docker CLI, judged by skopeo: what left is what came (needs root). */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { type Engine, isRoot, startEngine } from '../fixtures/engine.ts';
import { type Front, startFront } from '../fixtures/front.ts';
import { busyboxImage, busyboxWith, busyboxZstdImage, nginxImage, pushImage } from '../fixtures/images.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';
import { type Skopeo, skopeo } from '../fixtures/skopeo.ts';

describe.skipIf(!isRoot).each(['erofs', 'dirs'])('pushes from %s layers (needs root)', (driver) => {
  let source: Registry;
  let target: Registry;
  let front: Front;
  let engine: Engine;
  let docker: DockerCli;
  let judge: Skopeo;

  beforeAll(async () => {
    source = await startRegistry();
    engine = await startEngine({ args: ['--layer-driver', driver] });
    docker = await dockerCli(engine.host);
    judge = await skopeo();
  });
  afterAll(async () => {
    docker?.close();
    judge?.close();
    try {
      await engine?.purge();
    } finally {
      await source?.stop();
    }
  });
  beforeEach(async () => {
    target = await startRegistry();
    front = await startFront(target);
  });
  afterEach(async () => {
    await front.stop();
    await target.stop();
  });

  const raw = (name: string) => judge.must(['inspect', '--raw', '--tls-verify=false', `docker://${name}`]);
  const uploads = () => front.requests.filter((one) => one.method === 'PUT' && one.url.includes('/blobs/uploads/'));

  it.each([
    ['Docker schema 2', () => busyboxImage()],
    ['OCI', () => busyboxImage({ name: 'busybox-oci', format: 'oci' })],
    ['zstd', () => busyboxZstdImage()],
    ['four layers', () => nginxImage()],
  ] as const)('gives an image on as it came: %s', async (what, make) => {
    const image = await make();
    const from = await pushImage(source, `was/${what.toLowerCase().replaceAll(' ', '-')}`, image);
    const to = `${front.host}/is/new:v1`;
    await docker.must(['pull', from]);
    await docker.must(['tag', from, to]);
    const pushed = await docker.run(['push', to]);
    expect(pushed.stderr).toBe('');
    expect(pushed.stdout).toContain(`The push refers to repository [${front.host}/is/new]`);
    for (const diffId of image.diffIds) expect(pushed.stdout).toContain(`${diffId.slice(7, 19)}: Pushed`);
    expect(pushed.stdout).toContain(`v1: digest: ${image.digest} size: ${image.manifest.length}`);
    expect(await raw(to)).toBe(image.manifest.toString());
    expect(await docker.must(['image', 'inspect', '-f', '{{join .RepoDigests "\\n"}}', to])).toContain(
      `${front.host}/is/new@${image.digest}`,
    );

    const again = await docker.run(['push', to]);
    for (const diffId of image.diffIds) expect(again.stdout).toContain(`${diffId.slice(7, 19)}: Layer already exists`);

    const neighbour = `${front.host}/is/neighbour:v1`;
    front.requests.length = 0;
    await docker.must(['tag', from, neighbour]);
    const mounted = await docker.run(['push', neighbour]);
    for (const diffId of image.diffIds) expect(mounted.stdout).toContain(`${diffId.slice(7, 19)}: Mounted from is/new`);
    expect(uploads().length).toBeLessThanOrEqual(1); // the config
    expect(await raw(neighbour)).toBe(image.manifest.toString());
    await docker.must(['rmi', '-f', from, to, neighbour]);
  });

  it('pushes every tag with -a, and tells what is not there', async () => {
    const from = await pushImage(source, 'tags', await busyboxImage());
    await docker.must(['pull', from]);
    for (const tag of ['one', 'two']) await docker.must(['tag', from, `${front.host}/many:${tag}`]);
    const pushed = await docker.run(['push', '-a', `${front.host}/many`]);
    expect(pushed.stdout).toMatch(/one: digest: sha256:[\s\S]*two: digest: sha256:/);
    const absent = await docker.run(['push', `${front.host}/many:three`]);
    expect(absent.code).toBe(1);
    expect(absent.stderr).toContain(`tag does not exist: ${front.host}/many:three`);
    const none = await docker.run(['push', '-a', `${front.host}/absent`]);
    expect(none.stderr).toContain(`An image does not exist locally with the tag: ${front.host}/absent`);
    await docker.must(['rmi', '-f', from, `${front.host}/many:one`, `${front.host}/many:two`]);
  });

  it('sends in pieces to a registry that takes no blob in one, and again after a line that broke', async () => {
    const image = await busyboxWith('pushed-noise', {}, [
      (root) => writeFileSync(path.join(root, 'noise'), Buffer.alloc(20 << 20, 'galley')),
    ]);
    const from = await pushImage(source, 'pieces', image);
    await docker.must(['pull', from]);
    const to = `${front.host}/pieces`;
    await docker.must(['tag', from, to]);
    let broken = 0;
    front.intercept = (request, response) => {
      const whole = request.method === 'PUT' && request.url?.includes('/blobs/uploads/');
      if (!whole || Number(request.headers['content-length']) === 0) return false;
      if ((broken += 1) === 1) {
        request.destroy();
        return true;
      }
      request.resume();
      request.on('end', () => response.writeHead(405).end());
      return true;
    };
    const pushed = await docker.run(['push', to]);
    expect(pushed.stdout).toContain('Retrying in 1 second');
    expect(pushed.stdout).toContain(`latest: digest: ${image.digest}`);
    expect(front.requests.some((one) => one.method === 'PATCH')).toBe(true);
    expect(await raw(to)).toBe(image.manifest.toString());
    await docker.must(['rmi', '-f', from, to]);
  });

  it('logs in with the credentials of the docker CLI, and says what a registry without them says', async () => {
    const auth = { username: 'cook', password: 'salt' };
    const locked = await startRegistry({ auth });
    try {
      const from = await pushImage(source, 'locked', await busyboxImage());
      await docker.must(['pull', from]);
      const to = `${locked.host}/locked`;
      await docker.must(['tag', from, to]);
      const refused = await docker.run(['push', to]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('no basic auth credentials');
      writeFileSync(
        path.join(docker.env.DOCKER_CONFIG as string, 'config.json'),
        JSON.stringify({ auths: { [locked.host]: { auth: Buffer.from('cook:salt').toString('base64') } } }),
      );
      expect(await docker.must(['push', to])).toContain('latest: digest: sha256:');
      await docker.must(['rmi', '-f', from, to]);
    } finally {
      await locked.stop();
    }
  });
});
