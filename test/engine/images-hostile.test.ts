/** Registries that ask for tokens, lie, or cut the line. Served here: no real one does it on demand. Needs root (layers). */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createImageStore, type ImageStore } from '../../daemon/images/index.ts';
import { createLayerStore, type LayerStore } from '../../daemon/layers/index.ts';
import { Database, Leases } from '../../daemon/state/index.ts';
import { createLog } from '../../daemon/system/log.ts';
import { MNT_DETACH, mount, unmount } from '../../daemon/system/syscalls.ts';
import type { ProgressMessage, RegistryAuth } from '../../src/api/index.ts';
import { isRoot } from '../fixtures/engine.ts';
import { rawEntry } from '../fixtures/raw-tar.ts';

const sha = (data: Buffer | string) => `sha256:${createHash('sha256').update(data).digest('hex')}`;

const tarEntry = (name: string, content: Buffer, type = '0', link = '') =>
  rawEntry({ name, data: content, type, link });

interface Served {
  manifest: Buffer;
  blobs: Map<string, Buffer>;
  imageId: string;
  layer: string;
}

function imageOf(tar: Buffer, diffId = sha(tar), platform = 'amd64', level = 0): Served {
  const layer = gzipSync(tar, { level });
  const config = Buffer.from(
    JSON.stringify({ os: 'linux', architecture: platform, config: {}, rootfs: { type: 'layers', diff_ids: [diffId] } }),
  );
  const descriptor = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: sha(bytes), size: bytes.length });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
    }),
  );
  const blobs = new Map([config, layer].map((bytes) => [sha(bytes), bytes]));
  return { manifest, blobs, imageId: sha(config), layer: sha(layer) };
}

const plain = () => imageOf(Buffer.concat([tarEntry('file', Buffer.alloc(300_000, 'galley')), Buffer.alloc(1024)]));

