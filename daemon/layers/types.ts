/** Layers and the root file systems stacked from them (design section 6). Knows tars and mounts, not images or registries. */
import type { Readable } from 'node:stream';

export type LayerDriver = 'dirs' | 'erofs';
/** What `--layer-driver` takes. */
export type LayerDriverChoice = 'auto' | LayerDriver;

export interface LayerRecord {
  /** sha256:… over the chain (image-spec config.md, "Layer ChainID"). */
  chainId: string;
  diffId: string;
  parent: string | null;
  driver: LayerDriver;
  /** Bytes of file content that the layer adds. */
  size: number;
  created: string;
}

/** An uncompressed tar that is part of a file. */
export interface TarRange {
  file: string;
  offset: number;
  size: number;
}

export interface UnpackRequest {
  chainId: string;
  parent: string | null;
  /** The expected sha256 of the uncompressed tar. */
  diffId: string;
  /** The uncompressed tar; or a (verified) blob on disk, which the worker thread opens and decompresses itself. */
  tar: Readable | BlobSource;
  signal?: AbortSignal;
  /** Asked when the layer is here already; true: this tar is known to be it, so that it need not be read. */
  isKnown?: () => boolean;
  /** Bytes of the blob consumed so far; called about every 100 ms, and only for a BlobSource. */
  onProgress?: (bytes: number) => void;
}

export interface BlobSource {
  file: string;
  compression: 'gzip' | 'zstd' | 'none';
}

export interface Change {
  Path: string;
  /** 0 modified, 1 added, 2 deleted. */
  Kind: 0 | 1 | 2;
}

export interface LayerStore {
  get(chainId: string): LayerRecord | undefined;
  all(): LayerRecord[];
  /**
   * Unpacks a layer next to the others and records it only when the whole tar arrived, its digest is `diffId`, and it is on disk.
   * Layers of one image may be unpacked side by side: the parent need not be there yet.
   * @throws EngineError naming the entry that is refused, or the two digests.
   */
  unpack(request: UnpackRequest): Promise<LayerRecord>;
  /** The layer's tar, byte for byte, where the driver keeps it (erofs); undefined: only the image's blob has it. */
  tar(chainId: string): TarRange | undefined;
  /** What is wrong with a layer's files, undefined when they are there (and, of an image file, whole). */
  check(chainId: string): Promise<string | undefined>;
  /** Bytes that a layer takes on disk. */
  diskUsage(chainId: string): Promise<number>;
  /** Removes the row, then the files when no other row shares them. Idempotent. @throws EngineError (conflict) when a root stands on it. */
  remove(chainId: string): Promise<void>;
  /** Chains (each with all its parents) that roots stand on: never to be removed. */
  pinned(): ReadonlySet<string>;

  /** Makes a container's writable layer over the image's chain (topmost chainId; null: an empty root). Puts Docker's init layer (/.dockerenv, /etc/hosts, /dev, /proc…) beneath it. */
  createRoot(containerId: string, chainId: string | null): Promise<void>;
  /** Mounts the container's root (idempotent) and gives its path. */
  mountRoot(containerId: string): Promise<string>;
  unmountRoot(containerId: string): Promise<void>;
  /** Unmounts and deletes the writable layer. Idempotent. */
  removeRoot(containerId: string): Promise<void>;
  /** Bytes in the writable layer. */
  rootSize(containerId: string): Promise<number>;
  changes(containerId: string): Promise<Change[]>;
  /** Writable layers on disk, for the boot-time clean-up. */
  roots(): Promise<string[]>;
  /** For inspect's GraphDriver and `galley info`. */
  describe(containerId: string): { Name: string; Data: Record<string, string> };
  /** e.g. [["Backing Filesystem","extfs"],["Layer driver","dirs: …why"]] */
  driverStatus(): [string, string][];
  /** Boot: removes layers and roots without a row, half-unpacked folders. */
  collect(keepRoots: ReadonlySet<string>): Promise<void>;
  /** `galleyd` ends: image mounts that no container's root stands on go. */
  close(): Promise<void>;
}

/** What layers need of the database: daemon/state's Database fits. Handed in by main. */
export interface LayerDatabase {
  documents<T>(
    table: 'layers' | 'meta',
    parse: (value: unknown) => T,
  ): {
    get(id: string): T | undefined;
    all(): T[];
    put(id: string, value: T): void;
    delete(id: string): boolean;
  };
  sql(text: string): { all(): unknown[] };
  relaxed<T>(work: () => T): T;
}
