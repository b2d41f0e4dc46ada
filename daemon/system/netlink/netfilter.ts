/** nftables and conntrack of one network namespace (linux/netfilter/nf_tables.h, nfnetlink_conntrack.h), without a spawned tool. */

import { withinNetworkNamespace } from '../syscalls.ts';
import {
  attribute,
  attributes,
  elements,
  FLAG,
  type Message,
  nested,
  type Request,
  stringOf,
  text,
  u32be,
} from './messages.ts';
import { NETLINK, NetlinkSocket } from './socket.ts';

const SUBSYSTEM = { conntrack: 1, nftables: 10 } as const;
const NFT = {
  newTable: 0,
  newChain: 3,
  getChain: 4,
  newRule: 6,
  getRule: 7,
  deleteRule: 8,
  newElement: 12,
  getElement: 13,
  deleteElement: 14,
  getGeneration: 16,
} as const;
const CONNTRACK = { get: 1, delete: 2 } as const;
const BATCH = { begin: 16, end: 17 } as const;
const HEADER = 4;
export const FAMILY = { inet: 1, ip: 2, arp: 3, bridge: 7, ip6: 10 } as const;
const FAMILY_NAMES = new Map<number, string>(Object.entries(FAMILY).map(([name, value]) => [value, name]));
/** NF_INET_FORWARD */
const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'];
const PROTOCOL = { tcp: 6, udp: 17 } as const;
const DNAT_PRIORITY = -100;
const REGISTER = { first: 1, second: 2 } as const;
const NETWORK_HEADER = { base: 1, destination: 16 } as const;
const TRANSPORT_HEADER = { base: 2, destinationPort: 2 } as const;
const META_PROTOCOL = 16;
const NAT_DESTINATION = 1;
/** The list of a message holds 64 KiB. */
const ELEMENTS_A_MESSAGE = 500;

/** One key and value of a map, each a list of fields that nft pads to four bytes. */
export interface MapElement {
  map: string;
  key: Buffer[];
  /** Left out: to delete. */
  value?: Buffer[];
}

export interface Chain {
  family: string;
  table: string;
  name: string;
  /** '' for one that is only jumped to. */
  hook: string;
  policy: 'accept' | 'drop' | '';
  /** Rules in it and jumps to it. */
  uses: number;
}

export type ChainName = Pick<Chain, 'family' | 'table' | 'name'>;

export interface Rule {
  handle: bigint;
  /** True when this word stands in it: an interface's name, a comment, whatever tool wrote it. */
  mentions(word: string): boolean;
}

const familyNumber = ({ family }: ChainName): number => FAMILY[family as keyof typeof FAMILY];
const message = (subsystem: number, type: number): number => (subsystem << 8) | type;
const header = (family: number, resource = 0): Buffer => Buffer.from([family, 0, resource >> 8, resource & 0xff]);
const expression = (name: string, ...parts: Buffer[]): Buffer => nested(1, text(1, name), nested(2, ...parts));
const equals = (value: Buffer): Buffer =>
  expression('cmp', u32be(1, REGISTER.first), u32be(2, 0), nested(3, attribute(1, value)));
const load = (base: number, offset: number, length: number): Buffer =>
  expression('payload', u32be(1, REGISTER.first), u32be(2, base), u32be(3, offset), u32be(4, length));
const constant = (register: number, value: Buffer): Buffer =>
  expression('immediate', u32be(1, register), nested(2, attribute(1, value)));

function portBytes(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(port);
  return bytes;
}

/** The expressions of one rule of `redirect`. */
function dnatRule(protocol: number, address: Buffer, from: number, to: number): Buffer[] {
  return [
    load(NETWORK_HEADER.base, NETWORK_HEADER.destination, 4),
    equals(address),
    expression('meta', u32be(1, REGISTER.first), u32be(2, META_PROTOCOL)),
    equals(Buffer.from([protocol])),
    load(TRANSPORT_HEADER.base, TRANSPORT_HEADER.destinationPort, 2),
    equals(portBytes(from)),
    constant(REGISTER.first, address),
    constant(REGISTER.second, portBytes(to)),
    expression(
      'nat',
      u32be(1, NAT_DESTINATION),
      u32be(2, FAMILY.ip),
      u32be(3, REGISTER.first),
      u32be(5, REGISTER.second),
    ),
  ];
}

const padded = (fields: readonly Buffer[]): Buffer =>
  Buffer.concat(fields.map((field) => Buffer.concat([field, Buffer.alloc((4 - (field.length % 4)) % 4)])));