describe.skipIf(!isRoot)('hostile and guarded registries (needs root)', () => {
  let folder: string;
  let db: Database;
  let layers: LayerStore;
  let images: ImageStore;
  let servers: http.Server[];
  let requests: { url: string; headers: http.IncomingHttpHeaders; body: string }[];

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'galley-hostile-'));
    servers = [];
    requests = [];
    db = new Database(path.join(folder, 'galley.db'));
    const log = createLog('error');
    layers = createLayerStore({ db, dataRoot: folder, log });
    images = createImageStore({
      db,
      leases: new Leases(db),
      layers,
      dataRoot: folder,
      users: { usersOf: () => [] },
      publish: () => {},
      mirrors: [],
      insecureRegistries: [],
      log,
      transfers: { retryDelayMs: 5, stallMs: 1500 },
    });
  });
  afterEach(async () => {
    await images.close();
    await layers.close();
    db.close();
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    rmSync(folder, { recursive: true, force: true });
  });

  type Handler = (req: http.IncomingMessage, res: http.ServerResponse, body: string) => void;
  async function serve(handler: Handler): Promise<string> {
    const server = http.createServer(async (req, res) => {
      let body = '';
      for await (const chunk of req) body += String(chunk);
      requests.push({ url: req.url ?? '', headers: req.headers, body });
      handler(req, res, body);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  /** Answers as a registry does; `blob` may answer instead (true: it did). */
  function registryOf(
    served: Served,
    blob: (digest: string, bytes: Buffer, req: http.IncomingMessage, res: http.ServerResponse) => boolean = () => false,
  ): Handler {
    return (req, res) => {
      const url = req.url ?? '';
      if (url.includes('/manifests/')) {
        res.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }).end(served.manifest);
        return;
      }
      const digest = url.slice(url.lastIndexOf('/') + 1);
      const bytes = served.blobs.get(digest);
      if (!bytes) res.writeHead(404).end();
      else if (!blob(digest, bytes, req, res)) res.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    };
  }
  function pull(
    image: string,
    auth?: RegistryAuth,
    signal = new AbortController().signal,
    lines: ProgressMessage[] = [],
  ) {
    return images.pull({
      image,
      tag: 'latest',
      platform: undefined,
      auth,
      signal,
      onProgress: (line) => lines.push(line),
    });
  }
  function nothingLeft(): void {
    expect(images.count()).toBe(0);
    expect(layers.all()).toEqual([]);
    expect(readdirSync(path.join(folder, 'layers'))).toEqual([]);
  }

  it('continues a cut blob with Range, within one pull', async () => {
    const served = plain();
    let cuts = 0;
    const ranges: (string | undefined)[] = [];
    const host = await serve(
      registryOf(served, (digest, bytes, req, res) => {
        if (digest !== served.layer) return false;
        ranges.push(req.headers.range);
        const from = Number(/bytes=(\d+)-/.exec(req.headers.range ?? '')?.[1] ?? 0);
        const rest = bytes.subarray(from);
        const status = from > 0 ? 206 : 200;
        res.writeHead(status, {
          'content-length': rest.length,
          'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
        });
        if ((cuts += 1) > 2) res.end(rest);
        else res.write(rest.subarray(0, 100_000), () => setTimeout(() => res.destroy(), 20));
        return true;
      }),
    );
    await pull(`${host}/cut`);
    expect(images.resolve(`${host}/cut`)?.id).toBe(served.imageId);
    expect(ranges).toEqual([undefined, 'bytes=100000-', 'bytes=200000-']);
  });

  it('keeps what arrived when the line stays dead, and the next pull goes on from there', async () => {
    const served = plain();
    let dead = true;
    const ranges: (string | undefined)[] = [];
    const host = await serve(
      registryOf(served, (digest, bytes, req, res) => {
        if (digest !== served.layer) return false;
        ranges.push(req.headers.range);
        const from = Number(/bytes=(\d+)-/.exec(req.headers.range ?? '')?.[1] ?? 0);
        if (dead && from > 0) res.destroy();
        else if (dead) {
          res.writeHead(200, { 'content-length': bytes.length });
          res.write(bytes.subarray(0, 150_000), () => setTimeout(() => res.destroy(), 20));
        } else {
          res
            .writeHead(206, { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
            .end(bytes.subarray(from));
        }
        return true;
      }),
    );
    await expect(pull(`${host}/dead`)).rejects.toMatchObject({ status: 500 });
    nothingLeft();
    const partial = path.join(folder, 'content/ingest', served.layer.slice(7));
    expect(statSync(partial).size).toBe(150_000);
    dead = false;
    await pull(`${host}/dead`);
    expect(ranges.at(-1)).toBe('bytes=150000-');
    expect(existsSync(partial)).toBe(false);
  });

  it('starts over when a registry knows no ranges', async () => {
    const served = plain();
    let first = true;
    const host = await serve(
      registryOf(served, (digest, bytes, _req, res) => {
        if (digest !== served.layer || !first) return false;
        first = false;
        res.writeHead(200, { 'content-length': bytes.length });
        res.write(bytes.subarray(0, 100_000), () => setTimeout(() => res.destroy(), 20));
        return true;
      }),
    );
    await pull(`${host}/norange`);
    expect(images.resolve(`${host}/norange`)?.id).toBe(served.imageId);
  });

  it('stops at once when the client goes, and keeps the partial blob', async () => {
    const served = plain();
    const gone = new AbortController();
    const host = await serve(
      registryOf(served, (digest, bytes, _req, res) => {
        if (digest !== served.layer) return false;
        res.writeHead(200, { 'content-length': bytes.length });
        res.write(bytes.subarray(0, 60_000), () => setTimeout(() => gone.abort(new Error('client gone')), 50));
        return true;
      }),
    );
    await expect(pull(`${host}/slow`, undefined, gone.signal)).rejects.toThrow('client gone');
    await images.close();
    nothingLeft();
    expect(statSync(path.join(folder, 'content/ingest', served.layer.slice(7))).size).toBe(60_000);
  });

  it('refuses wrong bytes, too many bytes, and a manifest that is not its digest', async () => {
    const served = plain();
    let mode = 'wrong';
    const host = await serve(
      registryOf(served, (digest, bytes, _req, res) => {
        if (digest !== served.layer) return false;
        if (mode === 'wrong') res.end(Buffer.alloc(bytes.length, 1));
        else res.end(Buffer.concat([bytes, bytes]));
        return true;
      }),
    );
    await expect(pull(`${host}/x`)).rejects.toThrow(/filesystem layer verification failed/);
    nothingLeft();
    mode = 'long';
    await expect(pull(`${host}/x`)).rejects.toThrow(/its manifest says/);
    nothingLeft();
    const other = sha('other');
    await expect(
      images.pull({
        image: `${host}/x`,
        tag: other,
        platform: undefined,
        auth: undefined,
        signal: new AbortController().signal,
        onProgress: () => {},
      }),
    ).rejects.toThrow(`manifest verification failed for digest ${other}`);
    expect(readdirSync(path.join(folder, 'content/ingest'))).toEqual([]);
  });

  it.each([
    ['a diffID that is not the tar', imageOf(Buffer.alloc(1024), sha('else')), /the image config says sha256:/],
    ['a name with ..', imageOf(tarEntry('../../evil', Buffer.from('x'))), /"\.\.\/\.\.\/evil" leaves the layer/],
    [
      'a tar cut in an entry',
      imageOf(tarEntry('x', Buffer.alloc(2000)).subarray(0, 1000)),
      /the tar ends in the middle of an entry/,
    ],
    ['a hard link out', imageOf(tarEntry('x', Buffer.alloc(0), '1', '../../etc/passwd')), /leaves the layer/],
    ['a whiteout of ..', imageOf(tarEntry('.wh...', Buffer.alloc(0))), /whiteout of no file/],
  ])('refuses %s and leaves nothing', async (_what, served, message) => {
    const host = await serve(registryOf(served));
    await expect(pull(`${host}/bad`)).rejects.toThrow(message);
    nothingLeft();
  });

  it('reads no more of an endless manifest, config or error than they may have', async () => {
    const served = plain();
    let where = '/manifests/';
    const host = await serve((req, res, body) => {
      if (!(req.url ?? '').includes(where)) return registryOf(served)(req, res, body);
      res.writeHead(where === '/tags/' ? 500 : 200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
      const more = () => {
        while (!res.destroyed && res.write(Buffer.alloc(65536, ' ')));
      };
      res.on('drain', more);
      more();
    });
    const before = process.memoryUsage().rss;
    await expect(pull(`${host}/endless`)).rejects.toThrow(/larger than 4194304 bytes/);
    where = served.imageId;
    await expect(pull(`${host}/endless`)).rejects.toThrow(/its manifest says/);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
    nothingLeft();
    where = 'nothing';
    await pull(`${host}/endless`);
    expect(images.resolve(`${host}/endless`)?.id).toBe(served.imageId);
  });

  it('follows no index that leads back to itself, and none that goes too deep', async () => {
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const index = (digest: string, size: number) =>
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType,
          manifests: [{ mediaType, digest, size, platform: { os: 'linux', architecture: 'amd64' } }],
        }),
      );
    const chain = [plain().manifest];
    for (let i = 0; i < 8; i += 1) chain.push(index(sha(chain.at(-1) as Buffer), 1));
    let asked = 0;
    const host = await serve((req, res) => {
      asked += 1;
      const wanted = (req.url ?? '').split('/').at(-1) ?? '';
      const bytes = chain.find((one) => sha(one) === wanted) ?? chain.at(-1);
      res.writeHead(200, { 'content-type': mediaType }).end(bytes);
    });
    await expect(pull(`${host}/deep`)).rejects.toThrow(/indexes within indexes go too deep/);
    expect(asked).toBeLessThan(10);
    nothingLeft();
  });

  it.each([
    ['gzip', (bytes: Buffer) => gzipSync(bytes, { level: 1 }), 'application/vnd.oci.image.layer.v1.tar+gzip'],
    ['zstd', (bytes: Buffer) => zstdCompressSync(bytes), 'application/vnd.oci.image.layer.v1.tar+zstd'],
  ] as const)(
    'a bomb in %s stops where its size no longer explains it, or is found out by its digest',
    async (kind, pack, mediaType) => {
      // zstd packs 600 MB of zeros into 60 KB, gzip into 600 KB.
      const huge = Buffer.concat([
        rawEntry({ name: 'zeros', size: `${(600 << 20).toString(8)}\0` }),
        Buffer.alloc(600 << 20),
      ]);
      const served = imageOf(Buffer.alloc(1024), sha('what the config promises'));
      const layer = pack(huge);
      const config = [...served.blobs.values()][0] as Buffer;
      const descriptor = (type: string, bytes: Buffer) => ({ mediaType: type, digest: sha(bytes), size: bytes.length });
      served.manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          config: descriptor('application/vnd.oci.image.config.v1+json', config),
          layers: [descriptor(mediaType, layer)],
        }),
      );
      served.blobs.set(sha(layer), layer);
      const host = await serve(registryOf(served));
      await expect(pull(`${host}/bomb`)).rejects.toThrow(
        kind === 'zstd' ? /unpacks to more than \d+ bytes, which its size does not explain/ : /the image config says/,
      );
      nothingLeft();
    },
  );

  it('takes a registry that falls silent for dead, asks again and goes on where it stopped', async () => {
    const served = plain();
    const ranges: (string | undefined)[] = [];
    const host = await serve(
      registryOf(served, (digest, bytes, req, res) => {
        if (digest !== served.layer) return false;
        ranges.push(req.headers.range);
        if (ranges.length > 1) {
          const from = Number(/bytes=(\d+)-/.exec(req.headers.range ?? '')?.[1] ?? 0);
          res.writeHead(206, { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
          res.end(bytes.subarray(from));
          return true;
        }
        res.writeHead(200, { 'content-length': bytes.length });
        res.write(bytes.subarray(0, 120_000)); // and never more
        return true;
      }),
    );
    await pull(`${host}/silent`);
    expect(ranges).toEqual([undefined, 'bytes=120000-']);
  });

  it.each([500, 502, 503, 408])('asks again after %d, and takes the good answer', async (status) => {
    const served = plain();
    const failures = new Map<string, number>();
    const host = await serve((req, res, body) => {
      const url = req.url ?? '';
      const seen = failures.get(url) ?? 0;
      failures.set(url, seen + 1);
      if (seen < 2) res.writeHead(status).end('not now');
      else registryOf(served)(req, res, body);
    });
    await pull(`${host}/busy`);
    expect(images.resolve(`${host}/busy`)?.id).toBe(served.imageId);
    expect([...failures.values()].every((count) => count === 3)).toBe(true);
  });

  it('a registry that redirects in a circle, or to what is no address', async () => {
    let location = '/v2/round/manifests/latest';
    const host = await serve((_req, res) => res.writeHead(307, { location }).end());
    await expect(pull(`${host}/round`)).rejects.toThrow(/stopped after 10 redirects/);
    location = 'http://[broken';
    await expect(pull(`${host}/round`)).rejects.toThrow(/redirects to "http:\/\/\[broken", which is no address/);
    location = 'file:///etc/passwd';
    await expect(pull(`${host}/round`)).rejects.toThrow(/redirects to "file:\/\/\/etc\/passwd", which is no address/);
    nothingLeft();
  });

  it.each([
    ['no JSON', Buffer.from('<html>')],
    ['a list', Buffer.from('[]')],
    ['no layers', Buffer.from(JSON.stringify({ schemaVersion: 2, config: { digest: sha(''), size: 0 } }))],
    [
      'a digest that is a path',
      Buffer.from(
        JSON.stringify({ schemaVersion: 2, config: { digest: 'sha256:../../../etc/passwd', size: 1 }, layers: [] }),
      ),
    ],
    [
      'a negative size',
      Buffer.from(JSON.stringify({ schemaVersion: 2, config: { digest: sha(''), size: -1 }, layers: [] })),
    ],
    [
      'another kind of artifact',
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: sha(''), size: 1 },
          layers: [],
        }),
      ),
    ],
    ['schema 1', Buffer.from(JSON.stringify({ schemaVersion: 1, fsLayers: [] }))],
    ['an empty body', Buffer.alloc(0)],
  ])('a manifest of %s is refused by name', async (_what, manifest) => {
    const host = await serve((_req, res) => res.writeHead(200, { 'content-type': 'application/json' }).end(manifest));
    await expect(pull(`${host}/odd`)).rejects.toThrow(`${host}/odd:latest`);
    nothingLeft();
    expect(readdirSync(path.join(folder, 'content/blobs/sha256'))).toEqual([]);
  });

  it('a blob of another layer is not believed to be this one', async () => {
    const good = plain();
    const evil = imageOf(Buffer.concat([tarEntry('evil', Buffer.from('evil')), Buffer.alloc(1024)]));
    // The manifest pairs the good image's config with the other's blob, when both are here already.
    const mixed = JSON.parse(good.manifest.toString()) as { layers: unknown[] };
    mixed.layers = (JSON.parse(evil.manifest.toString()) as { layers: unknown[] }).layers;
    const lie: Served = {
      ...good,
      manifest: Buffer.from(JSON.stringify(mixed)),
      blobs: new Map([...good.blobs, ...evil.blobs]),
    };
    const hosts = await Promise.all([good, evil, lie].map((one) => serve(registryOf(one))));
    await pull(`${hosts[0]}/good`);
    await pull(`${hosts[1]}/evil`);
    await expect(pull(`${hosts[2]}/lie`)).rejects.toThrow(/the image config says sha256:/);
    expect(images.resolve(`${hosts[2]}/lie`)).toBeUndefined();
    expect(images.resolve(`${hosts[0]}/good`)?.id).toBe(good.imageId);
  });

  it('a symlink on the way stays inside the layer', async () => {
    const served = imageOf(
      Buffer.concat([
        tarEntry('up', Buffer.alloc(0), '2', '../../../../../../tmp'),
        tarEntry('up/escaped', Buffer.from('x')),
        tarEntry('abs', Buffer.alloc(0), '2', '/etc'),
        tarEntry('abs/inside', Buffer.from('y')),
        Buffer.alloc(1024),
      ]),
    );
    const host = await serve(registryOf(served));
    await pull(`${host}/links`);
    await layers.createRoot('c', images.resolve(`${host}/links`)?.chainId ?? null);
    try {
      const root = await layers.mountRoot('c');
      expect(readFileSync(path.join(root, 'tmp/escaped'), 'utf8')).toBe('x');
      expect(readFileSync(path.join(root, 'etc/inside'), 'utf8')).toBe('y');
      expect(existsSync('/tmp/escaped')).toBe(false);
    } finally {
      await layers.removeRoot('c');
    }
  });

  it('gets a bearer token with the scope of the challenge, reuses it, and asks anew when it is refused', async () => {
    const served = plain();
    let issued = 0;
    const answer = registryOf(served);
    const host: string = await serve((req, res, body) => {
      if (req.url?.startsWith('/token')) {
        issued += 1;
        res.end(JSON.stringify({ token: `t${issued}`, expires_in: 300 }));
      } else if (req.headers.authorization === `Bearer t${issued}` && issued >= 2) answer(req, res, body);
      else {
        const challenge = `Bearer realm="http://${req.headers.host}/token",service="reg",scope="repository:a/b:pull"`;
        res.writeHead(401, { 'www-authenticate': challenge }).end();
      }
    });
    await pull(`${host}/a/b`, { username: 'cook', password: 'salt' });
    const tokens = requests.filter((request) => request.url.startsWith('/token'));
    expect(tokens).toHaveLength(2);
    expect(new URL(tokens[0]?.url ?? '', 'http://x').searchParams.get('scope')).toBe('repository:a/b:pull');
    expect(tokens[0]?.headers.authorization).toBe(`Basic ${Buffer.from('cook:salt').toString('base64')}`);
    await pull(`${host}/a/b`, { username: 'cook', password: 'salt' });
    expect(requests.filter((request) => request.url.startsWith('/token'))).toHaveLength(2);
  });

  it('trades an identity token, and tells a refusal as Docker does', async () => {
    const host: string = await serve((req, res) => {
      if (req.url?.startsWith('/token')) res.writeHead(401).end('{}');
      else
        res
          .writeHead(401, { 'www-authenticate': `Bearer realm="http://${req.headers.host}/token",service="reg"` })
          .end();
    });
    await expect(pull(`${host}/private`)).rejects.toMatchObject({
      status: 404,
      message: `pull access denied for ${host}/private, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
    });
    await expect(pull(`${host}/private`, { identitytoken: 'id' })).rejects.toMatchObject({ status: 404 });
    const post = requests.at(-1);
    expect(new URLSearchParams(post?.body)).toEqual(
      new URLSearchParams({
        grant_type: 'refresh_token',
        service: 'reg',
        client_id: 'galley',
        scope: 'repository:private:pull',
        refresh_token: 'id',
      }),
    );
  });

  it('does not take credentials along to the host that a blob is redirected to', async () => {
    const served = plain();
    const store = await serve((req, res) => res.end(served.blobs.get((req.url ?? '').slice(1))));
    const host = await serve((req, res, body) => {
      if (!req.headers.authorization) res.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else
        registryOf(served, (digest, _bytes, _req, r) =>
          Boolean(r.writeHead(307, { location: `http://${store}/${digest}` }).end()),
        )(req, res, body);
    });
    await pull(`${host}/moved`, { username: 'cook', password: 'salt' });
    const moved = requests.filter((request) => request.headers.host === store);
    expect(moved).toHaveLength(2);
    for (const request of moved) expect(request.headers.authorization).toBeUndefined();
  });

  it.each([
    [
      'a blob',
      gzipSync(Buffer.from(createHash('shake256', { outputLength: 6_000_000 }).update('x').digest()), { level: 0 }),
    ],
    ['an unpacked layer', undefined],
  ])('says so when there is no space left for %s, and gives back what it took', async (_what, noise) => {
    const content = noise ?? Buffer.alloc(12_000_000, 'galley');
    const tar = Buffer.concat([tarEntry('small', Buffer.from('s')), tarEntry('big', content), Buffer.alloc(1024)]);
    const served = imageOf(tar, sha(tar), 'amd64', noise ? 0 : 9);
    const host = await serve(registryOf(served));
    const small = path.join(folder, 'small');
    mkdirSync(small);
    mount('tmpfs', small, 'tmpfs', 0, 'size=5m');
    const smallDb = new Database(path.join(small, 'galley.db'));
    try {
      const log = createLog('error');
      const common = { db: smallDb, dataRoot: small, log };
      const smallLayers = createLayerStore(common);
      const store = createImageStore({
        ...common,
        leases: new Leases(smallDb),
        layers: smallLayers,
        users: { usersOf: () => [] },
        publish: () => {},
        mirrors: [],
        insecureRegistries: [],
      });
      const request = {
        image: `${host}/big`,
        tag: 'latest',
        platform: undefined,
        auth: undefined,
        onProgress: () => {},
      };
      await expect(store.pull({ ...request, signal: new AbortController().signal })).rejects.toThrow(
        new RegExp(`no space left on device: free some space on the file system of ${small}`),
      );
      expect(store.count()).toBe(0);
      expect(smallLayers.all()).toEqual([]);
      expect(readdirSync(path.join(small, 'layers'))).toEqual([]);
      expect(readdirSync(path.join(small, 'content/ingest'))).toEqual([]);
      await store.collectGarbage();
      expect(readdirSync(path.join(small, 'content/blobs/sha256'))).toEqual([]);
      await store.close();
      await smallLayers.close();
    } finally {
      smallDb.close();
      unmount(small, MNT_DETACH);
    }
  });
});
