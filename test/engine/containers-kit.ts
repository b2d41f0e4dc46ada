import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { type ClientStream, type ContainerManager, createContainerManager } from '../../daemon/containers/index.ts';
import type { NeighbourNetworks, NeighbourVolumes } from '../../daemon/containers/types.ts';
import { createLayerStore, type LayerStore } from '../../daemon/layers/index.ts';
import { buildExecProcess, buildSpec, createRuntime, readHostFacts, resolveUser } from '../../daemon/runtime/index.ts';
import { Database } from '../../daemon/state/index.ts';
import { createLog } from '../../daemon/system/log.ts';
import type { CreateContainerBody, NetworkSettings, Volume } from '../../src/api/index.ts';
import { mustRun } from '../fixtures/exec.ts';
import { busyboxImage } from '../fixtures/images.ts';
import { configOf, hostConfigOf } from '../unit/containers/samples.ts';

export interface Kit extends AsyncDisposable {
  containers: ContainerManager;
  layers: LayerStore;
  events: { action: string; id: string; attributes: Record<string, string> }[];
  volumeEvents: Kit['events'];
  folder: string;
  db: Database;
  /** Another manager on the same state, as after kill -9 of galleyd: the old one is left as it was. */
  reboot(): Promise<ContainerManager>;
  body(own?: Partial<CreateContainerBody>, host?: Parameters<typeof hostConfigOf>[0]): CreateContainerBody;
}

const NO_NETWORK: NetworkSettings = {
  Bridge: '',
  SandboxID: '',
  SandboxKey: '',
  Ports: {},
  HairpinMode: false,
  LinkLocalIPv6Address: '',
  LinkLocalIPv6PrefixLen: 0,
  SecondaryIPAddresses: null,
  SecondaryIPv6Addresses: null,
  EndpointID: '',
  Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  MacAddress: '',
  Networks: {},
};

/** `--network none` for everybody: a namespace of their own with nothing in it. */
function plainNetworks(name: string): NeighbourNetworks {
  const held = new Set<string>();
  const ns = (id: string) => `${name}-${id.slice(0, 12)}`;
  return {
    validate: () => {},
    async setUp({ containerId, hostname }) {
      await mustRun('ip', ['netns', 'add', ns(containerId)]);
      held.add(containerId);
      return {
        netnsPath: `/run/netns/${ns(containerId)}`,
        settings: NO_NETWORK,
        portDescriptors: [],
        hostsFile: `127.0.0.1\tlocalhost ${hostname}\n`,
        resolvConf: '',
      };
    },
    async tearDown(id) {
      if (held.delete(id)) await mustRun('ip', ['netns', 'del', ns(id)]);
    },
    settingsOf: () => NO_NETWORK,
    releaseDescriptors: () => {},
    namespaceOf: () => undefined,
  };
}

/** Folders below `root`; the volume domain has tests of its own. */
function plainVolumes(root: string): NeighbourVolumes {
  const volumes = new Map<string, Volume>();
  const users = new Map<string, Set<string>>();
  let counter = 0;
  const folder = (name: string) => path.join(root, name, '_data');
  return {
    async create({ Name, Labels }) {
      const name = Name || (counter += 1).toString(16).padStart(64, '0');
      const known = volumes.get(name);
      if (known) return known;
      await mustRun('mkdir', ['-p', folder(name)]);
      const volume: Volume = {
        Name: name,
        Driver: 'local',
        Mountpoint: folder(name),
        CreatedAt: new Date().toISOString(),
        Labels: Name ? Labels : { 'com.docker.volume.anonymous': '' },
        Scope: 'local',
        Options: null,
      };
      volumes.set(name, volume);
      users.set(name, new Set());
      return volume;
    },
    inspect(name) {
      const volume = volumes.get(name);
      if (!volume) throw new Error(`get ${name}: no such volume`);
      return volume;
    },
    async remove(name) {
      volumes.delete(name);
      rmSync(path.join(root, name), { recursive: true, force: true });
    },
    reference: (name, id) => {
      users.get(name)?.add(id);
    },
    dereference: (id) =>
      [...users].flatMap(([name, ids]) => {
        const anonymous = volumes.get(name)?.Labels?.['com.docker.volume.anonymous'] !== undefined;
        return ids.delete(id) && ids.size === 0 && anonymous ? [name] : [];
      }),
    mount: async (name) => folder(name),
    unmount: async () => {},
    async populate(name, source) {
      if ((await mustRun('ls', ['-A', folder(name)])).trim() === '')
        await mustRun('cp', ['-a', `${source}/.`, folder(name)]);
    },
  };
}

