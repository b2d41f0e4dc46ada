/** The live network of a container: set up at its start, taken down after its end, adopted at boot. */
import { messageOf } from '../errors/index.ts';
import { networkErrors } from '../errors/networks.ts';
import { checkEndpoint, modeNetwork, parseLink, type WantedEndpoint, wantedEndpoints } from './attachments.ts';
import { networkOptions } from './bridges.ts';
import { plugAgain, routeBy, unwire } from './endpoints.ts';
import { activePorts, releasePorts, wantedPorts } from './ports.ts';
import type { NetworkRecord, SandboxRecord } from './records.ts';
import type { SandboxDeps, SandboxParts } from './sandbox-parts.ts';
import { networkSettings } from './settings.ts';
import type { Sandbox, SandboxRequest } from './types.ts';

export class Sandboxes {
  readonly #deps: SandboxDeps;
  readonly #parts: SandboxParts;

  constructor(deps: SandboxDeps, parts: SandboxParts) {
    this.#deps = deps;
    this.#parts = parts;
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
    for (const { name } of request.links.map(parseLink)) if (!this.#knows(name)) throw networkErrors.linkNotFound(name);
  }

  #knows(container: string): boolean {
    try {
      return this.#deps.containers.sandboxRequest(container).request.containerId !== '';
    } catch {
      return false;
    }
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
    return {
      netnsPath,
      settings: this.settingsOf(request),
      portDescriptors: [],
      ...this.#parts.files(request, sandbox),
    };
  }

  async #setUpBridged(request: SandboxRequest): Promise<Sandbox> {
    const { namespaces, store, ports, mutex, table } = this.#deps;
    const wanted = wantedEndpoints(store, request);
    const reserved = ports.reserve(request, this.#defaultHostIp(wanted));
    let sandbox: SandboxRecord | undefined;
    let files: { hostsFile: string; resolvConf: string };
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
      for (const one of wanted) sandbox = await this.#parts.attach(request, sandbox, one);
      sandbox = await this.#parts.startNameServer(sandbox);
      sandbox = this.#parts.withGateway(sandbox);
      files = this.#parts.files(request, sandbox);
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
      if (sandbox) await this.#parts.discard(store.sandbox(request.containerId) ?? sandbox);
      throw error;
    }
    for (const { network } of wanted) this.#parts.announce('connect', network, request.containerId);
    return {
      netnsPath: sandbox.netnsPath,
      settings: this.settingsOf(request),
      portDescriptors: reserved.map((port) => port.descriptor),
      ...files,
    };
  }

  #defaultHostIp(wanted: readonly WantedEndpoint[]): string {
    const open = wanted.find(({ network }) => !network.internal);
    return open ? networkOptions(open.network).hostAddress : '';
  }

  settingsOf(request: SandboxRequest) {
    const { store } = this.#deps;
    return networkSettings(request, store.sandbox(request.containerId), (reference) => store.byReference(reference));
  }

  /** Idempotent. */
  async tearDown(containerId: string): Promise<void> {
    const { store } = this.#deps;
    if (!store.sandbox(containerId)) return;
    await this.#parts.movePorts(containerId, (sandbox) => ({ ...sandbox, ports: [] }));
    const sandbox = store.sandbox(containerId);
    if (!sandbox) return; // another call took it down meanwhile
    await this.#parts.discard(sandbox);
    for (const { networkId } of sandbox.endpoints) {
      const network = store.network(networkId);
      if (network) this.#parts.announce('disconnect', network, containerId);
    }
  }

  /** Boot, when the bridges are there: what does not run is freed, what runs gets its wires and name server back. */
  async restore(running: ReadonlySet<string>): Promise<void> {
    const { store, nameServers, log } = this.#deps;
    for (const found of store.sandboxes()) {
      if (!running.has(found.containerId)) {
        await this.#parts.discard(found);
        continue;
      }
      const sandbox = await this.#reconcile(found);
      if (sandbox.dnsPort !== 0)
        await nameServers.start(sandbox).catch((error: unknown) => {
          log.warn('a container is without its name server', {
            container: sandbox.containerName,
            error: messageOf(error),
          });
        });
    }
  }

  /** A connect or disconnect that a crash cut is undone or finished; a bridge that is new gets its ports back. */
  async #reconcile(found: SandboxRecord): Promise<SandboxRecord> {
    const { store, containers } = this.#deps;
    const { request } = containers.sandboxRequest(found.containerId);
    const recorded = new Map(
      Object.keys(request.endpoints).flatMap((key) => {
        const network = store.byReference(key);
        return network ? [[network.id, key] as const] : [];
      }),
    );
    const kept = found.endpoints.filter(({ networkId }) => recorded.has(networkId));
    for (const endpoint of found.endpoints) if (!kept.includes(endpoint)) await unwire(endpoint);
    for (const [networkId, key] of recorded)
      if (!kept.some((endpoint) => endpoint.networkId === networkId))
        containers.recordEndpoint(found.containerId, key, null);
    for (const endpoint of kept) {
      const network = store.network(endpoint.networkId);
      if (network) await plugAgain(network, endpoint);
    }
    if (kept.length === found.endpoints.length) return found;
    const sandbox = this.#parts.withGateway({ ...found, endpoints: kept });
    store.saveSandbox(sandbox);
    await routeBy(sandbox.netnsPath, this.#parts.gatewayOf(sandbox));
    return sandbox;
  }
}
