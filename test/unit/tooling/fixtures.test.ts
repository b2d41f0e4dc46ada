import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  busyboxImage,
  busyboxIndex,
  busyboxZstdImage,
  nginxImage,
  pushImage,
  settingsImage,
} from '../../fixtures/images.ts';
import { type Registry, startRegistry } from '../../fixtures/registry.ts';

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry?.stop());

async function manifest(name: string, accept: string): Promise<{ status: number; digest: string | null }> {
  const answer = await fetch(`${registry.url}/v2/${name}`, { headers: { accept } });
  return { status: answer.status, digest: answer.headers.get('docker-content-digest') };
}

test('a pushed image has the digest that was computed here', async () => {
  for (const [name, image] of [
    ['library/busybox', await busyboxImage()],
    ['library/busybox-zstd', await busyboxZstdImage()],
    ['library/list', await busyboxIndex('docker')],
    ['library/index', await busyboxIndex('oci')],
    ['library/settings', await settingsImage()],
    ['library/nginx', await nginxImage()],
  ] as const) {
    expect(await pushImage(registry, `${name}:1`, image)).toBe(`${registry.host}/${name}:1`);
    expect(await manifest(`${name}/manifests/1`, image.mediaType)).toEqual({ status: 200, digest: image.digest });
  }
});

test('a registry with basic auth refuses strangers and takes the user', async () => {
  const closed = await startRegistry({ auth: { username: 'cook', password: 'se:cret' }, tls: false });
  try {
    expect((await fetch(`${closed.url}/v2/`)).status).toBe(401);
    await pushImage(closed, 'private/busybox', await busyboxImage());
    const headers = { authorization: closed.authorization ?? '' };
    expect((await fetch(`${closed.url}/v2/private/busybox/tags/list`, { headers })).status).toBe(200);
  } finally {
    await closed.stop();
  }
});

test('a registry speaks TLS with a certificate of its own', async () => {
  const secure = await startRegistry({ tls: true });
  try {
    await expect(fetch(`${secure.url}/v2/`)).rejects.toThrow();
    await pushImage(secure, 'library/busybox', await busyboxImage());
  } finally {
    await secure.stop();
  }
});