const data = (type: number, fields: readonly Buffer[]): Buffer => nested(type, attribute(1, padded(fields)));

export class Netfilter {
  readonly #socket: NetlinkSocket;

  /** Of this process's network namespace, or of the one at the path. @throws SyscallError */
  constructor(netnsPath?: string) {
    const open = () => new NetlinkSocket(NETLINK.netfilter);
    this.#socket = netnsPath === undefined ? open() : withinNetworkNamespace(netnsPath, open);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  /** Changes with every change of any nft table of the namespace, ours or another's. */
  async generation(): Promise<number> {
    const request = { type: message(SUBSYSTEM.nftables, NFT.getGeneration), flags: 0, body: header(0) };
    const [answer] = await this.#socket.send('read the nft generation', [request]);
    return answer ? (attributes(answer.body, HEADER).get(1)?.readUInt32BE(0) ?? 0) : 0;
  }

  async chains(): Promise<Chain[]> {
    const request = { type: message(SUBSYSTEM.nftables, NFT.getChain), flags: 0, body: header(0) };
    return (await this.#socket.dump('list nft chains', request)).map(parseChain);
  }

  /** The rules of a chain. @throws SyscallError ENOENT where the chain is gone */
  async rules(chain: ChainName): Promise<Rule[]> {
    const body = Buffer.concat([header(familyNumber(chain)), text(1, chain.table), text(2, chain.name)]);
    const request = { type: message(SUBSYSTEM.nftables, NFT.getRule), flags: 0, body };
    const found = await this.#socket.dump(`list the rules of ${chain.table} ${chain.name}`, request);
    return found.flatMap(({ body: bytes }) => {
      const facts = attributes(bytes, HEADER);
      // Old kernels list the rules of every chain.
      if (stringOf(facts.get(1)) !== chain.table || stringOf(facts.get(2)) !== chain.name) return [];
      return [
        { handle: facts.get(3)?.readBigUInt64BE(0) ?? 0n, mentions: (word: string) => bytes.includes(`${word}\0`) },
      ];
    });
  }

  /** In one transaction. @throws SyscallError ENOENT where one is gone */
  async deleteRules(chain: ChainName, rules: readonly Rule[]): Promise<void> {
    if (rules.length === 0) return;
    const requests = rules.map(({ handle }): Request => {
      const number = Buffer.alloc(8);
      number.writeBigUInt64BE(handle);
      const body = [header(familyNumber(chain)), text(1, chain.table), text(2, chain.name), attribute(3, number)];
      return { type: message(SUBSYSTEM.nftables, NFT.deleteRule), flags: 0, body: Buffer.concat(body) };
    });
    await this.#transaction(`delete rules of ${chain.table} ${chain.name}`, requests);
  }

  async countElements(family: number, table: string, map: string): Promise<number> {
    const body = Buffer.concat([header(family), text(1, table), text(2, map)]);
    const request = { type: message(SUBSYSTEM.nftables, NFT.getElement), flags: 0, body };
    const found = await this.#socket.dump(`list map ${table} ${map}`, request);
    return found.reduce(
      (sum, part) => sum + elements(attributes(part.body, HEADER).get(3) ?? Buffer.alloc(0)).length,
      0,
    );
  }

  /** All of them in one transaction. @throws SyscallError ENOENT: no such table, map or element; EEXIST: another value stands there */
  addElements(family: number, table: string, wanted: readonly MapElement[]): Promise<void> {
    return this.#change(`add to nft table ${table}`, NFT.newElement, FLAG.create, family, table, wanted);
  }

  deleteElements(family: number, table: string, wanted: readonly MapElement[]): Promise<void> {
    return this.#change(`delete from nft table ${table}`, NFT.deleteElement, 0, family, table, wanted);
  }

  #change(
    what: string,
    type: number,
    flags: number,
    family: number,
    table: string,
    wanted: readonly MapElement[],
  ): Promise<void> {
    const requests: Request[] = [];
    for (const [map, list] of Map.groupBy(wanted, (element) => element.map))
      for (let at = 0; at < list.length; at += ELEMENTS_A_MESSAGE) {
        const packed = list
          .slice(at, at + ELEMENTS_A_MESSAGE)
          .map(({ key, value }) => nested(1, data(1, key), ...(value ? [data(2, value)] : [])));
        const body = Buffer.concat([header(family), text(1, table), text(2, map), nested(3, ...packed)]);
        requests.push({ type: message(SUBSYSTEM.nftables, type), flags, body });
      }
    return this.#transaction(what, requests);
  }

  #transaction(what: string, requests: readonly Request[]): Promise<void> {
    const edge = (kind: number): Request => ({ type: kind, flags: 0, body: header(0, SUBSYSTEM.nftables) });
    return this.#socket.batch(what, edge(BATCH.begin), requests, edge(BATCH.end));
  }

