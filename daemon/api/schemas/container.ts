import { z } from 'zod';
import type { CreateContainerBody, CreateExecBody, HostConfig, StartExecBody } from '../../../src/api/index.ts';
import { goObject } from '../body.ts';

/* Bodies of /containers and /exec, with Go's zero values (Engine API 1.51; field/engine-api.md sections 1.3 and 1.5). */

const text = z.string().default('');
const bool = z.boolean().default(false);
const int = z.int().default(0);
const strings = z.array(z.string()).nullable().default(null);
const stringMap = z.record(z.string(), z.string());
const emptySet = z.record(
  z.string(),
  z.unknown().transform((): Record<string, never> => ({})),
);

const portMap = z.record(
  z.string(),
  z
    .array(goObject({ HostIp: text, HostPort: text }))
    .nullable()
    .transform((bindings) => bindings ?? []),
);

const health = goObject({
  Test: z.array(z.string()).optional(),
  Interval: z.int().optional(),
  Timeout: z.int().optional(),
  StartPeriod: z.int().optional(),
  StartInterval: z.int().optional(),
  Retries: z.int().optional(),
});

const rate = z
  .array(goObject({ Path: text, Rate: int }))
  .nullable()
  .optional();

const mountRequest = goObject({
  Type: text,
  Source: z.string().optional(),
  Target: text,
  ReadOnly: z.boolean().optional(),
  Consistency: z.string().optional(),
  BindOptions: goObject({
    Propagation: z.string().optional(),
    NonRecursive: z.boolean().optional(),
    CreateMountpoint: z.boolean().optional(),
    ReadOnlyNonRecursive: z.boolean().optional(),
    ReadOnlyForceRecursive: z.boolean().optional(),
  }).optional(),
  VolumeOptions: goObject({
    NoCopy: z.boolean().optional(),
    Labels: stringMap.optional(),
    DriverConfig: goObject({ Name: z.string().optional(), Options: stringMap.optional() }).optional(),
    Subpath: z.string().optional(),
  }).optional(),
  TmpfsOptions: goObject({
    SizeBytes: z.int().optional(),
    Mode: z.int().optional(),
    Options: z.array(z.array(z.string())).optional(),
  }).optional(),
});

const restartPolicy = goObject({
  Name: text,
  MaximumRetryCount: int,
});

const consoleSize = z.tuple([z.int().min(0), z.int().min(0)]);

const hostConfigShape = {
  Binds: strings,
  ContainerIDFile: z.string().optional(),
  LogConfig: goObject({ Type: text, Config: stringMap.nullable().default(null) }),
  NetworkMode: text,
  PortBindings: portMap.nullable().default(null),
  RestartPolicy: restartPolicy,
  AutoRemove: bool,
  VolumeDriver: z.string().optional(),
  VolumesFrom: strings,
  ConsoleSize: consoleSize.optional(),
  Annotations: stringMap.optional(),
  CapAdd: strings,
  CapDrop: strings,
  CgroupnsMode: z.string().optional(),
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: text,
  Cgroup: z.string().optional(),
  Links: strings,
  OomScoreAdj: int,
  PidMode: text,
  Privileged: bool,
  PublishAllPorts: bool,
  ReadonlyRootfs: bool,
  SecurityOpt: strings,
  StorageOpt: stringMap.optional(),
  Tmpfs: stringMap.optional(),
  UTSMode: text,
  UsernsMode: text,
  ShmSize: int,
  Sysctls: stringMap.optional(),
  Runtime: z.string().optional(),
  Isolation: z.string().optional(),
  CpuShares: int,
  Memory: int,
  NanoCpus: int,
  CgroupParent: text,
  BlkioWeight: int,
  BlkioWeightDevice: z
    .array(goObject({ Path: text, Weight: int }))
    .nullable()
    .optional(),
  BlkioDeviceReadBps: rate,
  BlkioDeviceWriteBps: rate,
  BlkioDeviceReadIOps: rate,
  BlkioDeviceWriteIOps: rate,
  CpuPeriod: int,
  CpuQuota: int,
  CpuRealtimePeriod: z.int().optional(),
  CpuRealtimeRuntime: z.int().optional(),
  CpusetCpus: text,
  CpusetMems: text,
  Devices: z
    .array(goObject({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text }))
    .nullable()
    .default(null),
  DeviceCgroupRules: strings,
  DeviceRequests: z
    .array(goObject({ Driver: text, Capabilities: z.array(z.array(z.string())).default([]) }))
    .nullable()
    .optional(),
  MemoryReservation: int,
  MemorySwap: int,
  MemorySwappiness: z.int().nullable().optional(),
  OomKillDisable: z.boolean().nullable().optional(),
  PidsLimit: z.int().nullable().optional(),
  Ulimits: z
    .array(goObject({ Name: text, Soft: int, Hard: int }))
    .nullable()
    .default(null),
  Mounts: z.array(mountRequest).optional(),
  MaskedPaths: z.array(z.string()).nullable().optional(),
  ReadonlyPaths: z.array(z.string()).nullable().optional(),
  Init: z.boolean().nullable().optional(),
};

