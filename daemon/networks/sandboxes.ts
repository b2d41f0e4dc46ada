/** The live network of a container: set up at its start, changed by connect and disconnect, taken down after its end. */
import { randomBytes } from 'node:crypto';
import type { EndpointSettings } from '../../src/api/index.ts';
import { EngineError, messageOf } from '../errors/index.ts';
import { networkErrors } from '../errors/networks.ts';
import type { Log } from '../system/log.ts';
import type { Mutex } from '../system/mutex.ts';
import { macOf, parseAddress } from './addresses.ts';
import {
  checkEndpoint,
  isShared,
  linksOf,
  modeNetwork,
  namesOf,
  type WantedEndpoint,
  wantedEndpoints,
} from './attachments.ts';
import { networkOptions } from './bridges.ts';
import { freeLink, gatewayEndpoint, routeBy, switchEndpointsOff, unwire, wire } from './endpoints.ts';
import { filesOf } from './files.ts';
import type { Addresses } from './ipam.ts';
import type { Namespaces } from './namespaces.ts';
import { activePorts, type PortReservations, releasePorts, wantedPorts } from './ports.ts';
import type { EndpointRecord, NetworkRecord, SandboxRecord } from './records.ts';
import type { NameServers } from './resolver/index.ts';
import type { PublishedPort } from './ruleset.ts';
import { networkSettings } from './settings.ts';
import type { NetworkStore } from './store.ts';
import type { NftTable } from './table.ts';
import type { NetworkContainers, NetworkEventSink, Sandbox, SandboxRequest } from './types.ts';

export interface SandboxDeps {
  name: string;
  store: NetworkStore;
  addresses: Addresses;
  namespaces: Namespaces;
  table: NftTable;
  ports: PortReservations;
  nameServers: NameServers;
  containers: NetworkContainers;
  publish: NetworkEventSink;
  mutex: Mutex;
  log: Log;
}

export class Sandboxes {
  readonly #deps: SandboxDeps;

  constructor(deps: SandboxDeps) {
    this.#deps = deps;
  }

  /** Create-time check without side effects. @throws EngineError */
  validate(request: SandboxRequest): void {
    const { store } = this.#deps;
    wantedPorts(request.portBindings, request.exposedPorts, request.publishAll);
    for (const { network, settings } of wantedEndpoints(store, request)) {
      if (network.driver !== 'bridge') throw networkErrors.severalModes(network.name);
      checkEndpoint(network, settings, true);
    }
    modeNetwork(store, request);
  }