  /**
   * A table that leads one address and port, as programs of the namespace ask for it, to another port of that address, for udp and
   * tcp. The same as `ip daddr ADDRESS udp dport FROM dnat to ADDRESS:TO` in a nat chain at the output hook, without 5 ms of nft.
   */
  redirect(table: string, address: Buffer, from: number, to: number): Promise<void> {
    const chain = 'output';
    const head = (type: number, flags: number, ...parts: Buffer[]): Request => ({
      type: message(SUBSYSTEM.nftables, type),
      flags,
      body: Buffer.concat([header(FAMILY.ip), ...parts]),
    });
    const hook = nested(4, u32be(1, HOOKS.indexOf('output')), u32be(2, DNAT_PRIORITY));
    return this.#transaction(`make nft table ${table}`, [
      head(NFT.newTable, FLAG.create, text(1, table)),
      head(NFT.newChain, FLAG.create, text(1, table), text(3, chain), hook, text(7, 'nat')),
      ...[PROTOCOL.udp, PROTOCOL.tcp].map((protocol) => {
        const rule = nested(4, ...dnatRule(protocol, address, from, to));
        return head(NFT.newRule, FLAG.create | FLAG.append, text(1, table), text(2, chain), rule);
      }),
    ]);
  }

  /**
   * Forgets the IPv4 connections that `matches`: a client that keeps its source port would stay with the address it was first
   * translated to.
   */
  async forgetConnections(matches: (connection: Connection) => boolean): Promise<number> {
    const list = { type: message(SUBSYSTEM.conntrack, CONNTRACK.get), flags: 0, body: header(FAMILY.ip) };
    const found = await this.#socket.dump('list connections', list);
    const doomed = found.filter((entry) => {
      const connection = parseConnection(entry);
      return connection !== undefined && matches(connection);
    });
    for (const entry of doomed) {
      const original = attributes(entry.body, HEADER).get(1) as Buffer;
      const body = Buffer.concat([header(FAMILY.ip), nested(1, original)]);
      try {
        await this.#socket.send('forget a connection', [
          { type: message(SUBSYSTEM.conntrack, CONNTRACK.delete), flags: 0, body },
        ]);
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOENT') throw error; // it ended meanwhile
      }
    }
    return doomed.length;
  }
}

export interface Connection {
  protocol: 'tcp' | 'udp';
  /** What the client asked for. */
  destination: string;
  destinationPort: number;
  /** Who answers: another address than `destination` where the destination was translated. */
  answering: string;
}

const dotted = (bytes: Buffer | undefined): string => (bytes?.length === 4 ? [...bytes].join('.') : '');

function parseConnection({ body }: Message): Connection | undefined {
  const facts = attributes(body, HEADER);
  const side = (type: number) => {
    const tuple = attributes(facts.get(type) ?? Buffer.alloc(0));
    return { ip: attributes(tuple.get(1) ?? Buffer.alloc(0)), port: attributes(tuple.get(2) ?? Buffer.alloc(0)) };
  };
  const original = side(1);
  const number = original.port.get(1)?.readUInt8(0);
  if (number !== PROTOCOL.tcp && number !== PROTOCOL.udp) return undefined;
  return {
    protocol: number === PROTOCOL.tcp ? 'tcp' : 'udp',
    destination: dotted(original.ip.get(2)),
    destinationPort: original.port.get(3)?.readUInt16BE(0) ?? 0,
    answering: dotted(side(2).ip.get(1)),
  };
}

function parseChain({ body }: Message): Chain {
  const facts = attributes(body, HEADER);
  const hook = facts.get(4);
  const number = hook ? (attributes(hook).get(1)?.readUInt32BE(0) ?? -1) : -1;
  const policy = facts.get(5)?.readUInt32BE(0);
  return {
    family: FAMILY_NAMES.get(body.readUInt8(0)) ?? String(body.readUInt8(0)),
    table: stringOf(facts.get(1)),
    name: stringOf(facts.get(3)),
    hook: HOOKS[number] ?? '',
    policy: policy === undefined ? '' : policy === 1 ? 'accept' : 'drop',
    uses: facts.get(6)?.readUInt32BE(0) ?? 0,
  };
}
