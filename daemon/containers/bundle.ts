import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { containerErrors } from '../errors/containers.ts';
import type { NamespaceChoice, OciSpec, SpecMount } from '../runtime/types.ts';
import { mount, unmount } from '../system/syscalls.ts';
import type { Core } from './core.ts';
import { commandOf } from './merge.ts';
import { closeVolume, openMounts } from './mounts.ts';
import { type ContainerRecord, isAlive } from './record.ts';
import { makeFolderInRoot } from './scoped-path.ts';
import type { Sandbox } from './types.ts';

const MS_NOSUID_NODEV_NOEXEC = 2 | 4 | 8;

/** What a container keeps open in another's namespaces: the other must run. @throws EngineError */
function donor(core: Core, mode: string, what: string): { id: string; pid: number } {
  const { record } = core.store.find(mode.slice('container:'.length));
  if (!isAlive(record) || !record.identity)
    throw containerErrors.conflict(`cannot join ${what} of a non running container: ${record.id}`);
  return { id: record.id, pid: record.identity.pid };
}

function namespace(core: Core, mode: string, kind: 'pid' | 'ipc', what: string): NamespaceChoice {
  if (mode === 'host') return { kind: 'host' };
  if (!mode.startsWith('container:')) return { kind: 'private' };
  return { kind: 'path', path: `/proc/${donor(core, mode, what).pid}/ns/${kind}` };
}

/** The files that the engine owns inside every container. */
async function writeEngineFiles(core: Core, record: ContainerRecord, sandbox: Sandbox): Promise<SpecMount[]> {
  const paths = core.paths(record.id);
  await mkdir(paths.folder, { recursive: true, mode: 0o700 });
  // In another container's network its names hold too: both see the same files.
  const shared = record.hostConfig.NetworkMode.startsWith('container:')
    ? core.paths(donor(core, record.hostConfig.NetworkMode, 'network').id)
    : null;
  const taken = new Set(record.mounts.map((m) => m.Destination));
  const files = [
    ['/etc/resolv.conf', paths.resolvConf, sandbox.resolvConf],
    ['/etc/hostname', paths.hostname, `${record.config.Hostname}\n`],
    ['/etc/hosts', paths.hosts, sandbox.hostsFile],
  ] as const;
  if (!shared)
    await Promise.all(
      files.map(async ([, file, content]) => {
        await writeFile(file, content);
        await chmod(file, 0o644);
      }),
    );
  return files
    .filter(([destination]) => !taken.has(destination))
    .map(([destination, file]) => ({
      destination,
      type: 'bind',
      source: shared ? path.join(shared.folder, path.basename(file)) : file,
      readOnly: record.hostConfig.ReadonlyRootfs,
      options: ['rbind', 'rprivate'],
      user: false,
    }));
}

/** `--ipc shareable` and its guests see one /dev/shm, a tmpfs of the host. */
async function sharedMemory(core: Core, record: ContainerRecord, undo: (() => Promise<void>)[]): Promise<SpecMount[]> {
  const { IpcMode, ShmSize } = record.hostConfig;
  const bind = (source: string): SpecMount => ({
    destination: '/dev/shm',
    type: 'bind',
    source,
    readOnly: false,
    options: ['rbind', 'rprivate'],
    user: true,
  });
  if (record.mounts.some((m) => m.Destination === '/dev/shm')) return [];
  if (IpcMode === 'host') return [bind('/dev/shm')];
  if (IpcMode.startsWith('container:')) {
    const { id } = donor(core, IpcMode, 'IPC');
    if (core.store.get(id)?.record.hostConfig.IpcMode !== 'shareable')
      throw containerErrors.conflict(
        `cannot join IPC of container ${id}: its IPC is private; create it with --ipc shareable`,
      );
    return [bind(core.paths(id).shm)];
  }
  if (IpcMode !== 'shareable') return [];
  const folder = core.paths(record.id).shm;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  mount('shm', folder, 'tmpfs', MS_NOSUID_NODEV_NOEXEC, `mode=1777,size=${ShmSize}`);
  undo.push(async () => {
    unmount(folder, 2);
  });
  return [bind(folder)];
}

/** Everything between the mounted root and runtime.create. `undo` collects what a failure gives back. @throws EngineError */
export async function prepareSpec(
  core: Core,
  record: ContainerRecord,
  root: string,
  sandbox: Sandbox,
  undo: (() => Promise<void>)[],
): Promise<OciSpec> {
  const { config, hostConfig } = record;
  const { deps } = core;
  const mounts = [
    ...(await writeEngineFiles(core, record, sandbox)),
    ...(await sharedMemory(core, record, undo)),
    ...(await openMounts(core, record.id, record.mounts, undo)),
  ];
  if (config.WorkingDir && config.WorkingDir !== '/') await makeFolderInRoot(root, config.WorkingDir);
  if (hostConfig.Init && deps.initPath === null)
    throw containerErrors.invalid(
      'the host has no static init binary for --init: install tini (apt install tini, dnf install tini-static) and restart galleyd',
    );
  return deps.buildSpec({
    id: record.id,
    config,
    hostConfig,
    rootfs: root,
    args: commandOf(config),
    user: await deps.resolveUser(root, config.User, hostConfig.GroupAdd ?? []),
    mounts,
    namespaces: {
      network: sandbox.netnsPath === null ? { kind: 'host' } : { kind: 'path', path: sandbox.netnsPath },
      pid: namespace(core, hostConfig.PidMode ?? '', 'pid', 'PID'),
      ipc: namespace(core, hostConfig.IpcMode, 'ipc', 'IPC'),
      uts: hostConfig.UTSMode === 'host' ? { kind: 'host' } : { kind: 'private' },
      cgroup: hostConfig.CgroupnsMode === 'private' ? { kind: 'private' } : { kind: 'host' },
    },
    cgroupsPath: `/${hostConfig.CgroupParent?.replace(/^\/|\/$/g, '') || deps.cgroupParent}/${record.id}`,
    initPath: hostConfig.Init ? deps.initPath : null,
  });
}

/** What start mounted for the container and the exit gives back. Idempotent. */
export async function closeMounts(core: Core, record: ContainerRecord): Promise<void> {
  if (record.hostConfig.IpcMode === 'shareable') unmount(core.paths(record.id).shm, 2);
  for (const m of record.mounts) if (m.Type === 'volume') await closeVolume(core, record.id, m);
  const entry = core.store.get(record.id);
  if (entry && core.live(entry).rootHolds > 0) return; // the last copy gives it back
  await core.deps.layers.unmountRoot(record.id);
}