  /** All or nothing. @throws EngineError */
  async setUp(request: SandboxRequest): Promise<Sandbox> {
    this.validate(request);
    await this.tearDown(request.containerId);
    const network = modeNetwork(this.#deps.store, request);
    return network?.driver === 'bridge' ? this.#setUpBridged(request) : this.#setUpPlain(request, network);
  }

  /** host, none and `container:`: no addresses, no ports. */
  async #setUpPlain(request: SandboxRequest, network: NetworkRecord | undefined): Promise<Sandbox> {
    const { containers, namespaces, store } = this.#deps;
    let netnsPath: string | null = null;
    if (!network) {
      const reference = request.networkMode.slice('container:'.length);
      const target = containers.sandboxRequest(reference);
      if (!target.running) throw networkErrors.notRunning(reference);
      netnsPath = `/proc/${target.pid}/ns/net`;
    } else if (network.driver === 'null') netnsPath = await namespaces.take();
    const sandbox: SandboxRecord = {
      containerId: request.containerId,
      containerName: request.containerName,
      netnsPath: network?.driver === 'null' ? (netnsPath ?? '') : '',
      endpoints: [],
      ports: [],
      dnsPort: 0,
    };
    store.saveSandbox(sandbox);
    return { netnsPath, settings: this.settingsOf(request), portDescriptors: [], ...this.#files(request, sandbox) };
  }

  async #setUpBridged(request: SandboxRequest): Promise<Sandbox> {
    const { namespaces, store, ports, mutex, table } = this.#deps;
    const wanted = wantedEndpoints(store, request);
    const reserved = ports.reserve(request, this.#defaultHostIp(wanted));
    let sandbox: SandboxRecord | undefined;
    try {
      const netnsPath = await namespaces.take();
      sandbox = {
        containerId: request.containerId,
        containerName: request.containerName,
        netnsPath,
        endpoints: [],
        ports: reserved.map(({ descriptor: _, ...port }) => ({ ...port, containerIp: '' })),
        dnsPort: 0,
      };
      for (const one of wanted) sandbox = await this.#attach(request, sandbox, one);
      sandbox = await this.#startNameServer(sandbox);
      sandbox = this.#withGateway(sandbox);
      const active = activePorts(sandbox);
      // Under the mutex and known before its elements are in: a rebuild of the table at the same time must not lose them.
      if (active.length === 0) store.saveSandbox(sandbox);
      else {
        const final = sandbox;
        await mutex.run(`publish the ports of ${request.containerName}`, async () => {
          store.saveSandbox(final);
          await table.publish(active);
        });
      }
    } catch (error) {
      releasePorts(reserved);
      // nft is one transaction, so that no element is left of ports that could not be published.
      if (sandbox) await this.#discard(store.sandbox(request.containerId) ?? sandbox);
      throw error;
    }
    for (const { network } of wanted) this.#announce('connect', network, request.containerId);
    return {
      netnsPath: sandbox.netnsPath,
      settings: this.settingsOf(request),
      portDescriptors: reserved.map((port) => port.descriptor),
      ...this.#files(request, sandbox),
    };
  }

  /** Wires one network; gives the sandbox with it, which is recorded so that nobody else gets the address. */
  async #attach(request: SandboxRequest, sandbox: SandboxRecord, wanted: WantedEndpoint): Promise<SandboxRecord> {
    const { addresses, store, name } = this.#deps;
    const { network, settings } = wanted;
    using taken = addresses.take(network, settings?.IPAMConfig?.IPv4Address || undefined);
    const endpointId = randomBytes(32).toString('hex');
    const first = sandbox.endpoints.length === 0;
    const endpoint: EndpointRecord = {
      networkId: network.id,
      networkName: network.name,
      endpointId,
      veth: `${name.slice(0, 8)}v${endpointId.slice(0, 6)}`,
      ...freeLink(sandbox.endpoints),
      address: taken.address,
      mac: settings?.MacAddress || (first && request.macAddress) || macOf(parseAddress(taken.address) as number),
      aliases: namesOf(request, settings),
      links: linksOf(settings),
      gatewayPriority: settings?.GwPriority ?? 0,
    };
    const grown = { ...sandbox, endpoints: [...sandbox.endpoints, endpoint] };
    // The row first: what a crash cuts here is found at boot.
    store.saveSandbox(grown);
    await wire(sandbox.netnsPath, network, endpoint, this.#gatewayOf(grown)?.endpoint === endpoint);
    return grown;
  }

  async #startNameServer(sandbox: SandboxRecord): Promise<SandboxRecord> {
    if (sandbox.dnsPort !== 0 || !sandbox.endpoints.some(({ networkName }) => networkName !== 'bridge')) return sandbox;
    return { ...sandbox, dnsPort: await this.#deps.nameServers.start(sandbox) };
  }

  #gatewayOf(sandbox: SandboxRecord): { endpoint: EndpointRecord; network: NetworkRecord } | undefined {
    const endpoint = gatewayEndpoint(sandbox.endpoints, (id) => this.#deps.store.network(id));
    const network = endpoint && this.#deps.store.network(endpoint.networkId);
    return endpoint && network ? { endpoint, network } : undefined;
  }

  /** Published ports lead to the address on the network with the default route. */
  #withGateway(sandbox: SandboxRecord): SandboxRecord {
    const containerIp = this.#gatewayOf(sandbox)?.endpoint.address ?? '';
    return { ...sandbox, ports: sandbox.ports.map((port) => ({ ...port, containerIp })) };
  }

