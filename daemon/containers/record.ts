import { z } from 'zod';
import type { ContainerConfig, EndpointSettings, Health, HostConfig } from '../../src/api/index.ts';
import type { ProcessIdentity } from '../runtime/types.ts';

export const ZERO_TIME = '0001-01-01T00:00:00Z';

/** A mount as the container asked for it; what inspect shows and start needs. */
export interface MountRecord {
  Type: 'bind' | 'volume' | 'tmpfs';
  /** Volume name. */
  Name: string;
  /** Host path of a bind or of a volume's data. */
  Source: string;
  Destination: string;
  Driver: string;
  /** The mode as the user wrote it (`ro,z`). */
  Mode: string;
  RW: boolean;
  Propagation: string;
  /** `-v`: a missing host folder is made. `--mount type=bind`: it is refused. */
  CreateSource: boolean;
  NoCopy: boolean;
  Subpath: string;
  NonRecursive: boolean;
  /** tmpfs options (`size=…`, `mode=…`). */
  Options: string[];
  /** Came from --mount or -v / --tmpfs: only these show in inspect's Mounts (a HostConfig.Tmpfs entry does not). */
  Listed: boolean;
}

/** Everything that is known of one container. Immutable: a change makes a new record. */
export interface ContainerRecord {
  id: string;
  /** Without the leading slash. */
  name: string;
  created: string;
  imageId: string;
  imageArchitecture: string;
  config: ContainerConfig;
  hostConfig: HostConfig;
  endpoints: Record<string, EndpointSettings | null>;
  mounts: MountRecord[];
  status: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead';
  /** A start is under way: written before anything is made for it, so that a crash in between is understood at boot. */
  starting: boolean;
  /** The tombstone: removal was asked for and is finished at the next boot if it was cut. */
  removing: { volumes: boolean } | null;
  identity: ProcessIdentity | null;
  exitCode: number;
  error: string;
  oomKilled: boolean;
  startedAt: string;
  finishedAt: string;
  restartCount: number;
  /** The user stopped it: `unless-stopped` stays down at the next boot. */
  manuallyStopped: boolean;
  health: Health | null;
}

const object = <T>(what: string): z.ZodType<T> =>
  z.custom<T>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), `${what} is no object`);

const Mount = z.object({
  Type: z.enum(['bind', 'volume', 'tmpfs']),
  Name: z.string(),
  Source: z.string(),
  Destination: z.string(),
  Driver: z.string(),
  Mode: z.string(),
  RW: z.boolean(),
  Propagation: z.string(),
  CreateSource: z.boolean(),
  NoCopy: z.boolean(),
  Subpath: z.string(),
  NonRecursive: z.boolean(),
  Options: z.array(z.string()),
  Listed: z.boolean(),
});

const Identity = z.object({ pid: z.number(), startTime: z.string(), bootId: z.string() });

export const ContainerRecordSchema: z.ZodType<ContainerRecord> = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().min(1),
  created: z.string(),
  imageId: z.string(),
  imageArchitecture: z.string(),
  config: object<ContainerConfig>('config'),
  hostConfig: object<HostConfig>('hostConfig'),
  endpoints: z.record(z.string(), object<EndpointSettings>('endpoint').nullable()),
  mounts: z.array(Mount),
  status: z.enum(['created', 'running', 'paused', 'restarting', 'exited', 'dead']),
  starting: z.boolean(),
  removing: z.object({ volumes: z.boolean() }).nullable(),
  identity: Identity.nullable(),
  exitCode: z.number(),
  error: z.string(),
  oomKilled: z.boolean(),
  startedAt: z.string(),
  finishedAt: z.string(),
  restartCount: z.number(),
  manuallyStopped: z.boolean(),
  health: object<Health>('health').nullable(),
});

/** The process lives (paused or not). */
export function isAlive(record: ContainerRecord): boolean {
  return record.status === 'running' || record.status === 'paused';
}
