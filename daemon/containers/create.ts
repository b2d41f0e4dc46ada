import { mkdir, rm } from 'node:fs/promises';
import type {
  ContainerConfig,
  CreateContainerBody,
  CreateContainerResponse,
  EndpointSettings,
  HostConfig,
} from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import { EngineError } from '../errors/engine-error.ts';
import { checkContainer } from './check.ts';
import { limitToHost } from './check-resources.ts';
import type { Core } from './core.ts';
import { endpointsOf, normaliseHostConfig } from './host-config.ts';
import { familiarReference } from './image-name.ts';
import { checkLinks } from './links.ts';
import { mergeConfig } from './merge.ts';
import { parseVolumesFrom, planMounts } from './mount-specs.ts';
import { checkBindSources, followDataRoot, prepareVolumes, type VolumeUse } from './mounts.ts';
import { checkName, generateName, type NameLists, newContainerId } from './names.ts';
import { type ContainerRecord, type MountRecord, ZERO_TIME } from './record.ts';
import { defaultHostname, sandboxRequestOf } from './sandbox.ts';
import { makeFolderInRoot } from './scoped-path.ts';
import { rollBack } from './start.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ia32: '386' };

function configOf(body: CreateContainerBody): ContainerConfig {
  const { HostConfig: _host, NetworkingConfig: _networking, ...config } = body;
  return config;
}

/** --volumes-from: the mounts of other containers. @throws EngineError 400, 404 */
function inheritedMounts(core: Core, specs: readonly string[]): MountRecord[] {
  return specs.flatMap((spec) => {
    const { container, readOnly } = parseVolumesFrom(spec);
    return core.store
      .find(container)
      .record.mounts.filter((mount) => mount.Type !== 'tmpfs')
      .map((mount) => ({ ...mount, RW: readOnly === undefined ? mount.RW : mount.RW && !readOnly, NoCopy: true }));
  });
}

/** `container:NAME` is kept by id, so that it survives a rename. @throws EngineError 404 */
function byId(core: Core, mode: string): string {
  if (!mode.startsWith('container:')) return mode;
  return `container:${core.store.find(mode.slice('container:'.length)).record.id}`;
}

/** In another container's network its name is that one's. */
function hostnameFor(core: Core, { NetworkMode, UTSMode }: HostConfig, id: string): string {
  const joined = NetworkMode.startsWith('container:')
    ? core.store.get(NetworkMode.slice('container:'.length))
    : undefined;
  return joined?.record.config.Hostname ?? defaultHostname(NetworkMode, UTSMode ?? '', id);
}

/** An image of another platform than asked for is as good as none: the CLI pulls the right one then. @throws EngineError 404 */
function checkPlatform(
  asked: string | undefined,
  reference: string,
  image: { os: string; architecture: string; variant?: string },
): void {
  if (!asked || image.architecture === '') return;
  const [os = '', architecture = ''] = asked.toLowerCase().split('/');
  const alias: Readonly<Record<string, string>> = {
    x86_64: 'amd64',
    'x86-64': 'amd64',
    aarch64: 'arm64',
    armhf: 'arm',
  };
  const fits = architecture === '' || (alias[architecture] ?? architecture) === image.architecture;
  if (os === (image.os || 'linux') && fits) return;
  const has = [image.os, image.architecture, image.variant].filter(Boolean).join('/');
  throw containerErrors.wrongPlatform(reference, has, asked);
}

function platformWarning(
  asked: string | undefined,
  image: { os: string; architecture: string; variant?: string },
): string[] {
  const host = ARCHITECTURES[process.arch] ?? process.arch;
  if (asked || image.architecture === '' || image.architecture === host) return [];
  const name = [image.os, image.architecture, image.variant].filter(Boolean).join('/');
  return [
    `The requested image's platform (${name}) does not match the detected host platform (linux/${host}) and no specific platform was requested`,
  ];
}

