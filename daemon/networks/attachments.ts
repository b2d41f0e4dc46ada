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

/** Before a container is normalised its mode may be '' or `default`. */
export const modeName = ({ networkMode }: Pick<SandboxRequest, 'networkMode'>): string =>
  networkMode === '' || networkMode === 'default' ? 'bridge' : networkMode;

/** The network that the mode names; undefined for `container:`. @throws EngineError 404 */
export function modeNetwork(store: NetworkStore, request: SandboxRequest): NetworkRecord | undefined {
  return isShared(request.networkMode) ? undefined : store.find(modeName(request));
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

/** @param named true at create, where the message says which network. @throws EngineError 400 with everything that cannot be */
export function checkEndpoint(network: NetworkRecord, settings: EndpointSettings | null, named = false): void {
  if (!settings) return;
  const { IPAMConfig, MacAddress, Aliases } = settings;
  const address = IPAMConfig?.IPv4Address ?? '';
  const userDefined = network.name !== 'bridge';
  const faults: string[] = [];
  if (address !== '') {
    const subnet = parseSubnet(network.subnet);
    const parsed = parseAddress(address);
    if (parsed === undefined) faults.push(`invalid IPv4 address: ${address}`);
    else if (!userDefined) faults.push('user specified IP address is supported on user defined networks only');
    else if (!network.ownSubnet)
      faults.push(
        'user specified IP address is supported only when connecting to networks with user configured subnets',
      );
    else if (!subnet || !contains(subnet, parsed)) faults.push(`no configured subnet contains IP address ${address}`);
  }
  if (IPAMConfig?.IPv6Address) faults.push(`no configured subnet contains IP address ${IPAMConfig.IPv6Address}`);
  if (!userDefined && (Aliases?.length ?? 0) > 0)
    faults.push('network-scoped aliases are only supported for user-defined networks');
  if (MacAddress && !MAC.test(MacAddress)) faults.push(`invalid MAC address: ${MacAddress}`);
  if (faults.length > 0) throw networkErrors.badEndpoint(faults, named ? network.name : undefined);
}

/** What the other containers of a user network may call this one. */
export function namesOf(request: SandboxRequest, settings: EndpointSettings | null): string[] {
  const shortId = request.containerId.slice(0, 12);
  const name = request.containerName.replace(/^\//, '');
  return [...new Set([name, ...(settings?.Aliases ?? []), shortId, request.hostname])].filter((text) => text !== '');
}

/** `name` or `name:alias` of --link. */
export function parseLink(link: string): { name: string; alias: string } {
  const [name = '', alias = name] = link.split(':');
  return { name: name.replace(/^\//, ''), alias: alias.replace(/^.*\//, '') };
}

/** The links of a user network, by alias: its name server answers them. */
export function linksOf(settings: EndpointSettings | null): Record<string, string> {
  const links = (settings?.Links ?? []).map(parseLink);
  return Object.fromEntries(links.map(({ name, alias }) => [alias.toLowerCase(), name]));
}
