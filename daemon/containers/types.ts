/** Containers: create, lifecycle, exec, attach, wait, logs (field/engine-api.md sections 1.3 and 2). */

import type { Readable } from 'node:stream';
import type {
  ContainerConfig,
  ContainerInspect,
  ContainerStats,
  ContainerSummary,
  CreateContainerBody,
  CreateContainerResponse,
  CreateExecBody,
  ExecInspect,
  Filters,
  HostConfig,
  ImageRunConfig,
  StartExecBody,
  TopResponse,
  WaitResponse,
} from '../../src/api/index.ts';
import type { Change } from '../layers/types.ts';
import type { Packed, PathStat } from './archive/types.ts';

/** A client's end of a hijacked connection, whatever the transport. */
export interface ClientStream {
  /** Bytes for the client; resolves when the transport took them. stream 1 stdout, 2 stderr; framing is the route's business. */
  send(stream: 1 | 2, data: Buffer): Promise<void>;
  /** Bytes from the client; null end means stdin closed (half-close). */
  onInput(listener: (data: Buffer) => void | Promise<void>): void;
  onInputEnd(listener: () => void): void;
  /** The client is gone (connection closed both ways). */
  onClose(listener: () => void): void;
  close(): void;
}

export interface AttachOptions {
  logs: boolean;
  stream: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  detachKeys: string;
}

export interface LogOptions {
  stdout: boolean;
  stderr: boolean;
  follow: boolean;
  /** Unix nanoseconds; 0: no bound. */
  since: bigint;
  until: bigint;
  timestamps: boolean;
  details: boolean;
  /** -1: all. */
  tail: number;
}

export interface WaitOptions {
  condition: 'not-running' | 'next-exit' | 'removed';
  signal: AbortSignal;
}

export interface CommitOptions {
  repository: string;
  tag: string;
  author: string;
  comment: string;
  /** Holds a running container still meanwhile. */
  pause: boolean;
  /** Dockerfile instructions. */
  changes: string[];
  /** Over the container's own. */
  config?: ContainerConfig;
  signal: AbortSignal;
}

export interface ContainerManager {
  create(name: string, platform: string | undefined, body: CreateContainerBody): Promise<CreateContainerResponse>;
  list(options: { all: boolean; limit: number; size: boolean; filters: Filters }): Promise<ContainerSummary[]>;
  inspect(reference: string, options: { size: boolean }): Promise<ContainerInspect>;
  start(reference: string, detachKeys?: string): Promise<void>;
  stop(reference: string, options: { signal?: string; timeout?: number }): Promise<void>;
  restart(reference: string, options: { signal?: string; timeout?: number }): Promise<void>;
  kill(reference: string, signal: string): Promise<void>;
  pause(reference: string): Promise<void>;
  unpause(reference: string): Promise<void>;
  rename(reference: string, name: string): Promise<void>;
  update(reference: string, change: Partial<HostConfig>): Promise<{ Warnings: string[] }>;
  remove(reference: string, options: { force: boolean; volumes: boolean; link: boolean }): Promise<void>;
  prune(filters: Filters): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }>;
  /** Registered when it returns; the route flushes its header then and awaits `result`. @throws EngineError (404, 400) at once. */
  wait(reference: string, options: WaitOptions): { result: Promise<WaitResponse> };
  resize(reference: string, rows: number, columns: number): Promise<void>;
  top(reference: string, psArgs: string): Promise<TopResponse>;
  changes(reference: string): Promise<Change[]>;
  /** @throws EngineError 400, 404, 409 */
  commit(reference: string, options: CommitOptions): Promise<{ Id: string }>;
  /** HEAD archive. @throws EngineError 400, 404 */
  statPath(reference: string, path: string): Promise<PathStat>;
  /** GET archive; a null path exports the whole root without its mounts. @throws EngineError 400, 404 */
  pack(reference: string, path: string | null): Promise<Packed>;
  /** PUT archive: the tar, perhaps compressed, into a folder. @throws EngineError 400, 404 */
  extract(
    reference: string,
    path: string,
    tar: Readable,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean },
  ): Promise<void>;
  /** Calls `listener` about each second (stream) or once. Resolves when done. */
  stats(
    reference: string,
    options: { stream: boolean; oneShot: boolean; signal: AbortSignal },
    listener: (stats: ContainerStats) => Promise<void>,
  ): Promise<void>;
  /** Checked before the header is sent. `run` ends when the stream does. */
  attach(
    reference: string,
    options: AttachOptions,
  ): Promise<{ tty: boolean; run(client: ClientStream): Promise<void> }>;
  logs(
    reference: string,
    options: LogOptions,
  ): Promise<{
    tty: boolean;
    run(send: (stream: 1 | 2, data: Buffer) => Promise<void>, signal: AbortSignal): Promise<void>;
  }>;
  createExec(reference: string, body: CreateExecBody): Promise<{ Id: string }>;
  /** `run` prints start errors into the stream (never HTTP) once hijacked; detached resolves when started. */
  startExec(
    execId: string,
    body: StartExecBody,
  ): Promise<{ tty: boolean; run(client: ClientStream): Promise<void>; runDetached(): Promise<void> }>;
  inspectExec(execId: string): ExecInspect;
  resizeExec(execId: string, rows: number, columns: number): Promise<void>;
  counts(): { total: number; running: number; paused: number; stopped: number };

  /** For the neighbours (images, networks): who uses what. */
  usersOf(imageId: string): { id: string; running: boolean }[];
  /** For networks' connect and disconnect, and its messages; the shape is NetworkContainers of daemon/networks/types.ts. */
  sandboxRequest(reference: string): { request: SandboxRequest; running: boolean; pid: number };
  nameOf(containerId: string): string | undefined;
  /** Adds or removes a network in the container's record after a connect or disconnect. */
  recordEndpoint(containerId: string, network: string, settings: EndpointSettings | null): void;
  /** New content of /etc/hosts and /etc/resolv.conf of a running container. */
  writeFiles(containerId: string, files: { hostsFile: string; resolvConf: string }): Promise<void>;
  /** Boot: adopt what runs, take exit codes written meanwhile, finish removals. Reads answer before this is done. */
  restore(): Promise<void>;
  /** After networks are back: restart policies (always, unless-stopped), auto-remove left-overs. */
  applyRestartPolicies(): Promise<void>;
  /** Ids of containers whose process lives (valid after restore). */
  running(): ReadonlySet<string>;
  /** `galleyd` ends: close streams; containers live on. */
  close(): Promise<void>;
}

