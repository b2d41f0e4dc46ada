/** What a container asks of its networks: which ones, with what address, and what of it cannot be. */
import type { EndpointSettings } from '../../src/api/index.ts';
import { networkErrors } from '../errors/networks.ts';
import { contains, parseAddress, parseSubnet } from './addresses.ts';
import type { NetworkRecord } from './records.ts';
import type { NetworkStore } from './store.ts';
import type { SandboxRequest } from './types.ts';

export interface WantedEndpoint {
  network: NetworkRecord;
  settings: EndpointSettings | null;
}

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

export const isShared = (mode: string): boolean => mode.startsWith('container:');

/** The network that the mode names; undefined for `container:`. @throws EngineError 404 */
export function modeNetwork(store: NetworkStore, request: SandboxRequest): NetworkRecord | undefined {
  return isShared(request.networkMode) ? undefined : store.find(request.networkMode || 'bridge');
}

/**
 * The networks that a container starts with, that of its mode first; none in the modes host, none and `container:`.
 * @throws EngineError 404 for a network that is gone
 */
export function wantedEndpoints(store: NetworkStore, request: SandboxRequest): WantedEndpoint[] {
  const mode = modeNetwork(store, request);
  if (mode?.driver !== 'bridge') return [];
  const wanted = Object.entries(request.endpoints).map(([reference, settings]) => ({
    network: store.find(reference),
    settings,
  }));
  return wanted.sort((a, b) => Number(b.network === mode) - Number(a.network === mode));
}

/** @throws EngineError 400 naming the network and what it cannot give */
export function checkEndpoint(network: NetworkRecord, settings: EndpointSettings | null): void {
  if (!settings) return;
  const { IPAMConfig, MacAddress, Aliases } = settings;
  const address = IPAMConfig?.IPv4Address ?? '';
  const userDefined = network.name !== 'bridge';
  if (MacAddress && !MAC.test(MacAddress)) throw networkErrors.badMac(MacAddress);
  if (IPAMConfig?.IPv6Address) throw networkErrors.unsupported(`the IPv6 address ${IPAMConfig.IPv6Address}`);
  if (!userDefined && (Aliases?.length ?? 0) > 0) throw networkErrors.aliasesOnDefault();
  if (address === '') return;
  const subnet = parseSubnet(network.subnet);
  const parsed = parseAddress(address);
  if (parsed === undefined) throw networkErrors.badIp(address);
  if (!userDefined) throw networkErrors.addressOnDefault();
  if (!network.ownSubnet) throw networkErrors.addressOnAutomatic();
  if (!subnet || !contains(subnet, parsed)) throw networkErrors.badAddress(address, network.subnet);
}

/** What the other containers of a user network may call this one. */
export function namesOf(request: SandboxRequest, settings: EndpointSettings | null): string[] {
  const shortId = request.containerId.slice(0, 12);
  const name = request.containerName.replace(/^\//, '');
  return [...new Set([name, ...(settings?.Aliases ?? []), shortId, request.hostname])].filter((text) => text !== '');
}
