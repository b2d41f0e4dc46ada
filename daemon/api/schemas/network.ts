import { z } from 'zod';
import type { CreateVolumeBody, EndpointSettings, IpamConfig, StringMap } from '../../../src/api/index.ts';
import { goObject } from '../body.ts';
import { endpointSettings } from './container.ts';

/* Bodies of /networks and /volumes (Engine API 1.51). */

const stringMap = z.record(z.string(), z.string());

export interface CreateNetworkBody {
  Name: string;
  Driver: string;
  Internal: boolean;
  Attachable: boolean;
  EnableIPv4?: boolean;
  EnableIPv6: boolean;
  IPAM: { Driver: string; Config: IpamConfig[]; Options: StringMap | null };
  Options: StringMap;
  Labels: StringMap;
}

export const createNetworkBody = goObject({
  Name: z.string().default(''),
  Driver: z
    .string()
    .default('')
    .transform((driver) => driver || 'bridge'),
  Internal: z.boolean().default(false),
  Attachable: z.boolean().default(false),
  Ingress: z.boolean().default(false),
  ConfigOnly: z.boolean().default(false),
  EnableIPv4: z.boolean().optional(),
  EnableIPv6: z.boolean().default(false),
  IPAM: z.preprocess(
    (v) => v ?? {},
    goObject({
      Driver: z
        .string()
        .default('')
        .transform((driver) => driver || 'default'),
      Config: z
        .array(
          goObject({
            Subnet: z.string().optional(),
            IPRange: z.string().optional(),
            Gateway: z.string().optional(),
            AuxiliaryAddresses: stringMap.optional(),
          }),
        )
        .default([]),
      Options: stringMap.nullable().default(null),
    }),
  ),
  Options: stringMap.default({}),
  Labels: stringMap.default({}),
}) as unknown as z.ZodType<CreateNetworkBody>;

export const connectBody = goObject({
  Container: z.string().default(''),
  EndpointConfig: endpointSettings.nullable().default(null),
}) as unknown as z.ZodType<{ Container: string; EndpointConfig: EndpointSettings | null }>;

export const disconnectBody = goObject({
  Container: z.string().default(''),
  Force: z.boolean().default(false),
}) as unknown as z.ZodType<{ Container: string; Force: boolean }>;

export const createVolumeBody = goObject({
  Name: z.string().default(''),
  Driver: z
    .string()
    .default('')
    .transform((driver) => driver || 'local'),
  DriverOpts: stringMap.default({}),
  Labels: stringMap.default({}),
}) as unknown as z.ZodType<CreateVolumeBody>;
