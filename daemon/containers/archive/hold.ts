import { messageOf } from '../../errors/engine-error.ts';
import type { Core } from '../core.ts';
import { isAlive } from '../record.ts';
import type { Entry } from '../store.ts';
import type { ArchiveWork } from './types.ts';

export interface Hold {
  root: string;
  mounts: ArchiveWork['mounts'];
  release(): Promise<void>;
}

/**
 * Keeps a container's root mounted while its files are copied, whether it runs or not, and tells what lies over it. A start or an end
 * of the container meanwhile leaves the root where it is.
 * @throws EngineError 409 while it is being removed
 */
export async function holdRoot(core: Core, entry: Entry): Promise<Hold> {
  const { deps } = core;
  const live = core.live(entry);
  const { id } = entry.record;
  const volumeUser = `${id}-copy`;
  live.rootHolds += 1;
  const volumes: string[] = [];
  const release = async () => {
    live.rootHolds -= 1;
    for (const name of volumes) await deps.volumes.unmount(name, volumeUser);
    if (live.rootHolds > 0) return;
    await entry.mutex.run('archive', async () => {
      const idle = live.rootHolds === 0 && !isAlive(entry.record) && !live.run;
      if (idle && core.store.get(id)) await deps.layers.unmountRoot(id);
    });
  };
  try {
    const root = await deps.layers.mountRoot(id);
    const paths = core.paths(id);
    const mounts: Hold['mounts'] = [];
    for (const mount of entry.record.mounts) {
      if (mount.Type === 'tmpfs') continue; // its files are the running container's alone
      let { Source: source } = mount;
      if (mount.Type === 'volume') {
        source = await deps.volumes.mount(mount.Name, volumeUser);
        volumes.push(mount.Name);
        if (mount.Subpath !== '') source = `${source}/${mount.Subpath}`;
      }
      mounts.push({ source, destination: mount.Destination, readOnly: !mount.RW });
    }
    const taken = new Set(mounts.map(({ destination }) => destination));
    for (const [destination, source] of [
      ['/etc/resolv.conf', paths.resolvConf],
      ['/etc/hostname', paths.hostname],
      ['/etc/hosts', paths.hosts],
    ] as const)
      if (!taken.has(destination)) mounts.push({ source, destination, readOnly: false });
    return { root, mounts, release };
  } catch (error) {
    await release().catch((second: unknown) =>
      deps.log.warn('root could not be given back', { container: id, error: messageOf(second) }),
    );
    throw error;
  }
}
