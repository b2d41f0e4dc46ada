/** The Engine API client's face, in dockerode's shape (design section 9). The dashboard and the one-shot commands know only this. */
import type { Duplex, Readable } from 'node:stream';
import type {
  ContainerInspect,
  ContainerStats,
  ContainerSummary,
  CreateContainerBody,
  CreateContainerResponse,
  CreateExecBody,
  CreateVolumeBody,
  EngineEvent,
  ExecInspect,
  Filters,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageSummary,
  NetworkResource,
  ProgressMessage,
  RegistryAuth,
  SystemInfo,
  TopResponse,
  VersionResponse,
  Volume,
  WaitResponse,
} from '../api/index.ts';

/** An error answer of the engine: `status` is behaviour, `message` the engine's own words. */
export interface EngineFailure extends Error {
  readonly status: number;
}

export interface AttachOptions {
  stdin?: boolean;
  stdout?: boolean;
  stderr?: boolean;
  stream?: boolean;
  logs?: boolean;
  detachKeys?: string;
}

/** A hijacked connection. With `tty` the bytes are raw; otherwise they are multiplexed (`FrameDecoder` of src/api). `end()` half-closes stdin. */
export interface HijackedStream {
  readonly socket: Duplex;
  readonly multiplexed: boolean;
}

export interface LogOptions {
  stdout?: boolean;
  stderr?: boolean;
  follow?: boolean;
  since?: string | number;
  until?: string | number;
  timestamps?: boolean;
  details?: boolean;
  /** A number of lines, or `all`. */
  tail?: string | number;
  signal?: AbortSignal;
}

export interface LogStream {
  readonly body: Readable;
  readonly multiplexed: boolean;
}

export interface ContainerHandle {
  readonly id: string;
  inspect(options?: { size?: boolean }): Promise<ContainerInspect>;
  start(options?: { detachKeys?: string }): Promise<void>;
  stop(options?: { t?: number; signal?: string }): Promise<void>;
  restart(options?: { t?: number; signal?: string }): Promise<void>;
  kill(options?: { signal?: string }): Promise<void>;
  pause(): Promise<void>;
  unpause(): Promise<void>;
  rename(name: string): Promise<void>;
  remove(options?: { force?: boolean; v?: boolean; link?: boolean }): Promise<void>;
  /** Resolves `registered` when the engine answered (the wait is in place), `result` when the condition came true. */
  wait(options?: {
    condition?: 'not-running' | 'next-exit' | 'removed';
    signal?: AbortSignal;
  }): Promise<{ result: Promise<WaitResponse> }>;
  resize(rows: number, columns: number): Promise<void>;
  top(psArgs?: string): Promise<TopResponse>;
  logs(options?: LogOptions): Promise<LogStream>;
  /** One sample (stream false) or an async iterable of them. */
  stats(options?: { stream?: false; oneShot?: boolean; signal?: AbortSignal }): Promise<ContainerStats>;
  statsStream(options?: { signal?: AbortSignal }): AsyncIterable<ContainerStats>;
  attach(options: AttachOptions): Promise<HijackedStream>;
  exec(body: Partial<CreateExecBody> & { Cmd: string[] }): Promise<ExecHandle>;
}

export interface ExecHandle {
  readonly id: string;
  start(options: { tty: boolean; consoleSize?: [number, number] }): Promise<HijackedStream>;
  startDetached(): Promise<void>;
  resize(rows: number, columns: number): Promise<void>;
  inspect(): Promise<ExecInspect>;
}

export interface ImageHandle {
  readonly name: string;
  inspect(): Promise<ImageInspect>;
  history(): Promise<ImageHistoryItem[]>;
  tag(options: { repo: string; tag?: string }): Promise<void>;
  remove(options?: { force?: boolean; noprune?: boolean }): Promise<ImageDeleteItem[]>;
}

export interface VolumeHandle {
  readonly name: string;
  inspect(): Promise<Volume>;
  remove(options?: { force?: boolean }): Promise<void>;
}

export interface NetworkHandle {
  readonly id: string;
  inspect(): Promise<NetworkResource>;
  remove(): Promise<void>;
}

export interface EngineClient {
  /** Where it is connected, for people: `unix:///run/galley/galley.sock`. */
  readonly host: string;
  /** HEAD /_ping: negotiates the API version. */
  ping(signal?: AbortSignal): Promise<{ apiVersion: string; osType: string }>;
  version(): Promise<VersionResponse>;
  info(): Promise<SystemInfo>;
  /** True where GET /version lists a component named galley. */
  isGalley(): Promise<boolean>;
  getEvents(options?: {
    since?: string | number;
    until?: string | number;
    filters?: Filters;
    signal?: AbortSignal;
  }): AsyncIterable<EngineEvent>;

  listContainers(options?: {
    all?: boolean;
    limit?: number;
    size?: boolean;
    filters?: Filters;
  }): Promise<ContainerSummary[]>;
  createContainer(
    body: Partial<CreateContainerBody> & { Image: string },
    options?: { name?: string; platform?: string },
  ): Promise<CreateContainerResponse>;
  getContainer(id: string): ContainerHandle;
  getExec(id: string): ExecHandle;

  listImages(options?: { all?: boolean; filters?: Filters; digests?: boolean }): Promise<ImageSummary[]>;
  getImage(name: string): ImageHandle;
  /** Streams the engine's progress lines; throws EngineFailure for an error line too. */
  pull(
    reference: string,
    options?: { platform?: string; auth?: RegistryAuth; signal?: AbortSignal; allTags?: boolean },
  ): AsyncIterable<ProgressMessage>;
  /** Streams progress as `pull` does; without `allTags` the tag of the name, or latest. */
  push(
    reference: string,
    options?: { auth?: RegistryAuth; signal?: AbortSignal; allTags?: boolean },
  ): AsyncIterable<ProgressMessage>;
  /** A tar with the images. */
  saveImages(names: readonly string[], options?: { signal?: AbortSignal }): Promise<Readable>;
  loadImages(archive: Readable, options?: { quiet?: boolean; signal?: AbortSignal }): AsyncIterable<ProgressMessage>;
  /** From a tar, or from what an http(s) URL serves to the engine; the last line's status is the image's ID. */
  importImage(
    source: Readable | string,
    options?: {
      repo?: string;
      tag?: string;
      message?: string;
      changes?: readonly string[];
      platform?: string;
      signal?: AbortSignal;
    },
  ): AsyncIterable<ProgressMessage>;

  listVolumes(options?: { filters?: Filters }): Promise<Volume[]>;
  createVolume(body: Partial<CreateVolumeBody>): Promise<Volume>;
  getVolume(name: string): VolumeHandle;
  listNetworks(options?: { filters?: Filters }): Promise<NetworkResource[]>;
  getNetwork(id: string): NetworkHandle;

  /** Ends every connection. */
  close(): Promise<void>;
}