/**
 * The CLI takes any 404 of a create for a missing image and pulls it. What else is not found is therefore a bad request here.
 * @throws EngineError
 */
function notAnImage<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'notFound') throw containerErrors.invalid(error.message);
    throw error;
  }
}

/**
 * POST /containers/create: checks everything first, then makes the writable layer and the volumes, writes the record last.
 * A failure at any step leaves nothing.
 * @throws EngineError 400, 404 (also for the image: the CLI pulls then), 409
 */
export async function createContainer(
  core: Core,
  lists: NameLists,
  givenName: string,
  platform: string | undefined,
  body: CreateContainerBody,
): Promise<CreateContainerResponse> {
  const { deps, store } = core;
  const wantedName = givenName === '' ? '' : checkName(givenName);
  const image = body.Image === '' ? undefined : deps.images.resolve(body.Image);
  if (!image && body.Image === '') throw containerErrors.noCommand();
  if (!image) throw containerErrors.noSuchImage(familiarReference(body.Image));
  const merged = mergeConfig(configOf(body), image.config);
  checkPlatform(platform, body.Image, image);
  const { hostConfig: normal, warnings } = limitToHost(normaliseHostConfig(body.HostConfig), core.host);
  const Warnings = [
    ...warnings,
    ...checkContainer(merged, normal, core.host),
    ...(deps.checkHostConfig?.(normal) ?? []),
    ...platformWarning(platform, image),
  ];
  const hostConfig = notAnImage(() => ({
    ...normal,
    NetworkMode: byId(core, normal.NetworkMode),
    IpcMode: byId(core, normal.IpcMode),
    PidMode: byId(core, normal.PidMode ?? ''),
  }));
  const inherited = notAnImage(() => inheritedMounts(core, hostConfig.VolumesFrom ?? []));
  const planned = followDataRoot(planMounts(merged, hostConfig, inherited), deps.dataRoot);
  await checkBindSources(planned);
  checkLinks(core, normal.Links ?? []);

  const id = newContainerId();
  const name = wantedName || generateName(lists, id, (candidate) => store.nameTaken(candidate));
  const endpoints: Record<string, EndpointSettings | null> = endpointsOf(body.NetworkingConfig, normal.NetworkMode);
  const record: ContainerRecord = {
    id,
    name,
    created: new Date().toISOString(),
    imageId: image.id,
    imageArchitecture: image.architecture,
    config: {
      ...merged,
      Hostname: merged.Hostname || hostnameFor(core, hostConfig, id),
    },
    hostConfig,
    endpoints,
    mounts: planned,
    status: 'created',
    starting: false,
    removing: null,
    identity: null,
    exitCode: 0,
    error: '',
    oomKilled: false,
    startedAt: ZERO_TIME,
    finishedAt: ZERO_TIME,
    restartCount: 0,
    manuallyStopped: false,
    health: null,
  };
  notAnImage(() => deps.networks.validate(sandboxRequestOf(record)));

  store.reserveName(name, id);
  const undo: (() => Promise<void>)[] = [async () => store.releaseName(name)];
  try {
    undo.push(() => rm(core.paths(id).folder, { recursive: true, force: true }));
    await mkdir(core.paths(id).folder, { recursive: true, mode: 0o700 });
    undo.push(() => deps.layers.removeRoot(id));
    await deps.layers.createRoot(id, image.chainId);
    let mounted: Promise<string> | undefined;
    const root = () => (mounted ??= deps.layers.mountRoot(id));
    const use: VolumeUse = { mounts: [], undo };
    await prepareVolumes(core, id, planned, hostConfig, root, use);
    if (merged.WorkingDir && merged.WorkingDir !== '/') await makeFolderInRoot(await root(), merged.WorkingDir);
    if (mounted) await deps.layers.unmountRoot(id);
    store.add({ ...record, mounts: use.mounts });
  } catch (error) {
    await rollBack(core, id, undo);
    throw error;
  }
  core.emit(record, 'create');
  return { Id: id, Warnings };
}
