/** Images: references, registry, content store (design section 6). Hands containers a chain of layers and a config. */
import type { Readable } from 'node:stream';
import type {
  DistributionInspect,
  Filters,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageRunConfig,
  ImageSummary,
  ProgressMessage,
  RegistryAuth,
  SearchResult,
} from '../../src/api/index.ts';
import type { SearchRequest } from './search.ts';

export interface ResolvedImage {
  /** sha256:… digest of the config blob (what Docker's classic store calls the image ID). */
  id: string;
  config: ImageRunConfig;
  os: string;
  architecture: string;
  variant?: string;
  /** Topmost layer; null for an image without layers. */
  chainId: string | null;
}

export interface PullRequest {
  /** As the client gave it: `busybox`, `localhost:5000/a/b`, `docker.io/library/x`. */
  image: string;
  /** Tag or digest; undefined means all tags in the API (1.3) - see `allTags`. */
  tag: string | undefined;
  platform: string | undefined;
  auth: RegistryAuth | undefined;
  signal: AbortSignal;
  onProgress: (message: ProgressMessage) => void;
}

export interface PushRequest {
  image: string;
  /** undefined: every tag of the repository that is here. */
  tag: string | undefined;
  auth: RegistryAuth | undefined;
  signal: AbortSignal;
  onProgress: (message: ProgressMessage) => void;
}

export interface LoadRequest {
  /** No progress, only the names of what was loaded. */
  quiet: boolean;
  signal: AbortSignal;
  onProgress: (message: ProgressMessage) => void;
}

export interface ImportRequest {
  /** Repository, or empty for an image without a name. */
  repository: string;
  tag: string;
  message: string;
  /** Dockerfile instructions. */
  changes: readonly string[];
  platform: string | undefined;
  signal: AbortSignal;
}

export interface CommitRequest {
  /** The container's writable folder (overlayfs upper), not written to meanwhile, and the image it stands on (undefined: none). */
  upper: string;
  baseImageId: string | undefined;
  /** The container's config: what the new image starts with. */
  config: ImageRunConfig;
  /** For the history: the container's ID, its command line. */
  containerId: string;
  createdBy: string;
  repository: string;
  tag: string;
  author: string;
  message: string;
  changes: readonly string[];
  signal: AbortSignal;
}

export interface ImageStore {
  /** @throws EngineError before anything was streamed, with Docker's text. After the first progress line errors still throw: the route puts them in-band. */
  pull(request: PullRequest): Promise<void>;
  /** @throws EngineError, after the first progress line too. */
  push(request: PushRequest): Promise<void>;
  /** A tar with all of the images. @throws EngineError before it begins. */
  save(names: readonly string[]): Promise<Readable>;
  /** Takes an image archive, packed or not. @throws EngineError, after the first progress line too. */
  load(archive: Readable, request: LoadRequest): Promise<void>;
  /** Makes an image of one layer from a root file system's tar, packed or not. Gives its ID. @throws EngineError */
  importTar(tar: Readable, request: ImportRequest): Promise<string>;
  /** The body behind a URL, for an import. @throws EngineError */
  download(url: string, signal: AbortSignal): Promise<Readable>;
  /** Makes an image from a container's changes. Gives its ID. @throws EngineError */
  commit(request: CommitRequest): Promise<string>;
  /** @throws EngineError */
  search(request: SearchRequest): Promise<SearchResult[]>;
  /** What a name points at in its registry. @throws EngineError */
  distribution(name: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<DistributionInspect>;
  /** Name, name:tag, name@digest, ID or a unique ID prefix. @throws EngineError (ambiguous prefix). */
  resolve(reference: string): ResolvedImage | undefined;
  list(options: { all: boolean; filters: Filters; sharedSize: boolean }): Promise<ImageSummary[]>;
  inspect(reference: string): ImageInspect;
  history(reference: string): ImageHistoryItem[];
  tag(source: string, repository: string, tag: string): void;
  /** Docker's rules: untags, deletes when the last reference goes; conflicts when containers use it. */
  remove(reference: string, options: { force: boolean; noPrune: boolean }): Promise<ImageDeleteItem[]>;
  prune(filters: Filters): Promise<{ ImagesDeleted: ImageDeleteItem[] | null; SpaceReclaimed: number }>;
  /** A line for each thing that is missing or damaged; `deep` reads everything. */
  check(deep: boolean): Promise<string[]>;
  /** How many images there are, for /info. */
  count(): number;
  /** Boot and idle: removes blobs and layers nothing refers to (leases respected). Returns the bytes given back. */
  collectGarbage(): Promise<number>;
  /** `galleyd` ends: connections to registries are closed, files let go; what arrived of blobs is kept. */
  close(): Promise<void>;
}

/** What the image store must know of containers: who uses an image (containers by image ID). Handed in by main. */
export interface ImageUsers {
  usersOf(imageId: string): { id: string; running: boolean }[];
}

/** Where image events go. Handed in by main. */
export type ImageEventSink = (action: string, id: string, attributes: Record<string, string>) => void;
