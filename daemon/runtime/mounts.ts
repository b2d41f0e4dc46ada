import path from 'node:path';
import type { HostFacts } from './host-facts.ts';
import { readSecurityOptions } from './security.ts';
import type { OciMount, SpecInput, SpecMount } from './types.ts';

/** Stay writable in a read-only container. */
const ALWAYS_WRITABLE = new Set(['/proc', '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue']);
const DEFAULT_SHM = 64 * 1024 * 1024;
const GUARDED = ['nosuid', 'noexec', 'nodev'];

/** Docker's default mounts in Docker's order (field/engine-api.md section 2.2). */
function defaultMounts({ hostConfig, namespaces }: SpecInput, host: HostFacts): OciMount[] {
  const { writableCgroups } = readSecurityOptions(hostConfig.SecurityOpt ?? []);
  const readOnlySys = hostConfig.Privileged ? [] : ['ro'];
  const readOnlyCgroups = writableCgroups || (hostConfig.Privileged && host.cgroupVersion === 2) ? [] : readOnlySys;
  const shm = hostConfig.ShmSize > 0 ? hostConfig.ShmSize : DEFAULT_SHM;
  const mount = (destination: string, type: string, source: string, options: string[]): OciMount => ({
    destination,
    type,
    source,
    options,
  });
  return [
    mount('/proc', 'proc', 'proc', GUARDED),
    mount('/dev', 'tmpfs', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', 'devpts', [
      ...['nosuid', 'noexec', 'newinstance'],
      ...['ptmxmode=0666', 'mode=0620', 'gid=5'],
    ]),
    mount('/sys', 'sysfs', 'sysfs', [...GUARDED, ...readOnlySys]),
    mount('/sys/fs/cgroup', 'cgroup', 'cgroup', [...GUARDED, ...readOnlyCgroups]),
    ...(namespaces.ipc.kind === 'host' ? [] : [mount('/dev/mqueue', 'mqueue', 'mqueue', GUARDED)]),
    ...(hostConfig.IpcMode === 'none'
      ? []
      : [mount('/dev/shm', 'tmpfs', 'shm', [...GUARDED, 'mode=1777', `size=${shm}`])]),
  ];
}

/** Docker's defaults for a tmpfs, as far as the user has not said otherwise. */
function tmpfsDefaults(asked: readonly string[]): string[] {
  const opposites = { noexec: 'exec', nosuid: 'suid', nodev: 'dev' } as const;
  return Object.entries(opposites).flatMap(([name, opposite]) =>
    asked.includes(name) || asked.includes(opposite) ? [] : [name],
  );
}

/** The defaults without those that a mount replaces, then the container's own by depth, so that none hides another. */
export function buildMounts(input: SpecInput, host: HostFacts): OciMount[] {
  const own: OciMount[] = input.mounts.map((mount) => ({
    destination: mount.destination,
    type: mount.type,
    source: mount.source,
    options: [
      ...(mount.type === 'tmpfs' ? tmpfsDefaults(mount.options) : []),
      ...mount.options,
      ...(mount.readOnly && !mount.options.includes('ro') ? ['ro'] : []),
    ],
  }));
  if (input.initPath)
    own.push({ destination: '/sbin/docker-init', type: 'bind', source: input.initPath, options: ['bind', 'ro'] });
  const taken = new Set(own.map((mount) => path.posix.normalize(mount.destination)));
  const defaults = defaultMounts(input, host).filter(
    (mount) => !taken.has(mount.destination) && !(taken.has('/dev') && mount.destination.startsWith('/dev/')),
  );
  if (input.hostConfig.ReadonlyRootfs)
    for (const mount of defaults)
      if (!ALWAYS_WRITABLE.has(mount.destination) && !mount.options?.includes('ro'))
        mount.options = [...(mount.options ?? []), 'ro'];
  const depth = (mount: OciMount) => mount.destination.split('/').filter(Boolean).length;
  return [...defaults, ...own.sort((a, b) => depth(a) - depth(b))];
}

/** What the root does with mounts of the host: a shared or slave mount works only below a root that follows the host too. */
export function rootPropagation(mounts: readonly SpecMount[]): string {
  const options = mounts.flatMap((mount) => mount.options);
  if (options.includes('shared') || options.includes('rshared')) return 'rshared';
  return options.includes('slave') || options.includes('rslave') ? 'rslave' : 'rprivate';
}
