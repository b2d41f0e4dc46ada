import { messageOf } from '../errors/index.ts';
import type { Database } from '../state/index.ts';
import type { Log } from '../system/log.ts';
import { Mutex } from '../system/mutex.ts';
import { Router } from '../system/netlink/index.ts';
import { ensureBridge, ownershipMark, removeBridge } from './bridges.ts';
import { matchesFilters } from './filters.ts';
import { ForwardAccepts } from './firewall.ts';
import { Hotplug } from './hotplug.ts';
import { Addresses } from './ipam.ts';
import { createNetwork, ensurePredefined, type LifecycleDeps, pruneNetworks, removeNetwork } from './lifecycle.ts';
import { createNamespaces } from './namespaces.ts';
import { activePorts, PortReservations, type ReservedPort, releasePorts } from './ports.ts';
import { NameServers } from './resolver/index.ts';
import { type SandboxDeps, SandboxParts } from './sandbox-parts.ts';
import { Sandboxes } from './sandboxes.ts';
import { NetworkStore } from './store.ts';
import { NftTable } from './table.ts';
import type { NetworkContainers, NetworkEventSink, NetworkManager } from './types.ts';
import { resource } from './views.ts';

export interface NetworkManagerDeps {
  db: Database;
  /** --name: prefix of bridges and of the nft table. */
  name: string;
  execRoot: string;
  poolSize: number;
  publish: NetworkEventSink;
  containers: NetworkContainers;
  log: Log;
}

/**
 * The nft table of a galleyd. The name alone would not do: nft takes `map`, `ip` or `drop` for words of its own language, while
 * `map-galley` is a name.
 */
export const tableName = (name: string): string => (name === 'galley' ? name : `${name}-galley`);

/** Puts the parts of this folder together; each does one thing, this knows them all. */
export function createNetworkManager(deps: NetworkManagerDeps): NetworkManager {
  const { name, log, publish, containers } = deps;
  const store = new NetworkStore(deps.db);
  const mark = ownershipMark(name);
  const accepts = new ForwardAccepts(mark, tableName(name), log);
  /** Changes of bridges and of the nft table, one at a time; taking an address and reserving ports are synchronous and need none. */
  const mutex = new Mutex();
  const bridges = () => store.networks().filter((network) => network.driver === 'bridge');
  const table = new NftTable({
    name: tableName(name),
    bridges,
    ports: () => store.sandboxes().flatMap(activePorts),
    accepts,
    mutex,
    log,
  });
  const namespaces = createNamespaces(deps.execRoot, deps.poolSize, (error) =>
    log.warn('could not prepare a network namespace', { error: messageOf(error) }),
  );
  const nameServers = new NameServers(store, containers, log);
  const lifecycle: LifecycleDeps = { name, mark, store, table, mutex, publish };
  const sandboxDeps: SandboxDeps = {
    name,
    store,
    addresses: new Addresses(store),
    namespaces,
    table,
    ports: new PortReservations(store, containers),
    nameServers,
    containers,
    publish,
    mutex,
    log,
  };
  const parts = new SandboxParts(sandboxDeps);
  const sandboxes = new Sandboxes(sandboxDeps, parts);
  const hotplug = new Hotplug(sandboxDeps, parts, (containerId) => sandboxes.tearDown(containerId));

  /** A container's network changes by one call at a time: a connect must not meet the end of the container. */
  const locks = new Map<string, Mutex>();
  async function alone<T>(containerId: string, what: string, work: () => Promise<T>): Promise<T> {
    const lock = locks.get(containerId) ?? new Mutex();
    locks.set(containerId, lock);
    try {
      return await lock.run(`${what} ${containerId.slice(0, 12)}`, work);
    } finally {
      if (lock.owner === '') locks.delete(containerId);
    }
  }
  /** The id behind what a client called the container; unknown ones are told apart under the lock. */
  const idOf = (reference: string): string => {
    try {
      return containers.sandboxRequest(reference).request.containerId;
    } catch {
      return reference;
    }
  };

  /** The kernel removes the pairs of dead namespaces, later; a purge waits for it. */
  async function removePairs(): Promise<void> {
    using router = new Router();
    const ours = new RegExp(`^${name.slice(0, 8)}v[0-9a-f]{6}$`);
    for (const link of await router.links()) if (ours.test(link.name)) await router.removeLink(link.name);
  }

  return {
    list: (filters) =>
      store
        .networks()
        .filter((network) => matchesFilters(network, filters, store.attachedTo(network.id).length > 0))
        .map((network) => resource(network, [])),
    inspect(reference) {
      const network = store.find(reference);
      return resource(network, store.attachedTo(network.id));
    },
    create: (request) => createNetwork(lifecycle, request),
    remove: (reference) => removeNetwork(lifecycle, reference),
    prune: (filters) => pruneNetworks(lifecycle, filters),
    connect: (reference, container, settings) =>
      alone(idOf(container), 'connect', () => hotplug.connect(reference, container, settings)),
    disconnect: (reference, container, force) =>
      alone(idOf(container), 'disconnect', () => hotplug.disconnect(reference, container, force)),
    validate: (request) => sandboxes.validate(request),
    setUp: (request) => alone(request.containerId, 'set up the network of', () => sandboxes.setUp(request)),
    tearDown: (containerId) => alone(containerId, 'take down the network of', () => sandboxes.tearDown(containerId)),
    settingsOf: (_containerId, request) => sandboxes.settingsOf(request),
    releaseDescriptors(sandbox) {
      releasePorts(sandbox.portDescriptors.splice(0).map((descriptor) => ({ descriptor }) as ReservedPort));
    },
    namespaceOf: (containerId) => store.sandbox(containerId)?.netnsPath || undefined,
    async restore(running) {
      await ensurePredefined(lifecycle);
      await mutex.run('restore the networks', async () => {
        for (const network of bridges()) await ensureBridge(network, mark);
        await sandboxes.restore(running);
        await namespaces.collect(new Set(store.sandboxes().map((sandbox) => sandbox.netnsPath)));
        await table.rebuild();
      });
      table.watch();
      namespaces.fill();
    },
    async destroy() {
      for (const { containerId } of store.sandboxes()) await sandboxes.tearDown(containerId);
      await table.close();
      nameServers.close();
      await namespaces.close();
      await namespaces.collect(new Set());
      await mutex.run('remove the networks', () => table.remove());
      await removePairs();
      for (const network of bridges()) await removeBridge(network, mark);
    },
    warnings: () => accepts.warnings(),
    async close() {
      await table.close();
      nameServers.close();
      await namespaces.close();
    },
  };
}
