/** The bridge of a network, on the host. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { networkErrors } from '../errors/networks.ts';
import { addAddress, addBridge, Router, setAlias } from '../system/netlink/index.ts';
import { addressBytes, parseAddress, parseSubnet } from './addresses.ts';
import type { NetworkRecord } from './records.ts';

const OPTION = 'com.docker.network.bridge.';
const truthy = (value: string | undefined, otherwise: boolean): boolean =>
  value === undefined ? otherwise : /^(1|t|T|TRUE|true|True)$/.test(value);

/** What a network's driver options say, read in one place. */
export const networkOptions = ({ options }: Pick<NetworkRecord, 'options'>) => ({
  bridgeName: options[`${OPTION}name`] ?? '',
  /** Containers of the network reach each other. */
  icc: truthy(options[`${OPTION}enable_icc`], true),
  masquerade: truthy(options[`${OPTION}enable_ip_masquerade`], true),
  /** Where ports are published that name no address. */
  hostAddress: options[`${OPTION}host_binding_ipv4`] ?? '',
  mtu: Number(options['com.docker.network.driver.mtu'] ?? 1500),
});

/** As Docker's default bridge shows them. */
export const defaultBridgeOptions = (bridge: string): Record<string, string> => ({
  [`${OPTION}default_bridge`]: 'true',
  [`${OPTION}enable_icc`]: 'true',
  [`${OPTION}enable_ip_masquerade`]: 'true',
  [`${OPTION}host_binding_ipv4`]: '0.0.0.0',
  [`${OPTION}name`]: bridge,
  'com.docker.network.driver.mtu': '1500',
});

/** Why a value cannot be, in the words of the Go that Docker reads it with; '' when it can. */
const bool = (value: string): string =>
  /^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value)
    ? ''
    : `strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`;
const number = (value: string): string => {
  if (!/^[+-]?\d+$/.test(value)) return `strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`;
  return Number(value) >= 68 && Number(value) <= 65535 ? '' : 'an mtu is 68 to 65535';
};
const OPTION_FAULTS: Readonly<Record<string, (value: string) => string>> = {
  [`${OPTION}name`]: (value) => (/^[^\s/]{1,15}$/.test(value) ? '' : "an interface's name has 1 to 15 characters"),
  [`${OPTION}enable_icc`]: bool,
  [`${OPTION}enable_ip_masquerade`]: bool,
  [`${OPTION}host_binding_ipv4`]: (value) => (parseAddress(value) === undefined ? 'nil ip' : ''),
  'com.docker.network.driver.mtu': number,
};

/** @throws EngineError naming the option whose value cannot be; what is not known is kept and does nothing, as in Docker */
export function checkOptions(options: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(options)) {
    const fault = OPTION_FAULTS[key]?.(value);
    if (fault) throw networkErrors.badOption(key, value, fault);
  }
}

/** Locally administered, so that a bridge keeps its address when ports come and go. */
const randomMac = (): string => {
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] as number) & 0xfc) | 0x02;
  return bytes.toString('hex').replace(/(..)(?=.)/g, '$1:');
};

/** What our bridges carry as a remark, so that no other's is taken for ours or removed. */
export const ownershipMark = (name: string): string => `galley:${name}`;

/**
 * Makes the bridge if it is missing and gives it its address. Idempotent.
 * @throws EngineError when an interface of that name is somebody else's
 */
export async function ensureBridge(network: NetworkRecord, mark: string): Promise<void> {
  const { bridge, gateway, subnet, ownsBridge } = network;
  using router = new Router();
  let link = await router.link(bridge);
  if (link) {
    const carries = networkInterfaces()[bridge]?.some(({ address }) => address === gateway) ?? false;
    if (link.kind !== 'bridge' || (ownsBridge && link.alias !== mark && !carries))
      throw networkErrors.foreignInterface(bridge);
    if (ownsBridge && link.alias !== mark) await router.apply(`mark ${bridge}`, [setAlias(bridge, mark)]);
  } else {
    await router.apply(`make the bridge ${bridge}`, addBridge(bridge, randomMac(), networkOptions(network).mtu, mark));
    link = await router.link(bridge);
  }
  if (!link) throw networkErrors.foreignInterface(bridge);
  const bits = parseSubnet(subnet)?.bits ?? 32;
  await router.apply(`give ${bridge} its address`, [addAddress(link.index, { bytes: addressBytes(gateway), bits })]);
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  // Lets the host's own 127.0.0.1 be forwarded; the raw chain closes what else that would open (field/network.md).
  writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, '1');
}

/** True where an interface of that name stands that a new network may use as its bridge. @throws EngineError when it is no bridge */
export async function isForeignBridge(name: string): Promise<boolean> {
  using router = new Router();
  const link = await router.link(name);
  if (link && link.kind !== 'bridge') throw networkErrors.foreignInterface(name);
  return link !== undefined;
}

/** Idempotent; a bridge that was there before us, or is another's, stays. */
export async function removeBridge(network: NetworkRecord, mark: string): Promise<void> {
  if (!network.ownsBridge || network.bridge === '') return;
  using router = new Router();
  if ((await router.link(network.bridge))?.alias === mark) await router.removeLink(network.bridge);
}
