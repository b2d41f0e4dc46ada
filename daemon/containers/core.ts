import path from 'node:path';
import type { ContainerConfig, CreateExecBody, HostConfig } from '../../src/api/index.ts';
import type { LayerStore } from '../layers/types.ts';
import type { OciProcess, OciSpec, Runtime, SpecInput } from '../runtime/types.ts';
import type { Database } from '../state/index.ts';
import { type CgroupAbilities, cgroupAbilities } from '../system/cgroups.ts';
import type { Log } from '../system/log.ts';
import { StreamHub } from './hub.ts';
import type { NameLists } from './names.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerStore, Entry } from './store.ts';
import type { ContainerEventSink, NeighbourImages, NeighbourNetworks, NeighbourVolumes } from './types.ts';

export interface ResolvedUser {
  uid: number;
  gid: number;
  additionalGids: number[];
}

/** What the manager is built from. The spec functions are daemon/runtime's, handed in by main so that tests can look between. */
export interface ContainerDeps {
  db: Database;
  dataRoot: string;
  execRoot: string;
  runtime: Runtime;
  buildSpec(input: SpecInput): OciSpec | Promise<OciSpec>;
  /** What this host cannot give, as warnings. @throws EngineError 400 */
  checkHostConfig?(hostConfig: HostConfig): string[];
  /** @throws EngineError when the name is not in the root's passwd or group. */
  resolveUser(rootfs: string, user: string, groupAdd: readonly string[]): ResolvedUser | Promise<ResolvedUser>;
  buildExecProcess(input: ExecProcessInput): OciProcess | Promise<OciProcess>;
  layers: LayerStore;
  images: NeighbourImages;
  networks: NeighbourNetworks;
  volumes: NeighbourVolumes;
  publish: ContainerEventSink;
  /** Events of volumes that a container mounts and unmounts. */
  publishVolume: ContainerEventSink;
  log: Log;
  /** cgroup folder of this galleyd, without slashes at the ends: `galley`. */
  cgroupParent: string;
  /** OCI runtime where HostConfig.Runtime asks for none: 'runc'. */
  defaultRuntime?: string;
  /** Static init binary for --init; null: the host has none. */
  initPath: string | null;
  /** How often log sizes are looked at; default 5000 ms. */
  logCheckMs?: number;
  /** For tests: names of their own. */
  names?: NameLists;
}

export interface ExecProcessInput {
  config: ContainerConfig;
  hostConfig: HostConfig;
  exec: CreateExecBody;
  user: ResolvedUser;
}

/** One run of a container, from its start to the end of the work after its exit. */
export interface Run {
  readonly ended: Promise<void>;
  finish(): void;
  /** Aborts when the process has ended and its log is complete. */
  readonly over: AbortController;
}

/** What is known of a container only while galleyd lives. */
export interface Live {
  readonly hub: StreamHub;
  run: Run | null;
  restartTimer: NodeJS.Timeout | null;
  /** Milliseconds before the next restart; 0: the first of a series. */
  restartDelay: number;
  /** Set while a stop is under way: the exit that follows is wanted. */
  stopping: boolean;
  /** A restart is under way: --rm must not remove the container in between. */
  keepOnExit: boolean;
  /** A step of the clean-up failed: the next start cleans first. */
  unclean: boolean;
  removal: Promise<void> | null;
  /** Copies under way that need the root to stay mounted. */
  rootHolds: number;
  /** Volumes that the present run has mounted. */
  readonly volumes: Set<string>;
  health: { stop(): void } | null;
  readonly exits: Set<(exitCode: number) => void>;
  readonly removals: Set<(result: { exitCode: number; error?: string }) => void>;
}

export interface ContainerPaths {
  folder: string;
  log: string;
  hosts: string;
  hostname: string;
  resolvConf: string;
  shm: string;
}

/** The state that the modules of this folder share. */
export interface Core {
  readonly deps: ContainerDeps;
  readonly store: ContainerStore;
  live(entry: Entry): Live;
  forget(id: string): void;
  paths(id: string): ContainerPaths;
  /** @throws nothing: an event is an announcement. */
  emit(record: ContainerRecord, action: string, extra?: Record<string, string>): void;
  /** What the cgroups of this host can limit. */
  readonly host: CgroupAbilities;
  closed: boolean;
  /** What follows a run's end; set by the manager, because the exit may lead to a start again. */
  watchExit(entry: Entry, run: Run): void;
}

export function createRun(): Run {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { ended: promise, finish: resolve, over: new AbortController() };
}

export function createCore(
  deps: ContainerDeps,
  store: ContainerStore,
  watchExit: (core: Core, entry: Entry, run: Run) => void,
): Core {
  const lives = new Map<string, Live>();
  const paths = (id: string): ContainerPaths => {
    const folder = path.join(deps.dataRoot, 'containers', id);
    return {
      folder,
      log: path.join(folder, 'ctr.log'),
      hosts: path.join(folder, 'hosts'),
      hostname: path.join(folder, 'hostname'),
      resolvConf: path.join(folder, 'resolv.conf'),
      shm: path.join(folder, 'shm'),
    };
  };
  const core: Core = {
    deps,
    store,
    paths,
    host: cgroupAbilities(),
    watchExit: (entry, run) => watchExit(core, entry, run),
    closed: false,
    live(entry) {
      const { id } = entry.record;
      let live = lives.get(id);
      if (!live) {
        live = {
          hub: new StreamHub({
            attach: () => deps.runtime.attach(id),
            logPath: entry.record.hostConfig.LogConfig.Type === 'none' ? null : paths(id).log,
            keepOpen: entry.record.config.OpenStdin,
            log: deps.log,
          }),
          run: null,
          restartTimer: null,
          restartDelay: 0,
          stopping: false,
          keepOnExit: false,
          unclean: false,
          removal: null,
          rootHolds: 0,
          volumes: new Set(),
          health: null,
          exits: new Set(),
          removals: new Set(),
        };
        lives.set(id, live);
      }
      return live;
    },
    forget: (id) => {
      lives.delete(id);
    },
    emit(record, action, extra = {}) {
      deps.publish(action, record.id, {
        ...(record.config.Labels ?? {}),
        image: record.config.Image,
        name: record.name,
        ...extra,
      });
    },
  };
  return core;
}
