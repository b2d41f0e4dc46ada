/** save, load and import through the docker CLI, judged by skopeo and by a real dockerd (needs root). */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { type Dockerd, dockerdAvailable, startDockerd } from '../fixtures/dockerd.ts';
import { type Engine, isRoot, startEngine } from '../fixtures/engine.ts';
import {
  busyboxImage,
  busyboxZstdImage,
  nginxImage,
  pushImage,
  settingsImage,
  type TestImage,
} from '../fixtures/images.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';
import { type Skopeo, skopeo } from '../fixtures/skopeo.ts';

const hasDockerd = await dockerdAvailable();

describe.skipIf(!isRoot)('image archives (needs root)', () => {
  let registry: Registry;
  let judge: Skopeo;
  let folder: string;
  /** One engine has image layers, the other folders: what leaves one must enter the other. */
  const engines: Record<'erofs' | 'dirs', { engine: Engine; docker: DockerCli }> = {} as never;
  const images: Record<string, TestImage> = {};

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'galley-archives-'));
    registry = await startRegistry();
    judge = await skopeo();
    for (const driver of ['erofs', 'dirs'] as const) {
      const engine = await startEngine({ args: ['--layer-driver', driver] });
      engines[driver] = { engine, docker: await dockerCli(engine.host) };
    }
    images.busybox = await busyboxImage();
    images.zstd = await busyboxZstdImage();
    images.nginx = await nginxImage();
    images.settings = await settingsImage();
    for (const [name, image] of Object.entries(images)) await pushImage(registry, name, image);
  });
  afterAll(async () => {
    judge?.close();
    try {
      for (const { engine, docker } of Object.values(engines)) {
        docker.close();
        await engine.purge();
      }
    } finally {
      await registry?.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });

  const file = (name: string) => path.join(folder, name);
  const inspect = (docker: DockerCli, name: string, format: string) =>
    docker.must(['image', 'inspect', '-f', format, name]);
  const blobsOf = ({ engine }: { engine: Engine }) => ({
    tmp: fs.readdirSync(path.join(engine.dataRoot, 'content/tmp')),
    layers: fs.readdirSync(path.join(engine.dataRoot, 'layers')).length,
    blobs: fs.readdirSync(path.join(engine.dataRoot, 'content/blobs/sha256')).length,
  });
  async function removeAll({ docker }: { docker: DockerCli }): Promise<void> {
    const ids = (await docker.must(['images', '-aq', '--no-trunc'])).split('\n').filter(Boolean);
    if (ids.length > 0) await docker.must(['rmi', '-f', ...new Set(ids)]);
  }

  it.each(['busybox', 'zstd', 'nginx'])(
    '%s: saved here, loaded there, pushed on: the same digests all the way',
    async (name) => {
      const image = images[name] as TestImage;
      const { erofs, dirs } = engines;
      const full = `${registry.host}/${name}:latest`;
      await erofs.docker.must(['pull', full]);
      await erofs.docker.must(['save', '-o', file(`${name}.tar`), full]);
      // skopeo reads both layouts of the one tar.
      const asOci = JSON.parse(await judge.must(['inspect', '--raw', `oci-archive:${file(`${name}.tar`)}`]));
      expect(asOci).toEqual(JSON.parse(image.manifest.toString()));
      const config = await judge.must(['inspect', '--config', '--raw', `docker-archive:${file(`${name}.tar`)}`]);
      expect(JSON.parse(config).rootfs.diff_ids).toEqual(image.diffIds);
      const again = `127.0.0.1:${registry.host.split(':')[1]}/again/${name}`;
      await judge.must([
        'copy',
        '--preserve-digests',
        '--dest-tls-verify=false',
        `oci-archive:${file(`${name}.tar`)}`,
        `docker://${again}:skopeo`,
      ]);

      const loaded = await dirs.docker.must(['load', '-i', file(`${name}.tar`)]);
      expect(loaded).toBe(`Loaded image: ${full}`);
      expect(await inspect(dirs.docker, full, '{{.Id}}')).toBe(image.imageId);
      await dirs.docker.must(['tag', full, `${again}:galley`]);
      expect(await dirs.docker.must(['push', `${again}:galley`])).toContain(`galley: digest: ${image.digest}`);
      expect(await dirs.docker.must(['save', full, '-o', file(`${name}-2.tar`)])).toBe('');
      expect(fs.readFileSync(file(`${name}-2.tar`)).equals(fs.readFileSync(file(`${name}.tar`)))).toBe(true);
      for (const side of [erofs, dirs]) {
        await removeAll(side);
        expect(blobsOf(side)).toEqual({ tmp: [], layers: 0, blobs: 0 });
      }
    },
  );

  it.each(['docker-archive', 'oci-archive'])('takes what skopeo writes as %s', async (kind) => {
    const target = file(`skopeo-${kind}.tar`);
    const name = `from/skopeo:${kind}`;
    const destination = kind === 'oci-archive' ? `${kind}:${target}:docker.io/${name}` : `${kind}:${target}:${name}`;
    await judge.must(['copy', '--src-tls-verify=false', `docker://${registry.host}/settings:latest`, destination]);
    for (const { docker } of Object.values(engines)) {
      expect(await docker.must(['load', '-i', target])).toBe(`Loaded image: ${name}`);
      expect(await inspect(docker, name, '{{.RootFS.Layers}}')).toBe(`[${images.settings?.diffIds.join(' ')}]`);
      expect(await docker.must(['run', '--rm', '--network=none', name])).toBe('entry command');
      const to = `${registry.host}/pushed/${kind}-${docker === engines.dirs.docker ? 'd' : 'e'}`;
      await docker.must(['tag', name, to]);
      await docker.must(['push', to]);
      const manifest = JSON.parse(await judge.must(['inspect', '--raw', '--tls-verify=false', `docker://${to}`]));
      for (const layer of manifest.layers) expect(layer.mediaType).toMatch(/gzip$/);
    }
    for (const side of Object.values(engines)) {
      await removeAll(side);
      expect(blobsOf(side)).toEqual({ tmp: [], layers: 0, blobs: 0 });
    }
  });

  it.each(['gzip', 'xz', 'bzip2', 'zstd'])('loads an archive packed with %s', async (program) => {
    const { docker } = engines.erofs;
    await docker.must(['pull', `${registry.host}/busybox`]);
    await docker.must(['save', '-o', file('plain.tar'), `${registry.host}/busybox`]);
    await removeAll(engines.erofs);
    if (program === 'zstd') {
      const { zstdCompressSync } = await import('node:zlib');
      fs.writeFileSync(file('packed'), zstdCompressSync(fs.readFileSync(file('plain.tar'))));
    } else execFileSync('sh', ['-c', `${program} -c < ${file('plain.tar')} > ${file('packed')}`]);
    expect(await docker.must(['load', '-i', file('packed')])).toContain('Loaded image: ');
    expect(await docker.must(['images', '-q', '--no-trunc'])).toBe(images.busybox?.imageId);
    await removeAll(engines.erofs);
  });

  it('several images, all tags of a name, and IDs without names, in one tar with each blob once', async () => {
    const { docker } = engines.erofs;
    await docker.must(['pull', `${registry.host}/busybox`]);
    await docker.must(['pull', `${registry.host}/settings`]);
    await docker.must(['tag', `${registry.host}/busybox`, 'two:a']);
    await docker.must(['tag', `${registry.host}/settings`, 'two:b']);
    await docker.must(['save', '-o', file('two.tar'), 'two', images.busybox?.imageId as string]);
    const names = execFileSync('tar', ['-tf', file('two.tar')])
      .toString()
      .trim()
      .split('\n');
    expect(new Set(names).size).toBe(names.length);
    await removeAll(engines.erofs);
    expect((await docker.must(['load', '-i', file('two.tar')])).split('\n').sort()).toEqual([
      'Loaded image: two:a',
      'Loaded image: two:b',
    ]);
    await docker.must(['save', '-o', file('id.tar'), images.busybox?.imageId as string]);
    await removeAll(engines.erofs);
    expect(await docker.must(['load', '-i', file('id.tar')])).toBe(`Loaded image ID: ${images.busybox?.imageId}`);
    await docker.must(['tag', images.busybox?.imageId as string, 'two:b']);
    expect(await docker.must(['load', '-i', file('two.tar')])).toContain(
      `The image two:b already exists, renaming the old one with ID ${images.busybox?.imageId} to empty string`,
    );
    const absent = await docker.run(['save', '-o', file('no.tar'), 'absent']);
    expect(absent.code).toBe(1);
    expect(absent.stderr).toContain('No such image: absent');
    await removeAll(engines.erofs);
  });

  /** A tar from Python's tarfile, which refuses nothing: `[name, content]`, or `[name, target, 'symlink']`. */
  function archive(entries: (readonly [name: string, content: string | Buffer, kind?: string])[]): Buffer {
    const script = `
import tarfile,io,json,sys,base64
t=tarfile.open(fileobj=sys.stdout.buffer,mode='w|')
for name,data,kind in json.load(sys.stdin):
  data=base64.b64decode(data); i=tarfile.TarInfo(name)
  if kind: i.type=tarfile.SYMTYPE if kind=='symlink' else tarfile.LNKTYPE; i.linkname=data.decode(); t.addfile(i)
  else: i.size=len(data); t.addfile(i,io.BytesIO(data))
t.close()`;
    const input = JSON.stringify(
      entries.map(([name, data, kind]) => [name, Buffer.from(data).toString('base64'), kind ?? '']),
    );
    return execFileSync('python3', ['-c', script], { input, maxBuffer: 1 << 28 });
  }
  const emptyConfig = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } });
  const table = (value: unknown) => ['manifest.json', JSON.stringify(value)] as const;

  it.each([
    ['nothing but text', Buffer.from('this is no tar'.repeat(100)), /invalid archive: a header/],
    ['an empty tar', archive([]), /neither a manifest.json nor an OCI index/],
    ['a table that is no JSON', archive([['manifest.json', '{']]), /manifest.json is not JSON/],
    ['a table of the wrong shape', archive([table({ a: 1 })]), /manifest.json: /],
    ['a table without images', archive([table([])]), /manifest.json: /],
    ['a config that is not there', archive([table([{ Config: 'x.json' }])]), /no file "x.json"/],
    ['a config that leads out', archive([table([{ Config: '../../etc/passwd' }])]), /no file/],
    [
      'a config behind a link out',
      archive([['c', '/etc/passwd', 'symlink'], table([{ Config: 'c' }])]),
      /no file "c"|links out/,
    ],
    [
      'links in a circle',
      archive([['a', 'b', 'symlink'], ['b', 'a', 'symlink'], table([{ Config: 'a' }])]),
      /no file "a"/,
    ],
    ['a config that is no config', archive([['c', '[]'], table([{ Config: 'c' }])]), /image config sha256:/],
    [
      'layers that the config does not know',
      archive([['c', emptyConfig], ['l', 'x'], table([{ Config: 'c', Layers: ['l'] }])]),
      /expected 0, got 1/,
    ],
    [
      'a name that is none',
      archive([['c', emptyConfig], table([{ Config: 'c', RepoTags: ['No Name'] }])]),
      /invalid reference format/,
    ],
    ['a name that leaves the archive', archive([['../up', 'x']]), /leaves the archive/],
    [
      'another system',
      archive([['c', emptyConfig.replace('linux', 'windows')], table([{ Config: 'c' }])]),
      /cannot load windows image on linux/,
    ],
    [
      'a wrong layer',
      archive([
        ['c', emptyConfig.replace('[]', `["sha256:${'0'.repeat(64)}"]`)],
        ['l', Buffer.alloc(1024)],
        table([{ Config: 'c', Layers: ['l'] }]),
      ]),
      /the image config says sha256:000/,
    ],
    [
      'an index that names a blob which is another',
      archive([
        ['oci-layout', '{}'],
        [
          'index.json',
          JSON.stringify({ manifests: [{ mediaType: 'x', digest: `sha256:${'1'.repeat(64)}`, size: 1 }] }),
        ],
        [`blobs/sha256/${'1'.repeat(64)}`, '{}'],
      ]),
      /manifest verification failed/,
    ],
  ] as const)('refuses %s, and leaves nothing', async (_what, bytes, message) => {
    fs.writeFileSync(file('bad.tar'), bytes);
    for (const side of Object.values(engines)) {
      const loaded = await side.docker.run(['load', '-i', file('bad.tar')]);
      expect(loaded.code).toBe(1);
      expect(loaded.stderr).toMatch(message);
      expect(await side.docker.must(['images', '-aq'])).toBe('');
      expect(blobsOf(side)).toMatchObject({ tmp: [], layers: 0 });
    }
  });

  it('an archive that ends too early is refused, packed or not', async () => {
    const { docker } = engines.erofs;
    await docker.must(['pull', `${registry.host}/busybox`]);
    await docker.must(['save', '-o', file('whole.tar'), `${registry.host}/busybox`]);
    await removeAll(engines.erofs);
    const whole = fs.readFileSync(file('whole.tar'));
    fs.writeFileSync(file('cut.tar'), whole.subarray(0, whole.length >> 1));
    expect((await docker.run(['load', '-i', file('cut.tar')])).stderr).toContain('ends in the middle');
    execFileSync('sh', ['-c', `gzip -c < ${file('whole.tar')} | head -c 100000 > ${file('cut.gz')}`]);
    expect((await docker.run(['load', '-i', file('cut.gz')])).stderr).toMatch(/invalid archive: gzip/);
    expect(await docker.must(['images', '-aq'])).toBe('');
    expect(blobsOf(engines.erofs).tmp).toEqual([]);
  });

  const CHANGES = [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Dockerfile's own braces
    'ENV A=1 B="two words" C=$A-${B}',
    'ENV OLD style value',
    'CMD echo $A',
    'ENTRYPOINT ["/bin/sh","-c"]',
    'EXPOSE 80 53/udp 8000-8002',
    'LABEL a=b "spaced key"="spaced value"',
    'VOLUME /data /more',
    'VOLUME ["/json"]',
    'WORKDIR /srv',
    'WORKDIR sub',
    'USER cook:kitchen',
    'STOPSIGNAL SIGINT',
    'ONBUILD RUN echo hello',
    'HEALTHCHECK --interval=5s --retries=3 CMD curl localhost',
  ];
  const flags = CHANGES.flatMap((change) => ['-c', change]);
  function rootTar(): void {
    const root = file('root');
    fs.mkdirSync(path.join(root, 'bin'), { recursive: true });
    fs.writeFileSync(path.join(root, 'bin/hello'), '#!/bin/sh\necho hello\n', { mode: 0o755 });
    execFileSync('tar', ['-C', root, '-cf', file('root.tar'), '.']);
  }

  it('imports a root file system with changes, from a file, from a pipe, packed', async () => {
    rootTar();
    for (const { docker } of Object.values(engines)) {
      const id = await docker.must(['import', ...flags, '-m', 'made by hand', file('root.tar'), 'imported:v1']);
      expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(await inspect(docker, 'imported:v1', '{{.Comment}} {{.Config.WorkingDir}}')).toBe('made by hand /srv/sub');
      const packed = await docker.must(['import', '-', 'imported:v2'], {
        input: execFileSync('gzip', ['-c', file('root.tar')]),
      });
      expect(await inspect(docker, 'imported:v2', '{{.Id}}')).toBe(packed);
      expect(await inspect(docker, 'imported:v1', '{{.RootFS.Layers}}')).toBe(
        await inspect(docker, 'imported:v2', '{{.RootFS.Layers}}'),
      );
      expect((await docker.run(['import', '-c', 'RUN rm -rf /', file('root.tar')])).stderr).toContain(
        'run is not a valid change command',
      );
      expect((await docker.run(['import', '-', 'bad'], { input: 'no tar at all' })).code).toBe(1);
      expect(
        (await docker.run(['import', '-', 'Upper:x'], { input: fs.readFileSync(file('root.tar')) })).stderr,
      ).toContain('must be lowercase');
    }
    for (const side of Object.values(engines)) {
      // What never came from a registry is compressed for it once, and comes back equal.
      const to = `${registry.host}/imported/${side.engine.name}`;
      await side.docker.must(['tag', 'imported:v1', to]);
      const id = await inspect(side.docker, to, '{{.Id}}');
      const first = await side.docker.must(['push', to]);
      const digest = /digest: (sha256:\w+)/.exec(first)?.[1];
      await side.docker.must(['tag', 'imported:v1', `${to}-again`]);
      expect(await side.docker.must(['push', `${to}-again`])).toContain(`digest: ${digest}`);
      await removeAll(side);
      await side.docker.must(['pull', to]);
      expect(await inspect(side.docker, to, '{{.Id}}')).toBe(id);
      await removeAll(side);
      expect(blobsOf(side)).toEqual({ tmp: [], layers: 0, blobs: 0 });
    }
  });

  describe.skipIf(!hasDockerd)('with a real dockerd', () => {
    let dockerd: Dockerd;
    let theirs: DockerCli;
    beforeAll(async () => {
      dockerd = await startDockerd();
      theirs = await dockerCli(dockerd.host);
    });
    afterAll(async () => {
      theirs?.close();
      await dockerd?.stop();
    });

    it('archives go both ways', async () => {
      const { docker } = engines.erofs;
      for (const name of ['busybox', 'nginx', 'settings']) {
        const full = `${registry.host}/${name}:latest`;
        await docker.must(['pull', full]);
        await docker.must(['save', '-o', file('ours.tar'), full]);
        expect(await theirs.must(['load', '-i', file('ours.tar')])).toContain(`Loaded image: ${full}`);
        expect(await inspect(theirs, full, '{{.Id}} {{.RootFS.Layers}}')).toBe(
          await inspect(docker, full, '{{.Id}} {{.RootFS.Layers}}'),
        );
        await theirs.must(['save', '-o', file('theirs.tar'), full]);
        const { dirs } = engines;
        expect(await dirs.docker.must(['load', '-i', file('theirs.tar')])).toBe(`Loaded image: ${full}`);
        expect(await inspect(dirs.docker, full, '{{.Id}} {{.RootFS.Layers}}')).toBe(
          await inspect(docker, full, '{{.Id}} {{.RootFS.Layers}}'),
        );
        expect(await dirs.docker.must(['history', '--no-trunc', '--format', '{{.CreatedBy}}|{{.Size}}', full])).toBe(
          await theirs.must(['history', '--no-trunc', '--format', '{{.CreatedBy}}|{{.Size}}', full]),
        );
      }
      for (const side of Object.values(engines)) await removeAll(side);
    });

    it('an import with changes gives the same config', async () => {
      rootTar();
      const { docker } = engines.erofs;
      const config = async (cli: DockerCli) => {
        // 20.10 does not take STOPSIGNAL here yet.
        const taken = flags.filter((one, i) => !/^STOPSIGNAL/.test(one) && !/^STOPSIGNAL/.test(flags[i + 1] ?? ''));
        await cli.must(['import', ...taken, file('root.tar'), 'same:v1']);
        return JSON.parse(await inspect(cli, 'same:v1', '{{json .Config}}')) as Record<string, unknown>;
      };
      const [mine, wanted] = [await config(docker), await config(theirs)];
      // 20.10 fills in what a container would have; the image is the same.
      for (const key of [
        'Env',
        'Cmd',
        'Entrypoint',
        'ExposedPorts',
        'Labels',
        'Volumes',
        'WorkingDir',
        'User',
        'StopSignal',
        'OnBuild',
        'Healthcheck',
      ])
        expect([key, mine[key]]).toEqual([key, wanted[key]]);
      expect(await inspect(docker, 'same:v1', '{{.Comment}} {{.RootFS.Layers}} {{.Size}}')).toBe(
        await inspect(theirs, 'same:v1', '{{.Comment}} {{.RootFS.Layers}} {{.Size}}'),
      );
      await removeAll(engines.erofs);
    });
  });
});
