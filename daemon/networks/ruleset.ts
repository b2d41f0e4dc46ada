/** Our nft table (field/network.md, tested there). Pure: facts in, script or elements out. */
import type { MapElement } from '../system/netlink/index.ts';
import { addressBytes } from './addresses.ts';

export interface PublishedPort {
  protocol: 'tcp' | 'udp';
  /** '' or 0.0.0.0: every local address. */
  hostIp: string;
  hostPort: number;
  containerIp: string;
  containerPort: number;
}

export interface BridgeRules {
  bridge: string;
  subnet: string;
  internal: boolean;
  masquerade: boolean;
}

const MAPS = ['published', 'published_at'] as const;
export const PORT_MAPS: readonly string[] = MAPS;
const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const;
const everywhere = (port: PublishedPort) => port.hostIp === '' || port.hostIp === '0.0.0.0';

function word(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(port);
  return bytes;
}

/** The element of a port, as bytes for the kernel. */
export function mapElement(port: PublishedPort): MapElement & { value: Buffer[] } {
  const key = [Buffer.from([PROTOCOL_NUMBERS[port.protocol]]), word(port.hostPort)];
  return {
    map: everywhere(port) ? MAPS[0] : MAPS[1],
    key: everywhere(port) ? key : [addressBytes(port.hostIp), ...key],
    value: [addressBytes(port.containerIp), word(port.containerPort)],
  };
}

/** The same as text, for the script that makes the table. */
function elementText(port: PublishedPort): string {
  const key = `${port.protocol} . ${port.hostPort}`;
  return `${everywhere(port) ? key : `${port.hostIp} . ${key}`} : ${port.containerIp} . ${port.containerPort}`;
}

function mapText(name: (typeof MAPS)[number], ports: readonly PublishedPort[]): string {
  const key = name === 'published_at' ? 'ipv4_addr . inet_proto . inet_service' : 'inet_proto . inet_service';
  const own = ports.filter((port) => everywhere(port) === (name === 'published')).map(elementText);
  const elements = own.length > 0 ? ` elements = { ${own.join(', ')} };` : '';
  return `  map ${name} { type ${key} : ipv4_addr . inet_service;${elements} }\n`;
}

/** The whole table in one transaction: made if missing, emptied, filled. A port of every map entry costs one element. */
export function tableScript(table: string, bridges: readonly BridgeRules[], ports: readonly PublishedPort[]): string {
  const dnat = [
    'fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @published_at',
    'fib daddr type local dnat ip to meta l4proto . th dport map @published',
  ];
  const forward = bridges.flatMap(({ bridge, internal }) => [
    `iifname "${bridge}" oifname "${bridge}" accept`,
    ...(internal ? [`iifname "${bridge}" drop`, `oifname "${bridge}" drop`] : []),
    `oifname "${bridge}" ct state established,related accept`,
    `oifname "${bridge}" ct status dnat accept`,
    `oifname "${bridge}" drop`,
  ]);
  const postrouting = bridges.flatMap(({ bridge, subnet, internal, masquerade }) =>
    internal
      ? []
      : [
          ...(masquerade ? [`ip saddr ${subnet} oifname != "${bridge}" masquerade`] : []),
          `ip saddr 127.0.0.0/8 oifname "${bridge}" masquerade`,
          `ip saddr ${subnet} ip daddr ${subnet} ct status dnat masquerade`,
        ],
  );
  const chain = (name: string, hook: string, rules: readonly string[]) =>
    `  chain ${name} {\n    type ${hook};\n${rules.map((rule) => `    ${rule}\n`).join('')}  }\n`;
  return [
    `add table ip ${table}\n`,
    `delete table ip ${table}\n`,
    `table ip ${table} {\n`,
    ...MAPS.map((map) => mapText(map, ports)),
    // Without it route_localnet lets a container or a neighbour reach what listens on 127.0.0.1 (field/network.md, "Traps").
    chain('raw', 'filter hook prerouting priority raw', ['iifname != "lo" ip daddr 127.0.0.0/8 drop']),
    chain('prerouting', 'nat hook prerouting priority dstnat', dnat),
    chain('output', 'nat hook output priority -100', dnat), // `dstnat` is refused in the output hook
    chain('forward', 'filter hook forward priority filter', forward),
    chain('postrouting', 'nat hook postrouting priority srcnat', postrouting),
    '}\n',
  ].join('');
}
