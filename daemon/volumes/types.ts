/** Volumes: `<data-root>/volumes/<name>/_data` (field/engine-api.md section 2.5). */
import type { CreateVolumeBody, Filters, Volume } from '../../src/api/index.ts';

export interface VolumeManager {
  list(filters: Filters): Volume[];
  /** @throws EngineError (get <name>: no such volume) */
  inspect(name: string): Volume;
  /** Idempotent by name; '' makes an anonymous volume (64 hex, label com.docker.volume.anonymous). */
  create(body: CreateVolumeBody): Promise<Volume>;
  /** @throws EngineError 409 when a container refers to it. `force`: an absent volume is no error. */
  remove(name: string, force: boolean): Promise<void>;
  prune(filters: Filters): Promise<{ VolumesDeleted: string[] | null; SpaceReclaimed: number }>;
  /**
   * A container (existing, running or not) refers to the volume: it cannot be removed.
   * @param unnamed the container did not call it by its name, so that it may go with the container when it is anonymous
   */
  reference(name: string, containerId: string, unnamed: boolean): void;
  /** The container is gone. Returns the anonymous volumes that it did not name and that nothing else refers to now. */
  dereference(containerId: string): string[];
  usersOf(name: string): string[];
  /** Mounts the volume if its driver options ask for one, and gives the folder. */
  mount(name: string, containerId: string): Promise<string>;
  unmount(name: string, containerId: string): Promise<void>;
  /** Copy-up: an empty volume gets the image's content at the target, with owners, modes, xattrs, and those of the folder itself. */
  populate(name: string, sourceFolder: string): Promise<void>;
  /** Bytes on disk. */
  size(name: string): Promise<number>;
  /** Boot: folders without a row go; mounts of option volumes are made again for `running`. */
  restore(running: ReadonlySet<string>): Promise<void>;
}

export type VolumeEventSink = (action: string, name: string, attributes: Record<string, string>) => void;