/** A manager with the real runtime and the real layer store, and one busybox image. */
export async function createKit(): Promise<Kit> {
  const folder = mkdtempSync(path.join(tmpdir(), 'galley-ctr-'));
  const name = path.basename(folder);
  const log = createLog((process.env['GALLEY_TEST_LOG'] as 'debug' | undefined) ?? 'error');
  const db = new Database(path.join(folder, 'galley.db'));
  const layers = createLayerStore({ db, dataRoot: folder, log });
  const image = await busyboxImage();
  const layer = image.blobs.find((blob) => /layer|diff/.test(blob.mediaType));
  const chainId = image.diffIds[0];
  if (!layer || !chainId) throw new Error('the busybox fixture has no layer');
  await layers.unpack({
    chainId,
    parent: null,
    diffId: chainId,
    tar: createReadStream(path.join(image.folder, layer.digest.slice('sha256:'.length))).pipe(createGunzip()),
  });
  const networks = plainNetworks(name);
  const volumes = plainVolumes(path.join(folder, 'volumes'));
  const events: Kit['events'] = [];
  const volumeEvents: Kit['events'] = [];
  const facts = readHostFacts();
  const managers: ContainerManager[] = [];
  const make = () => {
    const manager = createContainerManager({
      db,
      dataRoot: folder,
      execRoot: path.join(folder, 'run'),
      runtime: createRuntime({ execRoot: path.join(folder, 'run'), log, host: facts }),
      buildSpec: (input) => buildSpec(input, facts),
      resolveUser,
      buildExecProcess: (input) => buildExecProcess(input, facts),
      layers,
      images: {
        commit: () => Promise.reject(new Error('the kit has no image store')),
        resolve: (reference) =>
          ['busybox', image.imageId].includes(reference)
            ? {
                id: image.imageId,
                config: { Cmd: ['sh'], Env: ['FROM_IMAGE=1'] },
                os: 'linux',
                architecture: '',
                chainId,
              }
            : undefined,
      },
      networks,
      volumes,
      publish: (action, id, attributes) => events.push({ action, id, attributes }),
      publishVolume: (action, name, attributes) => volumeEvents.push({ action, id: name, attributes }),
      log,
      cgroupParent: name,
      initPath: null,
      logCheckMs: 50,
    });
    managers.push(manager);
    return manager;
  };
  const kit: Kit = {
    containers: make(),
    layers,
    events,
    volumeEvents,
    folder,
    db,
    async reboot() {
      kit.containers = make();
      await kit.containers.restore();
      await kit.containers.applyRestartPolicies();
      return kit.containers;
    },
    body: (own = {}, host = {}) => ({ ...configOf(own), ...own, HostConfig: hostConfigOf(host) }),
    async [Symbol.asyncDispose]() {
      for (const { Id } of await kit.containers.list({ all: true, limit: 0, size: false, filters: {} }))
        await kit.containers.remove(Id, { force: true, volumes: true, link: false });
      for (const manager of managers) await manager.close();
      await layers.close();
      db.close();
      // The parent of the containers' cgroups belongs to the daemon as a whole, which a purge removes.
      for (const root of ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map((entry) => `/sys/fs/cgroup/${entry}`)])
        if (existsSync(path.join(root, name))) rmdirSync(path.join(root, name));
      const left = readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(folder));
      rmSync(folder, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`mounts were left: ${left.join('; ')}`);
    },
  };
  await kit.containers.restore();
  return kit;
}

/** A client in memory. `out` is what it was sent. */
export function client(): ClientStream & {
  out: { 1: string; 2: string };
  type(text: string): Promise<void>;
  end(): void;
  hangUp(): void;
  closed: Promise<void>;
} {
  const inputs: ((data: Buffer) => void | Promise<void>)[] = [];
  const ends: (() => void)[] = [];
  const closes: (() => void)[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let isClosed = false;
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    resolve();
    for (const listener of closes) listener();
  };
  const out = { 1: '', 2: '' };
  return {
    out,
    closed: promise,
    send: async (stream, data) => {
      out[stream] += data.toString();
    },
    onInput: (listener) => inputs.push(listener),
    onInputEnd: (listener) => ends.push(listener),
    onClose: (listener) => closes.push(listener),
    close,
    hangUp: close,
    async type(text) {
      for (const listener of inputs) await listener(Buffer.from(text));
    },
    end() {
      for (const listener of ends) listener();
    },
  };
}
