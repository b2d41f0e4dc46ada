import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import {
  type ApiServer,
  archiveRoutes,
  commitRoutes,
  containerRoutes,
  createApiServer,
  diskUsageRoutes,
  execRoutes,
  imageRoutes,
  networkRoutes,
  type SystemFacts,
  systemRoutes,
  unsupportedRoutes,
  volumeRoutes,
} from '../api/index.ts';
import { type ContainerManager, createContainerManager } from '../containers/index.ts';
import { messageOf } from '../errors/index.ts';
import { createEventBus, type EventBus } from '../history/index.ts';
import { createImageStore } from '../images/index.ts';
import { createLayerStore, type LayerStore } from '../layers/index.ts';
import { createNetworkManager, type NetworkManager } from '../networks/index.ts';
import {
  buildExecProcess,
  buildSpec,
  checkHostConfig,
  createRuntime,
  readHostFacts,
  resolveUser,
} from '../runtime/index.ts';
import { Database, Leases, NewerSchemaError } from '../state/index.ts';
import { readHost } from '../system/host.ts';
import type { Log } from '../system/log.ts';
import { createVolumeManager, type VolumeManager } from '../volumes/index.ts';
import { buildHash, engineId } from './identity.ts';
import { type Settings, SettingsError } from './settings.ts';
import { toolVersions } from './tools.ts';

/** A dynamic tini does not run in a busybox image: only a static one can be bound into any root (design section 3). */
const STATIC_INITS = [
  '/usr/bin/tini-static',
  '/usr/libexec/docker/docker-init',
  '/usr/bin/docker-init',
  '/sbin/tini-static',
];

export interface Engine {
  api: ApiServer;
  /** After a crash or a start: adopt what runs, clean up what nothing refers to, apply restart policies. */
  restore(): Promise<void>;
  /** Ends galleyd's own work; containers live on. */
  close(): Promise<void>;
  containers: ContainerManager;
  networks: NetworkManager;
  volumes: VolumeManager;
  layers: LayerStore;
  events: EventBus;
}

/** Folders with their modes: the data root is ours alone, the exec root lets others reach the API socket and nothing else (design section 4). */
export function makeRoots(settings: Settings): void {
  mkdirSync(settings.dataRoot, { recursive: true, mode: 0o700 });
  chmodSync(settings.dataRoot, 0o700);
  mkdirSync(settings.execRoot, { recursive: true, mode: 0o711 });
  chmodSync(settings.execRoot, 0o711);
}

/**
 * Opens the database and looks through it whole (10 ms for 10 MB): damage is told now, not by the request that meets it.
 * @throws SettingsError naming the file and the way out; the file stays as it is.
 */
export function openDatabase(dataRoot: string): Database {
  const file = path.join(dataRoot, 'galley.db');
  const wayOut = `nothing was changed: put back a copy of galley.db, or move the whole folder away (mv ${dataRoot} ${dataRoot}.broken) to begin empty; volumes stay in ${dataRoot}.broken/volumes`;
  let db: Database | undefined;
  try {
    db = new Database(file);
    const found = Object.values(db.sql('PRAGMA quick_check(1)').get() ?? {})[0];
    if (found !== 'ok') throw new Error(String(found).replaceAll('\n', ' '));
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof NewerSchemaError) throw new SettingsError(`${file}: ${error.message}`);
    throw new SettingsError(`the database ${file} cannot be used: ${messageOf(error)}; ${wayOut}`);
  }
}