/* What containers need of their neighbours. main hands them in; the shapes equal the neighbours' own interfaces, so that no domain imports another. */
import type { EndpointSettings, NetworkSettings, PortMap, Volume } from '../../src/api/index.ts';

export interface SandboxRequest {
  containerId: string;
  containerName: string;
  hostname: string;
  domainname: string;
  networkMode: string;
  endpoints: Record<string, EndpointSettings | null>;
  portBindings: PortMap;
  exposedPorts: string[];
  publishAll: boolean;
  dns: string[];
  dnsSearch: string[];
  dnsOptions: string[];
  extraHosts: string[];
  macAddress: string;
  /** `name:alias` of --link on the default bridge. */
  links: string[];
  /** It ran at least once: from then on it shows the ids of its networks. */
  started: boolean;
}
export interface Sandbox {
  netnsPath: string | null;
  settings: NetworkSettings;
  portDescriptors: number[];
  hostsFile: string;
  resolvConf: string;
}
export interface NeighbourNetworks {
  validate(request: SandboxRequest): void;
  setUp(request: SandboxRequest): Promise<Sandbox>;
  tearDown(containerId: string): Promise<void>;
  settingsOf(containerId: string, request: SandboxRequest): NetworkSettings;
  releaseDescriptors(sandbox: Sandbox): void;
  namespaceOf(containerId: string): string | undefined;
}
export interface NeighbourImages {
  /** The shape is CommitRequest of daemon/images/types.ts. */
  commit(request: {
    upper: string;
    baseImageId: string | undefined;
    config: ImageRunConfig;
    containerId: string;
    createdBy: string;
    repository: string;
    tag: string;
    author: string;
    message: string;
    changes: readonly string[];
    signal: AbortSignal;
  }): Promise<string>;
  resolve(
    reference: string,
  ):
    | { id: string; config: ImageRunConfig; os: string; architecture: string; variant?: string; chainId: string | null }
    | undefined;
}
export interface NeighbourVolumes {
  create(body: {
    Name: string;
    Driver: string;
    DriverOpts: Record<string, string>;
    Labels: Record<string, string>;
  }): Promise<Volume>;
  inspect(name: string): Volume;
  remove(name: string, force: boolean): Promise<void>;
  reference(name: string, containerId: string, unnamed: boolean): void;
  dereference(containerId: string): string[];
  mount(name: string, containerId: string): Promise<string>;
  unmount(name: string, containerId: string): Promise<void>;
  populate(name: string, sourceFolder: string): Promise<void>;
}
export type ContainerEventSink = (action: string, id: string, attributes: Record<string, string>) => void;
