import { z } from 'zod';

/** A network as it stands in the database. */
export const networkSchema = z.object({
  id: z.string(),
  name: z.string(),
  driver: z.enum(['bridge', 'host', 'null']),
  created: z.string(),
  /** Interface; '' for host and none. */
  bridge: z.string(),
  subnet: z.string(),
  gateway: z.string(),
  internal: z.boolean(),
  attachable: z.boolean(),
  enableIPv6: z.boolean(),
  options: z.record(z.string(), z.string()),
  labels: z.record(z.string(), z.string()),
});
export type NetworkRecord = z.infer<typeof networkSchema>;

const portSchema = z.object({
  protocol: z.enum(['tcp', 'udp']),
  hostIp: z.string(),
  hostPort: z.number(),
  containerIp: z.string(),
  containerPort: z.number(),
});

/** The live network of one container; the row is there exactly while something of it is on the host. */
export const sandboxSchema = z.object({
  containerId: z.string(),
  containerName: z.string(),
  /** '' in host mode and for `container:`. */
  netnsPath: z.string(),
  endpoint: z
    .object({
      networkId: z.string(),
      networkName: z.string(),
      endpointId: z.string(),
      veth: z.string(),
      address: z.string(),
      mac: z.string(),
      aliases: z.array(z.string()),
    })
    .nullable(),
  ports: z.array(portSchema),
});
export type SandboxRecord = z.infer<typeof sandboxSchema>;
export type EndpointRecord = NonNullable<SandboxRecord['endpoint']>;