const endpoint = goObject({
  IPAMConfig: goObject({
    IPv4Address: z.string().optional(),
    IPv6Address: z.string().optional(),
    LinkLocalIPs: z.array(z.string()).optional(),
  })
    .nullable()
    .optional(),
  Links: z.array(z.string()).nullable().optional(),
  Aliases: z.array(z.string()).nullable().optional(),
  MacAddress: z.string().optional(),
  DriverOpts: stringMap.nullable().optional(),
  GwPriority: z.int().optional(),
  NetworkID: z.string().optional(),
});
export const endpointSettings = endpoint;

const configShape = {
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  ExposedPorts: emptySet.nullable().optional(),
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: strings,
  // A bare string stands for a list of one, as Go's strslice decodes it.
  Cmd: z.preprocess((v) => (typeof v === 'string' ? [v] : v), strings),
  Healthcheck: health.optional(),
  ArgsEscaped: z.boolean().optional(),
  Image: text,
  Volumes: emptySet.nullable().default(null),
  WorkingDir: text,
  Entrypoint: z.preprocess((v) => (typeof v === 'string' ? [v] : v), strings),
  NetworkDisabled: z.boolean().optional(),
  MacAddress: z.string().optional(),
  OnBuild: strings.optional(),
  Labels: stringMap.nullable().default(null),
  StopSignal: z.string().optional(),
  StopTimeout: z.int().optional(),
  Shell: z.array(z.string()).optional(),
};

/** An absent nested object is all zero values, as in Go. */
const orZero = <T extends z.ZodType>(schema: T) => z.preprocess((v) => v ?? {}, schema);

const hostConfig = goObject({
  ...hostConfigShape,
  LogConfig: orZero(hostConfigShape.LogConfig),
  RestartPolicy: orZero(restartPolicy),
});

export const createContainerBody = goObject({
  ...configShape,
  HostConfig: orZero(hostConfig),
  NetworkingConfig: goObject({ EndpointsConfig: z.record(z.string(), endpoint.nullable()).nullable().optional() })
    .nullable()
    .optional(),
}) as unknown as z.ZodType<CreateContainerBody>;

/** POST /containers/{id}/update: resources and the restart policy, only what was sent. */
export const updateBody = goObject(
  Object.fromEntries(
    (
      [
        'CpuShares',
        'Memory',
        'NanoCpus',
        'BlkioWeight',
        'CpuPeriod',
        'CpuQuota',
        'CpusetCpus',
        'CpusetMems',
        'MemoryReservation',
        'MemorySwap',
        'PidsLimit',
        'RestartPolicy',
      ] as const
    ).map((key) => [
      key,
      (key === 'RestartPolicy' ? restartPolicy : key.startsWith('Cpuset') ? z.string() : z.int().nullable()).optional(),
    ]),
  ),
) as unknown as z.ZodType<Partial<HostConfig>>;

export const createExecBody = goObject({
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  Detach: z.boolean().optional(),
  DetachKeys: text,
  Tty: bool,
  Env: strings,
  Cmd: z.preprocess((v) => (typeof v === 'string' ? [v] : v), strings),
  Privileged: bool,
  User: text,
  WorkingDir: text,
  ConsoleSize: consoleSize.nullable().optional(),
}) as unknown as z.ZodType<CreateExecBody>;

export const startExecBody = goObject({
  Detach: bool,
  Tty: bool,
  ConsoleSize: consoleSize.nullable().optional(),
}) as unknown as z.ZodType<StartExecBody>;
