/** Images: references, registry, content store (design section 6). Hands containers a chain of layers and a config. */
import type {
  Filters,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageRunConfig,
  ImageSummary,
  ProgressMessage,
  RegistryAuth,
} from '../../src/api/index.ts';

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

export interface ImageStore {
  /** @throws EngineError before anything was streamed, with Docker's text. After the first progress line errors still throw: the route puts them in-band. */
  pull(request: PullRequest): Promise<void>;
  /** @throws EngineError, after the first progress line too. */
  push(request: PushRequest): Promise<void>;
  /** Name, name:tag, name@digest, ID or a unique ID prefix. @throws EngineError (ambiguous prefix). */
  resolve(reference: string): ResolvedImage | undefined;
  list(options: { all: boolean; filters: Filters; sharedSize: boolean }): Promise<ImageSummary[]>;
  inspect(reference: string): ImageInspect;
  history(reference: string): ImageHistoryItem[];
  tag(source: string, repository: string, tag: string): void;
  /** Docker's rules: untags, deletes when the last reference goes; conflicts when containers use it. */
  remove(reference: string, options: { force: boolean; noPrune: boolean }): Promise<ImageDeleteItem[]>;
  prune(filters: Filters): Promise<{ ImagesDeleted: ImageDeleteItem[] | null; SpaceReclaimed: number }>;
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