  #defaultHostIp(wanted: readonly WantedEndpoint[]): string {
    const open = wanted.find(({ network }) => !network.internal);
    return open ? networkOptions(open.network).hostAddress : '';
  }

  #files(request: SandboxRequest, sandbox: SandboxRecord) {
    const mode = modeNetwork(this.#deps.store, request);
    return filesOf({
      request,
      endpoints: sandbox.endpoints,
      nameServer: sandbox.dnsPort !== 0,
      hostMode: mode?.driver === 'host',
      gateway: this.#gatewayOf(sandbox)?.network.gateway || (this.#deps.store.byName('bridge')?.gateway ?? ''),
    });
  }

  settingsOf(request: SandboxRequest) {
    const { store } = this.#deps;
    return networkSettings(request, store.sandbox(request.containerId), (reference) => store.byReference(reference));
  }

  #announce(action: 'connect' | 'disconnect', network: NetworkRecord, container: string): void {
    this.#deps.publish(action, network.id, { container, name: network.name, type: network.driver });
  }

  /** Namespace, name server and row of a sandbox whose ports are closed or never were open. */
  async #discard(sandbox: SandboxRecord): Promise<void> {
    const { store, namespaces, nameServers } = this.#deps;
    nameServers.stop(sandbox.containerId);
    await switchEndpointsOff(sandbox);
    if (sandbox.netnsPath) await namespaces.destroy(sandbox.netnsPath);
    store.deleteSandbox(sandbox.containerId);
  }

  /** Idempotent. */
  async tearDown(containerId: string): Promise<void> {
    const { store } = this.#deps;
    if (!store.sandbox(containerId)) return;
    await this.#movePorts(containerId, (sandbox) => ({ ...sandbox, ports: [] }));
    const sandbox = store.sandbox(containerId);
    if (!sandbox) return; // another call took it down meanwhile
    await this.#discard(sandbox);
    for (const { networkId } of sandbox.endpoints) {
      const network = store.network(networkId);
      if (network) this.#announce('disconnect', network, containerId);
    }
  }

  /** Records a change of a sandbox and brings the nft elements of its ports in line with it. */
  async #movePorts(containerId: string, change: (sandbox: SandboxRecord) => SandboxRecord): Promise<void> {
    const { store, mutex, table } = this.#deps;
    const current = store.sandbox(containerId);
    if (!current) return;
    const target = (port: PublishedPort) => JSON.stringify(port);
    const apply = async (): Promise<void> => {
      const before = store.sandbox(containerId);
      if (!before) return;
      const after = change(before);
      store.saveSandbox(after);
      const stays = new Set(activePorts(after).map(target));
      const was = new Set(activePorts(before).map(target));
      await table.withdraw(activePorts(before).filter((port) => !stays.has(target(port))));
      await table.publish(activePorts(after).filter((port) => !was.has(target(port))));
    };
    if (current.ports.length === 0) await apply();
    else await mutex.run(`change the ports of ${current.containerName}`, apply);
  }

  /** @throws EngineError 403, 404, 409 */
  async connect(reference: string, containerReference: string, settings: EndpointSettings | null): Promise<void> {
    const { containers, store } = this.#deps;
    if (containerReference === '') throw networkErrors.noContainer();
    const network = store.find(reference);
    const { request, running } = containers.sandboxRequest(containerReference);
    const mode = modeNetwork(store, request);
    if (isShared(request.networkMode) || (mode?.driver === 'host' && network.driver !== 'host'))
      throw networkErrors.sharedMode();
    if (network.driver === 'host') throw networkErrors.hostMode();
    if (network.driver !== 'bridge' || mode?.driver === 'null') throw networkErrors.privateMode();
    checkEndpoint(network, settings);
    const known = Object.keys(request.endpoints).some((key) => store.byReference(key) === network);
    if (known) throw networkErrors.alreadyConnected(request.containerName.replace(/^\//, ''), network.name);
    if (running) {
      const sandbox = store.sandbox(request.containerId);
      if (!sandbox) throw networkErrors.notRunning(containerReference);
      let grown: SandboxRecord;
      try {
        grown = await this.#startNameServer(await this.#attach(request, sandbox, { network, settings }));
        await this.#settle(grown);
      } catch (error) {
        const { endpoints } = store.sandbox(request.containerId) ?? sandbox;
        const added = endpoints.find(({ networkId }) => networkId === network.id);
        if (added) await unwire(added);
        await this.#settle(sandbox);
        throw error instanceof EngineError ? error : networkErrors.connectFailed(network.name, messageOf(error));
      }
    }
    containers.recordEndpoint(request.containerId, network.name, settings ?? {});
    if (running) {
      await this.#rewriteFiles(request.containerId);
      this.#announce('connect', network, request.containerId);
    }
  }

  /** Records the sandbox as it is now, and sets its route and ports accordingly. */
  async #settle(sandbox: SandboxRecord): Promise<void> {
    await this.#movePorts(sandbox.containerId, () => this.#withGateway(sandbox));
    await routeBy(sandbox.netnsPath, this.#gatewayOf(sandbox));
  }

  async #rewriteFiles(containerId: string): Promise<void> {
    const sandbox = this.#deps.store.sandbox(containerId);
    const { request } = this.#deps.containers.sandboxRequest(containerId);
    if (sandbox) await this.#deps.containers.writeFiles(containerId, this.#files(request, sandbox));
  }

  /** @throws EngineError 403, 404 */
  async disconnect(reference: string, containerReference: string, force: boolean): Promise<void> {
    const { containers, store } = this.#deps;
    const network = store.find(reference);
    let found: ReturnType<NetworkContainers['sandboxRequest']>;
    try {
      found = containers.sandboxRequest(containerReference);
    } catch (error) {
      // --force is for what a crash left of a container that is gone.
      const left = store.attachedTo(network.id).find(({ sandbox }) => sandbox.containerId === containerReference);
      if (!force || !left) throw error;
      await this.tearDown(left.sandbox.containerId);
      return;
    }
    const { request, running } = found;
    if (modeNetwork(store, request)?.driver === 'host') throw networkErrors.hostMode();
    const containerName = request.containerName.replace(/^\//, '');
    const key = Object.keys(request.endpoints).find((candidate) => store.byReference(candidate) === network);
    if (key === undefined) throw networkErrors.notConnected(request.containerId, network.name);
    const sandbox = store.sandbox(request.containerId);
    const endpoint = sandbox?.endpoints.find(({ networkId }) => networkId === network.id);
    if (running && sandbox && endpoint) {
      await this.#settle({ ...sandbox, endpoints: sandbox.endpoints.filter((other) => other !== endpoint) });
      await unwire(endpoint);
      this.#deps.log.debug('disconnected', { container: containerName, network: network.name });
    }
    containers.recordEndpoint(request.containerId, key, null);
    if (running) {
      await this.#rewriteFiles(request.containerId);
      this.#announce('disconnect', network, request.containerId);
    }
  }

  /** Boot: what does not run is freed, what runs gets its name server back. */
  async restore(running: ReadonlySet<string>): Promise<void> {
    const { store, nameServers, log } = this.#deps;
    for (const sandbox of store.sandboxes()) {
      if (!running.has(sandbox.containerId)) await this.#discard(sandbox);
      else if (sandbox.dnsPort !== 0)
        await nameServers.start(sandbox).catch((error: unknown) => {
          log.warn('a container is without its name server', {
            container: sandbox.containerName,
            error: messageOf(error),
          });
        });
    }
  }
}
