/** Which subnet a network gets and which address a container gets in it. */
import { networkErrors } from '../errors/networks.ts';
import { Router } from '../system/netlink/index.ts';
import {
  contains,
  formatAddress,
  formatSubnet,
  freePool,
  nextAddress,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
  subnetSize,
} from './addresses.ts';
import type { NetworkRecord } from './records.ts';
import type { NetworkStore } from './store.ts';
import type { CreateNetworkRequest } from './types.ts';

export type Pool = Pick<NetworkRecord, 'subnet' | 'gateway' | 'range' | 'auxiliary' | 'ownSubnet'>;

/** Subnets of our networks and destinations that the host routes: a container there would cut the host off from them. */
async function takenSubnets(store: NetworkStore): Promise<{ ours: Subnet[]; routed: Subnet[] }> {
  const ours = store.networks().flatMap((network) => parseSubnet(network.subnet) ?? []);
  using router = new Router();
  const routes = await router.routes(4);
  const routed = routes.map(({ bytes, bits }) => ({ base: bytes.readUInt32BE(0), bits }));
  return { ours, routed: routed.filter(({ bits }) => bits > 0) };
}

/** The first default pool that nothing overlaps. @throws EngineError when none is left */
export async function defaultPool(store: NetworkStore): Promise<Pool> {
  const { ours, routed } = await takenSubnets(store);
  const pool = freePool([...ours, ...routed]);
  if (!pool) throw networkErrors.exhausted();
  return {
    subnet: formatSubnet(pool),
    gateway: formatAddress(pool.base + 1),
    range: '',
    auxiliary: {},
    ownSubnet: false,
  };
}

function addressIn(text: string, subnet: Subnet): number {
  const address = parseAddress(text);
  if (address === undefined || !contains(subnet, address)) throw networkErrors.badAddress(text, formatSubnet(subnet));
  return address;
}

/** The pool that a request describes, or a default one. @throws EngineError 400, 403 naming the part that cannot be */
export async function choosePool(store: NetworkStore, request: CreateNetworkRequest): Promise<Pool> {
  if (!['', 'default'].includes(request.IPAM.Driver)) throw networkErrors.ipamDriver(request.IPAM.Driver);
  const asked = request.IPAM.Config.filter(({ Subnet: text }) => !text?.includes(':'));
  if (asked.length > 1) throw networkErrors.severalSubnets();
  const [config] = asked;
  if (!config?.Subnet) {
    if (config && (config.Gateway || config.IPRange || Object.keys(config.AuxiliaryAddresses ?? {}).length > 0))
      throw networkErrors.noSubnet();
    return defaultPool(store);
  }
  const subnet = parseSubnet(config.Subnet);
  if (!subnet || subnet.bits > 30) throw networkErrors.badSubnet(config.Subnet);
  // Docker lets a user take what the host routes: it may be meant so. Only our own networks are in the way.
  const { ours } = await takenSubnets(store);
  const other = ours.find((candidate) => overlaps(candidate, subnet));
  if (other) throw networkErrors.overlap(formatSubnet(subnet), formatSubnet(other));
  const range = config.IPRange ? parseSubnet(config.IPRange) : undefined;
  if (config.IPRange && (!range || !contains(subnet, range.base) || range.bits < subnet.bits))
    throw networkErrors.badRange(config.IPRange, formatSubnet(subnet));
  const auxiliary = Object.fromEntries(
    Object.entries(config.AuxiliaryAddresses ?? {}).map(([name, text]) => [
      name,
      formatAddress(addressIn(text, subnet)),
    ]),
  );
  const taken = new Set(Object.values(auxiliary).map((text) => parseAddress(text)));
  let gateway = config.Gateway ? addressIn(config.Gateway, subnet) : (range ?? subnet).base + 1;
  if (!config.Gateway) while (taken.has(gateway)) gateway += 1;
  else if (taken.has(gateway)) throw networkErrors.addressInUse(config.Gateway);
  return {
    subnet: formatSubnet(subnet),
    gateway: formatAddress(gateway),
    range: range ? formatSubnet(range) : '',
    auxiliary,
    ownSubnet: true,
  };
}

/** Gives addresses in turn, so that one that was freed is not used again at once. */
export class Addresses {
  readonly #store: NetworkStore;
  readonly #last = new Map<string, number>();
  /** Given, and not in a record yet. */
  readonly #held = new Map<string, Set<number>>();

  constructor(store: NetworkStore) {
    this.#store = store;
  }

  /**
   * An address of the network for as long as the result is not disposed of; by then it must stand in a record or be free again.
   * @throws EngineError when the one asked for is taken or foreign, or none is left
   */
  take(network: NetworkRecord, asked: string | undefined): { address: string; [Symbol.dispose](): void } {
    const subnet = parseSubnet(network.subnet) as Subnet;
    const held = this.#held.get(network.id) ?? new Set<number>();
    this.#held.set(network.id, held);
    const used = new Set(held);
    for (const text of [network.gateway, ...Object.values(network.auxiliary)]) used.add(parseAddress(text) ?? -1);
    for (const { endpoint } of this.#store.attachedTo(network.id)) used.add(parseAddress(endpoint.address) ?? -1);
    const address = asked ? addressIn(asked, subnet) : this.#next(network, subnet, used);
    if (asked && used.has(address)) throw networkErrors.addressInUse(asked);
    held.add(address);
    return { address: formatAddress(address), [Symbol.dispose]: () => void held.delete(address) };
  }

  #next(network: NetworkRecord, subnet: Subnet, used: ReadonlySet<number>): number {
    const range = parseSubnet(network.range) ?? subnet;
    // The first and last address of the subnet are no hosts; those of a range inside it are.
    const first = range.base === subnet.base ? range.base + 1 : range.base;
    const end = range.base + subnetSize(range);
    const last = end === subnet.base + subnetSize(subnet) ? end - 2 : end - 1;
    const address = nextAddress(first, last, used, this.#last.get(network.id) ?? first - 1);
    if (address === undefined) throw networkErrors.noAddress(network.name);
    this.#last.set(network.id, address);
    return address;
  }
}
