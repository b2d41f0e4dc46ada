import { stat } from 'node:fs/promises';
import type { HostConfig } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import { messageOf } from '../errors/engine-error.ts';
import type { SpecMount } from '../runtime/types.ts';
import type { Core } from './core.ts';
import type { MountRecord } from './record.ts';
import { makeFolder, resolveInRoot } from './scoped-path.ts';

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return false;
    throw error;
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch {
    return false;
  }
}

/** Bind sources that must be there are; looked at before anything is made. @throws EngineError 400 */
export async function checkBindSources(mounts: readonly MountRecord[]): Promise<void> {
  for (const mount of mounts)
    if (mount.Type === 'bind' && !mount.CreateSource && !(await exists(mount.Source)))
      throw containerErrors.bindSourceMissing(mount.Source);
}

/** A bind that holds the data root, or lies in it, must follow its unmounts: else removed containers stay pinned in this one. */
export function followDataRoot(mounts: readonly MountRecord[], dataRoot: string): MountRecord[] {
  const within = (inner: string, outer: string) =>
    inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);
  return mounts.map((mount) =>
    mount.Type === 'bind' &&
    mount.Propagation === 'rprivate' &&
    (within(dataRoot, mount.Source) || within(mount.Source, dataRoot))
      ? { ...mount, Propagation: 'rslave' }
      : mount,
  );
}

/** The user called the volume by its name, be it one that galley made up. */
function isNamed(name: string, { Binds, Mounts }: HostConfig): boolean {
  return (
    name !== '' &&
    ((Binds ?? []).some((spec) => spec.startsWith(`${name}:`)) || (Mounts ?? []).some(({ Source }) => Source === name))
  );
}

export interface VolumeUse {
  mounts: MountRecord[];
  /** Undoes what was done, in order of need. */
  undo: (() => Promise<void>)[];
}

/**
 * Create: volumes come into being, are referred to, and an empty one gets the image's content at its target.
 * `root` mounts the container's root on first need. On failure the caller runs `use.undo`.
 */
export async function prepareVolumes(
  core: Core,
  id: string,
  planned: readonly MountRecord[],
  hostConfig: HostConfig,
  root: () => Promise<string>,
  use: VolumeUse,
): Promise<void> {
  const { volumes } = core.deps;
  use.undo.push(async () => {
    for (const name of volumes.dereference(id)) await volumes.remove(name, true);
  });
  for (const mount of planned) {
    if (mount.Type !== 'volume') {
      use.mounts.push(mount);
      continue;
    }
    const request = hostConfig.Mounts?.find((m) => m.Type === 'volume' && m.Target === mount.Destination);
    const volume = await volumes.create({
      Name: mount.Name,
      Driver: mount.Driver || 'local',
      DriverOpts: request?.VolumeOptions?.DriverConfig?.Options ?? {},
      Labels: request?.VolumeOptions?.Labels ?? {},
    });
    volumes.reference(volume.Name, id, !isNamed(mount.Name, hostConfig));
    use.mounts.push({ ...mount, Name: volume.Name, Driver: volume.Driver, Source: volume.Mountpoint });
    if (mount.NoCopy || mount.Subpath !== '') continue;
    const source = await resolveInRoot(await root(), mount.Destination);
    if (await isFolder(source)) {
      await volumes.mount(volume.Name, id);
      try {
        await volumes.populate(volume.Name, source);
      } finally {
        await volumes.unmount(volume.Name, id);
      }
    }
  }
}

/** Gives back a volume that a start has mounted. */
export async function closeVolume(core: Core, id: string, { Name, Driver }: MountRecord): Promise<void> {
  await core.deps.volumes.unmount(Name, id);
  const entry = core.store.get(id);
  if (entry && core.live(entry).volumes.delete(Name))
    core.deps.publishVolume('unmount', Name, { container: id, driver: Driver });
}

/** Start: folders of binds, mounted volumes, and what goes into the spec. `undo` gives back what was mounted. */
export async function openMounts(
  core: Core,
  id: string,
  mounts: readonly MountRecord[],
  undo: (() => Promise<void>)[],
): Promise<SpecMount[]> {
  const result: SpecMount[] = [];
  for (const mount of mounts) {
    if (mount.Type === 'tmpfs') {
      result.push({
        destination: mount.Destination,
        type: 'tmpfs',
        source: 'tmpfs',
        readOnly: !mount.RW,
        options: mount.Options,
        user: true,
      });
      continue;
    }
    let source = mount.Source;
    if (mount.Type === 'volume') {
      source = await core.deps.volumes.mount(mount.Name, id);
      undo.push(() => closeVolume(core, id, mount));
      const entry = core.store.get(id);
      if (entry) core.live(entry).volumes.add(mount.Name);
      core.deps.publishVolume('mount', mount.Name, {
        container: id,
        destination: mount.Destination,
        driver: mount.Driver,
        propagation: mount.Propagation,
        'read/write': String(mount.RW),
      });
      if (mount.Subpath !== '') source = await resolveInRoot(source, mount.Subpath);
      if (!(await exists(source)))
        throw containerErrors.invalid(
          `cannot access path ${source}: no such file or directory in volume ${mount.Name}`,
        );
    } else if (!(await exists(source))) {
      if (!mount.CreateSource) throw containerErrors.bindSourceMissing(source);
      try {
        await makeFolder(source);
      } catch (error) {
        throw containerErrors.invalid(`error while creating mount source path '${source}': ${messageOf(error)}`);
      }
    }
    result.push({
      destination: mount.Destination,
      type: 'bind',
      source,
      readOnly: !mount.RW,
      options: [mount.NonRecursive ? 'bind' : 'rbind', mount.Propagation || 'rprivate'],
      user: true,
    });
  }
  return result;
}
