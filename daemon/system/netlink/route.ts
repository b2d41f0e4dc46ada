/** Links, addresses and routes of one network namespace (rtnetlink(7)). */
import { type SyscallError, withinNetworkNamespace } from '../syscalls.ts';
import {
  attribute,
  attributes,
  FLAG,
  type Message,
  nested,
  type Request,
  stringOf,
  text,
  u8,
  u32,
} from './messages.ts';
import { NETLINK, NetlinkSocket } from './socket.ts';

const RTM = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  newAddress: 20,
  delAddress: 21,
  newRoute: 24,
  delRoute: 25,
  getRoute: 26,
} as const;
const IFLA = { address: 1, name: 3, mtu: 4, master: 10, linkInfo: 18, alias: 20, netnsFd: 28 } as const;
const INFO = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 } as const;
const VETH_PEER = 1;
const BRIDGE_PORT = { state: 1, hairpin: 4, flush: 24, isolated: 33 } as const;
const IFF_UP = 1;
const AF = { inet: 2, inet6: 10 } as const;
const IFA = { address: 1, local: 2, broadcast: 4, flags: 8 } as const;
const IFA_NO_DAD = 2;
const RTA = { destination: 1, outInterface: 4, gateway: 5 } as const;
const TABLE_MAIN = 254;
const PROTOCOL_BOOT = 3; // as `ip route add`
const ANY_SCOPE = 255;
const UNICAST = 1;
const LINK_HEADER = 16;
const ROUTE_HEADER = 12;

export interface Link {
  index: number;
  name: string;
  /** `bridge`, `veth`…; '' for a real device. */
  kind: string;
  /** A remark that whoever made the link left there. */
  alias: string;
}

export interface Address {
  /** 4 or 16 bytes. */
  bytes: Buffer;
  bits: number;
}

/** One change, to be sent together with others: the kernel works them off in order. */
export type Change = Request;

const linkHeader = (index: number, flags = 0, change = 0): Buffer => {
  const header = Buffer.alloc(LINK_HEADER);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(flags, 8);
  header.writeUInt32LE(change, 12);
  return header;
};
const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');
const familyOf = (bytes: Buffer): number => (bytes.length === 4 ? AF.inet : AF.inet6);
const newLink = (flags: number, ...parts: Buffer[]): Change => ({
  type: RTM.newLink,
  flags,
  body: Buffer.concat(parts),
});
const CREATE = FLAG.create | FLAG.exclusive;

/** `alias` stays with the link, so that whoever finds it knows whose it is; the kernel takes it only of a link that is there. */
export function addBridge(name: string, mac: string, mtu: number, alias: string): Change[] {
  const bridge = newLink(
    CREATE,
    linkHeader(0, IFF_UP, IFF_UP),
    text(IFLA.name, name),
    attribute(IFLA.address, macBytes(mac)),
    u32(IFLA.mtu, mtu),
    nested(IFLA.linkInfo, text(INFO.kind, 'bridge')),
  );
  return [bridge, setAlias(name, alias)];
}

export function setAlias(name: string, alias: string): Change {
  return newLink(0, linkHeader(0), text(IFLA.name, name), text(IFLA.alias, alias));
}

/**
 * A pair, sent from inside the namespace that gets `name`: its index is the caller's choice, so that the changes which follow in the
 * same message can name it (the kernel takes a chosen index for this end alone). `peer` is born in the namespace of the descriptor.
 */
export function addVeth(pair: {
  name: string;
  index: number;
  mac: string;
  mtu: number;
  peer: string;
  peerNetnsFd: number;
}): Change {
  const peer = Buffer.concat([
    linkHeader(0),
    text(IFLA.name, pair.peer),
    u32(IFLA.mtu, pair.mtu),
    u32(IFLA.netnsFd, pair.peerNetnsFd),
  ]);
  return newLink(
    CREATE,
    linkHeader(pair.index),
    text(IFLA.name, pair.name),
    attribute(IFLA.address, macBytes(pair.mac)),
    u32(IFLA.mtu, pair.mtu),
    nested(IFLA.linkInfo, text(INFO.kind, 'veth'), nested(INFO.data, nested(VETH_PEER, peer))),
  );
}

/** Makes a link a port of a bridge and sets it up. Isolated ports of one bridge do not reach each other. */
export function plugIn(name: string, bridgeIndex: number, isolated: boolean): Change[] {
  return [
    newLink(0, linkHeader(0, IFF_UP, IFF_UP), text(IFLA.name, name), u32(IFLA.master, bridgeIndex)),
    portChange(name, u8(BRIDGE_PORT.hairpin, 1), ...(isolated ? [u8(BRIDGE_PORT.isolated, 1)] : [])),
  ];
}

/** The port forwards nothing any more and the bridge forgets what it learned there: its address can be given away at once. */
export function switchOff(name: string): Change {
  return portChange(name, u8(BRIDGE_PORT.flush, 1), u8(BRIDGE_PORT.state, 0));
}

