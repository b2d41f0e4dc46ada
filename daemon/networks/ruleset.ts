/** The text of our nft table (field/network.md, tested there). Pure: facts in, script out. */
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

const everywhere = (port: PublishedPort) => port.hostIp === '' || port.hostIp === '0.0.0.0';

export function mapElement(port: PublishedPort): { map: 'published' | 'published_at'; key: string; value: string } {
  const key = `${port.protocol} . ${port.hostPort}`;
  return {
    map: everywhere(port) ? 'published' : 'published_at',
    key: everywhere(port) ? key : `${port.hostIp} . ${key}`,
    value: `${port.containerIp} . ${port.containerPort}`,
  };
}

export function addElements(table: string, ports: readonly PublishedPort[]): string {
  return ports
    .map(mapElement)
    .map(({ map, key, value }) => `add element ip ${table} ${map} { ${key} : ${value} }\n`)
    .join('');
}

export function deleteElements(table: string, ports: readonly PublishedPort[]): string {
  return ports
    .map(mapElement)
    .map(({ map, key }) => `delete element ip ${table} ${map} { ${key} }\n`)
    .join('');
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
    '  map published_at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }\n',
    '  map published { type inet_proto . inet_service : ipv4_addr . inet_service; }\n',
    // Without it route_localnet lets a container or a neighbour reach what listens on 127.0.0.1 (field/network.md, "Traps").
    chain('raw', 'filter hook prerouting priority raw', ['iifname != "lo" ip daddr 127.0.0.0/8 drop']),
    chain('prerouting', 'nat hook prerouting priority dstnat', dnat),
    chain('output', 'nat hook output priority -100', dnat), // `dstnat` is refused in the output hook
    chain('forward', 'filter hook forward priority filter', forward),
    chain('postrouting', 'nat hook postrouting priority srcnat', postrouting),
    '}\n',
    addElements(table, ports),
  ].join('');
}
