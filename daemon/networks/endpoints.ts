/** A container's interface on a network: a veth pair between its namespace and the bridge. */
import { closeSync, openSync } from 'node:fs';
import { networkErrors } from '../errors/networks.ts';
import {
  addAddress,
  addVeth,
  type Change,
  plugIn,
  Router,
  setDefaultRoute,
  setUp,
  switchOff,
} from '../system/netlink/index.ts';
import { addressBytes, parseSubnet } from './addresses.ts';
import { networkOptions } from './bridges.ts';
import type { EndpointRecord, NetworkRecord, SandboxRecord } from './records.ts';

const LOOPBACK = 1;
/** Far above what a kernel puts into a new namespace by itself (lo, tunl0, sit0…), so that an index can be chosen without a look. */
const FIRST_INDEX = 100;

/** The first free name and index inside: eth0, 100. */
export function freeLink(endpoints: readonly EndpointRecord[]): Pick<EndpointRecord, 'link' | 'index'> {
  let n = 0;
  while (endpoints.some(({ link }) => link === `eth${n}`)) n += 1;
  // An index is not used again, so that a client inside that watches links sees a new one.
  const index = Math.max(FIRST_INDEX - 1, ...endpoints.map((endpoint) => endpoint.index)) + 1;
  return { link: `eth${n}`, index };
}

/**
 * The endpoint whose gateway is the default route: highest priority, then the network's name, as Docker chooses. Internal networks
 * lead nowhere.
 */
export function gatewayEndpoint(
  endpoints: readonly EndpointRecord[],
  networkOf: (id: string) => NetworkRecord | undefined,
): EndpointRecord | undefined {
  return endpoints
    .filter(({ networkId }) => networkOf(networkId)?.internal === false)
    .sort((a, b) => b.gatewayPriority - a.gatewayPriority || (a.networkName < b.networkName ? -1 : 1))[0];
}

/** Makes the pair and plugs it in. What fails leaves no pair behind. @throws SyscallError, EngineError */
export async function wire(
  netnsPath: string,
  network: NetworkRecord,
  endpoint: EndpointRecord,
  isGateway: boolean,
): Promise<void> {
  const { mtu, icc } = networkOptions(network);
  const bits = parseSubnet(network.subnet)?.bits ?? 32;
  const own = openSync('/proc/thread-self/ns/net', 'r');
  const inside: Change[] = [
    addVeth({
      name: endpoint.link,
      index: endpoint.index,
      mac: endpoint.mac,
      mtu,
      peer: endpoint.veth,
      peerNetnsFd: own,
    }),
    addAddress(endpoint.index, { bytes: addressBytes(endpoint.address), bits }),
    setUp(endpoint.index),
    ...(isGateway ? [setDefaultRoute(endpoint.index, addressBytes(network.gateway))] : []),
  ];
  using host = new Router();
  try {
    using container = new Router(netnsPath);
    await container.apply(`connect ${endpoint.veth}`, inside);
    const bridge = await host.link(network.bridge);
    if (!bridge) throw networkErrors.bridgeGone(network.name, network.bridge);
    await host.apply(`plug ${endpoint.veth} into ${network.bridge}`, plugIn(endpoint.veth, bridge.index, !icc));
  } catch (error) {
    await host.removeLink(endpoint.veth);
    throw error;
  } finally {
    closeSync(own);
  }
}

/**
 * Takes an endpoint out of service at once; the kernel removes the pair when the namespace dies, which takes it 20 ms and more, so
 * that nobody waits for it: its name is not used again, and its address no longer leads to it.
 */
export async function switchEndpointsOff(sandbox: SandboxRecord): Promise<void> {
  if (sandbox.endpoints.length === 0) return;
  using host = new Router();
  for (const { veth } of sandbox.endpoints)
    if (await host.link(veth)) await host.apply(`switch ${veth} off`, [switchOff(veth)]).catch(ignoreGone);
}

function ignoreGone(error: unknown): void {
  // The kernel was faster. (Node calls errno 95 ENOTSUP.)
  if (!['ENODEV', 'ENOTSUP', 'EINVAL'].includes((error as { code?: string }).code ?? '')) throw error;
}

/** Into a bridge that somebody removed and that was made again; changes nothing where the pair is plugged in. */
export async function plugAgain(network: NetworkRecord, { veth }: EndpointRecord): Promise<void> {
  using host = new Router();
  const bridge = await host.link(network.bridge);
  if (!bridge || !(await host.link(veth))) return;
  await host.apply(`plug ${veth} into ${network.bridge}`, plugIn(veth, bridge.index, !networkOptions(network).icc));
}

/** Removes the pair from a namespace that lives on. */
export async function unwire({ veth }: EndpointRecord): Promise<void> {
  using host = new Router();
  await host.removeLink(veth);
}

/** After a connect or disconnect: the default route goes where it belongs now. */
export async function routeBy(
  netnsPath: string,
  gateway: { endpoint: EndpointRecord; network: NetworkRecord } | undefined,
): Promise<void> {
  using container = new Router(netnsPath);
  if (gateway)
    await container.apply('set the default route', [
      setDefaultRoute(gateway.endpoint.index, addressBytes(gateway.network.gateway)),
    ]);
  else await container.removeDefaultRoute(4);
}

/** For a namespace that was just made. */
export async function loopbackUp(netnsPath: string): Promise<void> {
  using container = new Router(netnsPath);
  await container.apply('set up lo', [setUp(LOOPBACK)]);
}