function portChange(name: string, ...options: Buffer[]): Change {
  return newLink(
    0,
    linkHeader(0),
    text(IFLA.name, name),
    nested(IFLA.linkInfo, text(INFO.slaveKind, 'bridge'), nested(INFO.slaveData, ...options)),
  );
}

export function setUp(index: number): Change {
  return newLink(0, linkHeader(index, IFF_UP, IFF_UP));
}

export function addAddress(index: number, { bytes, bits }: Address): Change {
  const header = Buffer.alloc(8);
  header.writeUInt8(familyOf(bytes), 0);
  header.writeUInt8(bits, 1);
  header.writeInt32LE(index, 4);
  const parts = [header, attribute(IFA.local, bytes), attribute(IFA.address, bytes)];
  if (bytes.length === 4) {
    const broadcast = Buffer.alloc(4);
    broadcast.writeUInt32BE((bytes.readUInt32BE(0) | (bits === 32 ? 0 : 0xffffffff >>> bits)) >>> 0);
    parts.push(attribute(IFA.broadcast, broadcast));
  } else parts.push(u32(IFA.flags, IFA_NO_DAD));
  return { type: RTM.newAddress, flags: FLAG.create | FLAG.replace, body: Buffer.concat(parts) };
}

/** Replaces the default route of the gateway's family. */
export function setDefaultRoute(index: number, gateway: Buffer): Change {
  const header = routeHeader(familyOf(gateway));
  header.writeUInt8(PROTOCOL_BOOT, 5);
  header.writeUInt8(UNICAST, 7);
  return {
    type: RTM.newRoute,
    flags: FLAG.create | FLAG.replace,
    body: Buffer.concat([header, attribute(RTA.gateway, gateway), u32(RTA.outInterface, index)]),
  };
}

function removeDefaultRoute(family: 4 | 6): Change {
  const header = routeHeader(family === 4 ? AF.inet : AF.inet6);
  header.writeUInt8(ANY_SCOPE, 6);
  return { type: RTM.delRoute, flags: 0, body: header };
}

function routeHeader(family: number): Buffer {
  const header = Buffer.alloc(ROUTE_HEADER);
  header.writeUInt8(family, 0);
  header.writeUInt8(TABLE_MAIN, 4);
  return header;
}

const isGone = (error: unknown): boolean => ['ENODEV', 'ESRCH'].includes((error as SyscallError).code);

/** The links and routes of one namespace. */
export class Router {
  readonly #socket: NetlinkSocket;

  /** Of this process's namespace, or of the one at the path. @throws SyscallError */
  constructor(netnsPath?: string) {
    const open = () => new NetlinkSocket(NETLINK.route);
    this.#socket = netnsPath === undefined ? open() : withinNetworkNamespace(netnsPath, open);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  /** Works off the changes in order. @param what for the message of an error. @throws SyscallError of the first that failed */
  async apply(what: string, changes: readonly Change[]): Promise<void> {
    await this.#socket.send(what, changes);
  }

  async links(): Promise<Link[]> {
    const messages = await this.#socket.dump('list links', { type: RTM.getLink, flags: 0, body: linkHeader(0) });
    return messages.map(parseLink);
  }

  /** undefined when there is no such link. @throws SyscallError */
  async link(name: string): Promise<Link | undefined> {
    try {
      const body = Buffer.concat([linkHeader(0), text(IFLA.name, name)]);
      const [message] = await this.#socket.send(`find link ${name}`, [{ type: RTM.getLink, flags: 0, body }]);
      return message && parseLink(message);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** False when it was gone already. */
  async removeLink(name: string): Promise<boolean> {
    const body = Buffer.concat([linkHeader(0), text(IFLA.name, name)]);
    return this.#unless(isGone, `remove link ${name}`, { type: RTM.delLink, flags: 0, body });
  }

  /** False when there was none. */
  async removeDefaultRoute(family: 4 | 6): Promise<boolean> {
    return this.#unless(isGone, 'remove the default route', removeDefaultRoute(family));
  }

  async #unless(expected: (error: unknown) => boolean, what: string, change: Change): Promise<boolean> {
    try {
      await this.#socket.send(what, [change]);
      return true;
    } catch (error) {
      if (expected(error)) return false;
      throw error;
    }
  }

  /** Destinations that this namespace routes, of every table; default routes are left out. */
  async routes(family: 4 | 6): Promise<Address[]> {
    const body = routeHeader(family === 4 ? AF.inet : AF.inet6);
    body.writeUInt8(0, 4);
    const messages = await this.#socket.dump('list routes', { type: RTM.getRoute, flags: 0, body });
    return messages.flatMap((message) => {
      const bytes = attributes(message.body, ROUTE_HEADER).get(RTA.destination);
      return bytes ? [{ bytes, bits: message.body.readUInt8(1) }] : [];
    });
  }
}

function parseLink({ body }: Message): Link {
  const found = attributes(body, LINK_HEADER);
  const info = found.get(IFLA.linkInfo);
  return {
    index: body.readInt32LE(4),
    name: stringOf(found.get(IFLA.name)),
    kind: info ? stringOf(attributes(info).get(INFO.kind)) : '',
    alias: stringOf(found.get(IFLA.alias)),
  };
}
