/** What setting up, taking down and changing a container's network have in common. */
import { randomBytes } from 'node:crypto';
import { networkErrors } from '../errors/networks.ts';
import type { Log } from '../system/log.ts';
import type { Mutex } from '../system/mutex.ts';
import { macOf, parseAddress } from './addresses.ts';
import { linksOf, modeNetwork, namesOf, parseLink, type WantedEndpoint } from './attachments.ts';
import { freeLink, gatewayEndpoint, routeBy, switchEndpointsOff, wire } from './endpoints.ts';
import { filesOf } from './files.ts';
import type { Addresses } from './ipam.ts';
import type { Namespaces } from './namespaces.ts';
import { activePorts, type PortReservations } from './ports.ts';
import type { EndpointRecord, NetworkRecord, SandboxRecord } from './records.ts';
import type { NameServers } from './resolver/index.ts';
import type { PublishedPort } from './ruleset.ts';
import type { NetworkStore } from './store.ts';
import type { NftTable } from './table.ts';
import type { NetworkContainers, NetworkEventSink, SandboxRequest } from './types.ts';

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

/** Steps that leave record, kernel and nft table in line with each other; whoever calls them holds the container's lock. */
export class SandboxParts {
  readonly #deps: SandboxDeps;

  constructor(deps: SandboxDeps) {
    this.#deps = deps;
  }

  /** Wires one network; gives the sandbox with it, which is recorded so that nobody else gets the address. */
  async attach(request: SandboxRequest, sandbox: SandboxRecord, wanted: WantedEndpoint): Promise<SandboxRecord> {
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
    await wire(sandbox.netnsPath, network, endpoint, this.gatewayOf(grown)?.endpoint === endpoint);
    return grown;
  }

  async startNameServer(sandbox: SandboxRecord): Promise<SandboxRecord> {
    if (sandbox.dnsPort !== 0 || !sandbox.endpoints.some(({ networkName }) => networkName !== 'bridge')) return sandbox;
    return { ...sandbox, dnsPort: await this.#deps.nameServers.start(sandbox) };
  }

  gatewayOf(sandbox: SandboxRecord): { endpoint: EndpointRecord; network: NetworkRecord } | undefined {
    const endpoint = gatewayEndpoint(sandbox.endpoints, (id) => this.#deps.store.network(id));
    const network = endpoint && this.#deps.store.network(endpoint.networkId);
    return endpoint && network ? { endpoint, network } : undefined;
  }

  /** Published ports lead to the address on the network with the default route. */
  withGateway(sandbox: SandboxRecord): SandboxRecord {
    const containerIp = this.gatewayOf(sandbox)?.endpoint.address ?? '';
    return { ...sandbox, ports: sandbox.ports.map((port) => ({ ...port, containerIp })) };
  }

  /**
   * The containers that --link names on the default bridge, which has no name server. At a start they must run; later one that ended
   * is left out.
   * @throws EngineError
   */
  #linked(request: SandboxRequest, sandbox: SandboxRecord, starting: boolean): (readonly [string, string])[] {
    const { containers, store } = this.#deps;
    const onBridge = (endpoints: readonly EndpointRecord[]) =>
      endpoints.find(({ networkName }) => networkName === 'bridge');
    if (!onBridge(sandbox.endpoints)) return [];
    return request.links.flatMap((link) => {
      const { name, alias } = parseLink(link);
      const { request: other } = containers.sandboxRequest(name);
      const address = onBridge(store.sandbox(other.containerId)?.endpoints ?? [])?.address;
      const otherName = other.containerName.replace(/^\//, '');
      if (!address && !starting) return [];
      if (!address) throw networkErrors.linkNotRunning(otherName, request.containerName.replace(/^\//, ''), alias);
      return [[address, [...new Set([alias, other.hostname, otherName])].join(' ')] as const];
    });
  }

  files(request: SandboxRequest, sandbox: SandboxRecord, starting = true) {
    const mode = modeNetwork(this.#deps.store, request);
    return filesOf({
      request,
      endpoints: sandbox.endpoints,
      linked: this.#linked(request, sandbox, starting),
      nameServer: sandbox.dnsPort !== 0,
      hostMode: mode?.driver === 'host',
      gateway: this.gatewayOf(sandbox)?.network.gateway || (this.#deps.store.byName('bridge')?.gateway ?? ''),
    });
  }

  announce(action: 'connect' | 'disconnect', network: NetworkRecord, container: string): void {
    this.#deps.publish(action, network.id, { container, name: network.name, type: network.driver });
  }

  /** Namespace, name server and row of a sandbox whose ports are closed or never were open. */
  async discard(sandbox: SandboxRecord): Promise<void> {
    const { store, namespaces, nameServers } = this.#deps;
    nameServers.stop(sandbox.containerId);
    await switchEndpointsOff(sandbox);
    if (sandbox.netnsPath) await namespaces.destroy(sandbox.netnsPath);
    store.deleteSandbox(sandbox.containerId);
  }

  /** Records a change of a sandbox and brings the nft elements of its ports in line with it. */
  async movePorts(containerId: string, change: (sandbox: SandboxRecord) => SandboxRecord): Promise<void> {
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

  /** Records the sandbox as it is now, and sets its route and ports accordingly. */
  async settle(sandbox: SandboxRecord): Promise<void> {
    await this.movePorts(sandbox.containerId, () => this.withGateway(sandbox));
    await routeBy(sandbox.netnsPath, this.gatewayOf(sandbox));
  }

  async rewriteFiles(containerId: string): Promise<void> {
    const sandbox = this.#deps.store.sandbox(containerId);
    const { request } = this.#deps.containers.sandboxRequest(containerId);
    if (sandbox) await this.#deps.containers.writeFiles(containerId, this.files(request, sandbox, false));
  }
}
