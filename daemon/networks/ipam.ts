/** Which subnet a network gets and which address a container gets in it. */
import type { IpamConfig } from '../../src/api/index.ts';
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

/** Everything that is wrong with one entry of an IPAM configuration, in the words of the API. */
function faultsOf(config: IpamConfig): string[] {
  const text = config.Subnet ?? '';
  const subnet = parseSubnet(text);
  if (!subnet) return [`invalid subnet ${text}: invalid CIDR block notation`];
  const faults: string[] = [];
  const parent = formatSubnet(subnet);
  if (parent !== text) faults.push(`invalid subnet ${text}: it should be ${parent}`);
  if (subnet.bits > 30) faults.push(`invalid subnet ${text}: a gateway and a container need room in it`);
  if (config.IPRange) {
    const range = parseSubnet(config.IPRange);
    const say = (why: string) => faults.push(`invalid ip-range ${config.IPRange}: ${why}`);
    if (!range) say('invalid CIDR block notation');
    else {
      if (range.bits < subnet.bits) say(`CIDR block is bigger than its parent subnet ${parent}`);
      if (formatSubnet(range) !== config.IPRange) say(`it should be ${formatSubnet(range)}`);
      if (!overlaps(subnet, range)) say(`parent subnet ${parent} doesn't contain ip-range`);
    }
  }
  const check = (what: string, address: string) => {
    const parsed = parseAddress(address);
    if (parsed === undefined) faults.push(`invalid ${what}: invalid address`);
    else if (!contains(subnet, parsed))
      faults.push(`invalid ${what}: parent subnet ${parent} doesn't contain this address`);
  };
  if (config.Gateway) check(`gateway ${config.Gateway}`, config.Gateway);
  for (const [name, address] of Object.entries(config.AuxiliaryAddresses ?? {}))
    check(`auxiliary address ${name}`, address);
  return faults;
}

/** The pool that a request describes, or a default one. @throws EngineError 400, 403 naming the part that cannot be */
export async function choosePool(store: NetworkStore, request: CreateNetworkRequest): Promise<Pool> {
  if (!['', 'default'].includes(request.IPAM.Driver)) throw networkErrors.driver(request.IPAM.Driver);
  const asked = request.IPAM.Config.filter((config) => Object.keys(config).length > 0);
  const faults = asked.flatMap(faultsOf);
  if (faults.length > 0) throw networkErrors.badConfig(faults);
  const [config, ...more] = asked;
  if (!config) return defaultPool(store);
  if (more.length > 0) throw networkErrors.severalSubnets();
  const subnet = parseSubnet(config.Subnet ?? '') as Subnet;
  // Docker lets a user take what the host routes: it may be meant so. Only our own networks are in the way.
  const { ours } = await takenSubnets(store);
  const other = ours.find((candidate) => overlaps(candidate, subnet));
  if (other) throw networkErrors.overlap(formatSubnet(subnet), formatSubnet(other));
  const range = parseSubnet(config.IPRange ?? '');
  // As Docker: the first address of the range, where that is a host's.
  const lowest = range && range.base > subnet.base ? range.base : subnet.base + 1;
  const gateway = config.Gateway || formatAddress(lowest);
  for (const [name, address] of Object.entries(config.AuxiliaryAddresses ?? {}))
    if (address === gateway) throw networkErrors.auxiliaryInUse(name, address);
  return {
    subnet: formatSubnet(subnet),
    gateway,
    range: range ? formatSubnet(range) : '',
    auxiliary: config.AuxiliaryAddresses ?? {},
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
   * @param asked an address of the network (checkEndpoint)
   * @throws EngineError when the one asked for is taken, or none is left
   */
  take(network: NetworkRecord, asked: string | undefined): { address: string; [Symbol.dispose](): void } {
    const subnet = parseSubnet(network.subnet) as Subnet;
    const held = this.#held.get(network.id) ?? new Set<number>();
    this.#held.set(network.id, held);
    const used = new Set(held);
    for (const text of [network.gateway, ...Object.values(network.auxiliary)]) used.add(parseAddress(text) ?? -1);
    for (const { endpoint } of this.#store.attachedTo(network.id)) used.add(parseAddress(endpoint.address) ?? -1);
    const address = asked ? (parseAddress(asked) as number) : this.#next(network, subnet, used);
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