/** Puts the domains together: each gets its neighbours handed in, none imports another. */
export async function createEngine(settings: Settings, log: Log, db: Database): Promise<Engine> {
  const { dataRoot, execRoot, name } = settings;
  const leases = new Leases(db);
  leases.dropAll(); // before the API listens: a pull that starts meanwhile keeps its own
  const events = createEventBus(db, log);
  const host = readHost();
  const hostFacts = readHostFacts();
  const tools = await toolVersions();

  const runtime = createRuntime({ execRoot, log, host: hostFacts });
  const layers = createLayerStore({ db, dataRoot, log, driver: settings.layerDriver });
  const volumes = createVolumeManager({
    db,
    dataRoot,
    log,
    publish: (action, id, attributes) => events.publish('volume', action, id, attributes),
  });
  // Images and networks ask containers, containers ask them: the later one is reached through a variable.
  let containers: ContainerManager;
  const images = createImageStore({
    db,
    leases,
    layers,
    dataRoot,
    log,
    mirrors: settings.registryMirrors,
    keepBlobs: !settings.dropLayerBlobs,
    insecureRegistries: settings.insecureRegistries,
    users: { usersOf: (imageId) => containers.usersOf(imageId) },
    publish: (action, id, attributes) => events.publish('image', action, id, attributes),
  });
  const networks = createNetworkManager({
    db,
    name,
    execRoot,
    poolSize: settings.poolSize,
    log,
    containers: {
      sandboxRequest: (reference) => containers.sandboxRequest(reference),
      nameOf: (containerId) => containers.nameOf(containerId),
      recordEndpoint: (containerId, network, settings) => containers.recordEndpoint(containerId, network, settings),
      writeFiles: (containerId, files) => containers.writeFiles(containerId, files),
    },
    publish: (action, id, attributes) => events.publish('network', action, id, attributes),
  });
  containers = createContainerManager({
    db,
    dataRoot,
    execRoot,
    runtime,
    checkHostConfig: (hostConfig) => checkHostConfig(hostConfig, hostFacts),
    buildSpec: (input) => buildSpec(input, hostFacts),
    resolveUser,
    buildExecProcess: (input) => buildExecProcess(input, hostFacts),
    layers,
    images,
    networks,
    volumes,
    publish: (action, id, attributes) => events.publish('container', action, id, attributes),
    publishVolume: (action, name, attributes) => events.publish('volume', action, name, attributes),
    log,
    cgroupParent: name,
    defaultRuntime: settings.defaultRuntime,
    initPath: STATIC_INITS.find((file) => existsSync(file)) ?? null,
  });

  const facts: SystemFacts = {
    host,
    engineId: engineId(db),
    name,
    dataRoot,
    execRoot,
    startedAt: new Date(),
    pid: process.pid,
    buildHash: buildHash(),
    cgroupVersion: hostFacts.cgroupVersion,
    ...tools,
    registryMirrors: settings.registryMirrors,
    insecureRegistries: settings.insecureRegistries,
    containers: () => containers.counts(),
    images: () => images.count(),
    layerStatus: () => layers.driverStatus(),
    warnings: () => networks.warnings(),
  };
  const api = createApiServer(
    [
      ...systemRoutes(facts, events),
      ...containerRoutes(containers),
      ...archiveRoutes(containers),
      ...commitRoutes(containers),
      ...diskUsageRoutes({
        images: () => images.list({ all: false, filters: {}, sharedSize: true }),
        containers: () => containers.list({ all: true, limit: 0, size: true, filters: {} }),
        volumes: () => volumes.list({}),
        volumeSize: (name) => volumes.size(name),
        volumeUsers: (name) => volumes.usersOf(name),
        layersSize: () => layers.all().reduce((sum, layer) => sum + layer.size, 0),
      }),
      ...execRoutes(containers),
      ...imageRoutes(images),
      ...networkRoutes(networks),
      ...volumeRoutes(volumes),
      ...unsupportedRoutes(),
    ],
    log,
  );

  return {
    api,
    containers,
    networks,
    volumes,
    layers,
    events,
    async restore() {
      await containers.restore();
      const known = await containers.list({ all: true, limit: 0, size: false, filters: {} });
      await layers.collect(new Set(known.map((container) => container.Id)));
      const running = containers.running();
      await networks.restore(running);
      await volumes.restore(running);
      await images.collectGarbage();
      await containers.applyRestartPolicies();
    },
    async close() {
      await containers.close();
      await networks.close();
      await images.close();
      await layers.close();
      events.flush();
      db.close();
    },
  };
}
