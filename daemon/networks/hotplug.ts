/** Connecting and disconnecting containers that exist, running or not. */
import type { EndpointSettings } from '../../src/api/index.ts';
import { EngineError, messageOf } from '../errors/index.ts';
import { networkErrors } from '../errors/networks.ts';
import { checkEndpoint, isShared, modeNetwork } from './attachments.ts';
import { unwire } from './endpoints.ts';
import type { SandboxRecord } from './records.ts';
import type { SandboxDeps, SandboxParts } from './sandbox-parts.ts';
import type { NetworkContainers } from './types.ts';

export class Hotplug {
  readonly #deps: SandboxDeps;
  readonly #parts: SandboxParts;
  readonly #tearDown: (containerId: string) => Promise<void>;

  constructor(deps: SandboxDeps, parts: SandboxParts, tearDown: (containerId: string) => Promise<void>) {
    this.#deps = deps;
    this.#parts = parts;
    this.#tearDown = tearDown;
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
        grown = await this.#parts.startNameServer(await this.#parts.attach(request, sandbox, { network, settings }));
        await this.#parts.settle(grown);
      } catch (error) {
        const { endpoints } = store.sandbox(request.containerId) ?? sandbox;
        const added = endpoints.find(({ networkId }) => networkId === network.id);
        if (added) await unwire(added);
        await this.#parts.settle(sandbox);
        throw error instanceof EngineError ? error : networkErrors.connectFailed(network.name, messageOf(error));
      }
    }
    containers.recordEndpoint(request.containerId, network.name, settings ?? {});
    if (running) {
      await this.#parts.rewriteFiles(request.containerId);
      this.#parts.announce('connect', network, request.containerId);
    }
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
      await this.#tearDown(left.sandbox.containerId);
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
      await this.#parts.settle({ ...sandbox, endpoints: sandbox.endpoints.filter((other) => other !== endpoint) });
      await unwire(endpoint);
      this.#deps.log.debug('disconnected', { container: containerName, network: network.name });
    }
    containers.recordEndpoint(request.containerId, key, null);
    if (running) {
      await this.#parts.rewriteFiles(request.containerId);
      this.#parts.announce('disconnect', network, request.containerId);
    }
  }
}
