import { z } from 'zod';

const stringMap = z.record(z.string(), z.string());

/** A network as it stands in the database. */
export const networkSchema = z.object({
  id: z.string(),
  name: z.string(),
  driver: z.enum(['bridge', 'host', 'null']),
  created: z.string(),
  /** Interface; '' for host and none. */
  bridge: z.string(),
  /** False where the interface was there before and is not ours to remove. */
  ownsBridge: z.boolean().default(true),
  subnet: z.string(),
  gateway: z.string(),
  /** Part of the subnet that addresses are given from; '' for all of it. */
  range: z.string().default(''),
  /** Addresses that are never given, by what the user calls them. */
  auxiliary: stringMap.default({}),
  /** The user chose the subnet: only then may a container ask for an address. */
  ownSubnet: z.boolean().default(true),
  internal: z.boolean(),
  attachable: z.boolean(),
  enableIPv6: z.boolean(),
  options: stringMap,
  labels: stringMap,
});
export type NetworkRecord = z.infer<typeof networkSchema>;

const portSchema = z.object({
  protocol: z.enum(['tcp', 'udp']),
  hostIp: z.string(),
  hostPort: z.number(),
  containerIp: z.string(),
  containerPort: z.number(),
});

const endpointSchema = z.object({
  networkId: z.string(),
  networkName: z.string(),
  endpointId: z.string(),
  /** The end on the bridge. */
  veth: z.string(),
  /** The end inside: its name and index. */
  link: z.string().default('eth0'),
  index: z.number().default(0),
  address: z.string(),
  mac: z.string(),
  aliases: z.array(z.string()),
  /** What this container alone calls others of the network: alias to the other's name (`--link`). */
  links: stringMap.default({}),
  gatewayPriority: z.number().default(0),
});

/** The live network of one container; the row is there exactly while something of it is on the host. */
export const sandboxSchema = z.preprocess(
  (value) => {
    // Rows of galley before several networks a container: one endpoint or null.
    if (typeof value !== 'object' || value === null || !('endpoint' in value)) return value;
    const { endpoint, ...rest } = value;
    return { ...rest, endpoints: endpoint ? [endpoint] : [] };
  },
  z.object({
    containerId: z.string(),
    containerName: z.string(),
    /** '' in host mode and for `container:`. */
    netnsPath: z.string(),
    endpoints: z.array(endpointSchema),
    ports: z.array(portSchema),
    /** Port of the name server inside the namespace; 0: none. */
    dnsPort: z.number().default(0),
  }),
);
export type SandboxRecord = z.infer<typeof sandboxSchema>;
export type EndpointRecord = SandboxRecord['endpoints'][number];
