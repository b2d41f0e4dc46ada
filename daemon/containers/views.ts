import type {
  ContainerInspect,
  ContainerSummary,
  HostConfig,
  MountPoint,
  NetworkSettings,
  PortSummary,
} from '../../src/api/index.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../runtime/index.ts';
import type { Core } from './core.ts';
import { shownLinks } from './links.ts';
import { commandOf } from './merge.ts';
import { type ContainerRecord, isAlive, type MountRecord } from './record.ts';
import { sandboxRequestOf } from './sandbox.ts';
import { stateOf, statusOf, statusText } from './status.ts';

function mountPoint(mount: MountRecord): MountPoint {
  return {
    Type: mount.Type,
    ...(mount.Name ? { Name: mount.Name } : {}),
    Source: mount.Source,
    Destination: mount.Destination,
    ...(mount.Driver ? { Driver: mount.Driver } : {}),
    Mode: mount.Mode,
    RW: mount.RW,
    Propagation: mount.Propagation,
  };
}

const mountsOf = (record: ContainerRecord) => record.mounts.filter((m) => m.Listed).map(mountPoint);

export function networkSettingsOf(core: Core, record: ContainerRecord): NetworkSettings {
  return core.deps.networks.settingsOf(record.id, sandboxRequestOf(record));
}

/** The PORTS column: a published port once a host address, an exposed one without. */
export function portsOf(settings: NetworkSettings): PortSummary[] {
  return Object.entries(settings.Ports ?? {}).flatMap(([key, bindings]) => {
    const [port = '', Type = 'tcp'] = key.split('/');
    const PrivatePort = Number(port);
    if (!bindings || bindings.length === 0) return [{ PrivatePort, Type }];
    return bindings.map(({ HostIp, HostPort }) => ({
      IP: HostIp || '0.0.0.0',
      PrivatePort,
      PublicPort: Number(HostPort),
      Type,
    }));
  });
}

/** An argument with blanks is shown in quotes, as dockerd does. */
function commandText(record: ContainerRecord): string {
  const [path = '', ...args] = commandOf(record.config);
  return [path, ...args.map((arg) => (/[ \t]/.test(arg) ? `'${arg}'` : arg))].join(' ');
}

/** One row of the list. `imageName`: what the image is called now, its id when the name has moved on. */
export function summaryOf(core: Core, record: ContainerRecord, now: number, imageName: string): ContainerSummary {
  const settings = networkSettingsOf(core, record);
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: imageName,
    ImageID: record.imageId,
    Command: commandText(record),
    Created: Math.trunc(Date.parse(record.created) / 1000),
    Ports: isAlive(record) ? portsOf(settings) : [],
    Labels: record.config.Labels ?? {},
    State: statusOf(record),
    Status: statusText(record, now),
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode },
    NetworkSettings: { Networks: settings.Networks },
    Mounts: mountsOf(record),
  };
}

/** The paths that hold where the container named none. */
function shownHostConfig(hostConfig: HostConfig): HostConfig {
  if (hostConfig.Privileged) return hostConfig;
  return {
    ...hostConfig,
    MaskedPaths: hostConfig.MaskedPaths ?? [...MASKED_PATHS],
    ReadonlyPaths: hostConfig.ReadonlyPaths ?? [...READONLY_PATHS],
  };
}

export function inspectOf(core: Core, record: ContainerRecord, execIds: string[] | null): ContainerInspect {
  const [Path = '', ...Args] = commandOf(record.config);
  const paths = core.paths(record.id);
  const GraphDriver = core.deps.layers.describe(record.id);
  return {
    Id: record.id,
    Created: record.created,
    Path,
    Args,
    State: stateOf(record),
    Image: record.imageId,
    ResolvConfPath: paths.resolvConf,
    HostnamePath: paths.hostname,
    HostsPath: paths.hosts,
    LogPath: record.hostConfig.LogConfig.Type === 'none' ? '' : paths.log,
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: GraphDriver.Name,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execIds,
    HostConfig: { ...shownHostConfig(record.hostConfig), Links: shownLinks(core, record) },
    GraphDriver,
    Mounts: mountsOf(record),
    Config: record.config,
    NetworkSettings: networkSettingsOf(core, record),
  };
}
