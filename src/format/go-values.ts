/**
 * Objects as the docker CLI's Go types: fields in their Go order and under their Go names (`ID` for `Id`), what the engine left out
 * with its zero value. Templates of `inspect` see these first, so `{{.ID}}` and `{{if .State.Health}}` work as with Docker.
 */
import { goDuration } from '../api/durations.ts';

/** A value that prints otherwise than it is encoded: durations, times, pointers to nothing. */
export class GoValue {
  readonly text: string;
  readonly truth: boolean;
  readonly #json: unknown;

  constructor(text: string, json: unknown, truth: boolean) {
    this.text = text;
    this.truth = truth;
    this.#json = json;
  }

  toJSON(): unknown {
    return this.#json;
  }
}

const NIL = new GoValue('<nil>', null, false);

/** A Go struct: own properties are its fields. `layout` lists them for printing; `{` and `}` stand around embedded ones. */
export class GoStruct {
  readonly #layout: readonly string[];
  readonly #json: unknown;
  [field: string]: unknown;

  constructor(layout: readonly string[], json: unknown) {
    this.#layout = layout;
    this.#json = json;
  }

  static text(struct: GoStruct, inner: (value: unknown) => string): string {
    let out = '{';
    let first = true;
    for (const name of struct.#layout) {
      if (name !== '}' && !first) out += ' ';
      first = name === '{';
      out += name === '{' || name === '}' ? name : inner(struct[name]);
    }
    return `${out}}`;
  }

  /** As it came: the engine's own keys. */
  toJSON(): unknown {
    return this.#json;
  }
}

/**
 * `Name[=key]:type`. Types: s string, n number, b bool, p pointer to a plain value, d duration, t time, `[]` list, `map`, and
 * `X`, `*X`, `[X]`, `map<X>` of another row.
 */
const ROWS: Readonly<Record<string, string>> = {
  container:
    'ID=Id:s Created:s Path:s Args:[] State:*State Image:s ResolvConfPath:s HostnamePath:s HostsPath:s LogPath:s Name:s RestartCount:n Driver:s Platform:s MountLabel:s ProcessLabel:s AppArmorProfile:s ExecIDs:[] HostConfig:*HostConfig GraphDriver:GraphDriver SizeRw:p SizeRootFs:p Mounts:[Mount] Config:*Config NetworkSettings:*NetworkSettings',
  State:
    'Status:s Running:b Paused:b Restarting:b OOMKilled:b Dead:b Pid:n ExitCode:n Error:s StartedAt:s FinishedAt:s Health:*Health',
  Health: 'Status:s FailingStreak:n Log:[HealthLog]',
  HealthLog: 'Start:t End:t ExitCode:n Output:s',
  HostConfig:
    'Binds:[] ContainerIDFile:s LogConfig:LogConfig NetworkMode:s PortBindings:map<PortBindings> RestartPolicy:RestartPolicy AutoRemove:b VolumeDriver:s VolumesFrom:[] ConsoleSize:[] Annotations:map CapAdd:[] CapDrop:[] CgroupnsMode:s DNS=Dns:[] DNSOptions=DnsOptions:[] DNSSearch=DnsSearch:[] ExtraHosts:[] GroupAdd:[] IpcMode:s Cgroup:s Links:[] OomScoreAdj:n PidMode:s Privileged:b PublishAllPorts:b ReadonlyRootfs:b SecurityOpt:[] StorageOpt:map Tmpfs:map UTSMode:s UsernsMode:s ShmSize:n Sysctls:map Runtime:s Isolation:s { CPUShares=CpuShares:n Memory:n NanoCPUs=NanoCpus:n CgroupParent:s BlkioWeight:n BlkioWeightDevice:[] BlkioDeviceReadBps:[] BlkioDeviceWriteBps:[] BlkioDeviceReadIOps:[] BlkioDeviceWriteIOps:[] CPUPeriod=CpuPeriod:n CPUQuota=CpuQuota:n CPURealtimePeriod=CpuRealtimePeriod:n CPURealtimeRuntime=CpuRealtimeRuntime:n CpusetCpus:s CpusetMems:s Devices:[Device] DeviceCgroupRules:[] DeviceRequests:[] KernelMemory:n KernelMemoryTCP:n MemoryReservation:n MemorySwap:n MemorySwappiness:p OomKillDisable:p PidsLimit:p Ulimits:[Ulimit] CPUCount=CpuCount:n CPUPercent=CpuPercent:n IOMaximumIOps:n IOMaximumBandwidth:n } Mounts:[] MaskedPaths:[] ReadonlyPaths:[] Init:p',
  LogConfig: 'Type:s Config:map',
  RestartPolicy: 'Name:s MaximumRetryCount:n',
  PortBinding: 'HostIP=HostIp:s HostPort:s',
  Device: 'PathOnHost:s PathInContainer:s CgroupPermissions:s',
  Ulimit: 'Name:s Hard:n Soft:n',
  GraphDriver: 'Data:map Name:s',
  Mount: 'Type:s Name:s Source:s Destination:s Driver:s Mode:s RW:b Propagation:s',
  Config:
    'Hostname:s Domainname:s User:s AttachStdin:b AttachStdout:b AttachStderr:b ExposedPorts:map<Empty> Tty:b OpenStdin:b StdinOnce:b Env:[] Cmd:[] Healthcheck:*Healthcheck ArgsEscaped:b Image:s Volumes:map<Empty> WorkingDir:s Entrypoint:[] NetworkDisabled:b MacAddress:s OnBuild:[] Labels:map StopSignal:s StopTimeout:p Shell:[]',
  Healthcheck: 'Test:[] Interval:d Timeout:d StartPeriod:d StartInterval:d Retries:n',
  Empty: '',
  NetworkSettings:
    '{ Bridge:s SandboxID:s SandboxKey:s Ports:map<PortBindings> HairpinMode:b LinkLocalIPv6Address:s LinkLocalIPv6PrefixLen:n SecondaryIPAddresses:[] SecondaryIPv6Addresses:[] } { EndpointID:s Gateway:s GlobalIPv6Address:s GlobalIPv6PrefixLen:n IPAddress:s IPPrefixLen:n IPv6Gateway:s MacAddress:s } Networks:map<Endpoint>',
  Endpoint:
    'IPAMConfig:*EndpointIpam Links:[] Aliases:[] MacAddress:s DriverOpts:map GwPriority:n NetworkID:s EndpointID:s Gateway:s IPAddress:s IPPrefixLen:n IPv6Gateway:s GlobalIPv6Address:s GlobalIPv6PrefixLen:n DNSNames:[]',
  EndpointIpam: 'IPv4Address:s IPv6Address:s LinkLocalIPs:[]',
  image:
    'ID=Id:s RepoTags:[] RepoDigests:[] Parent:s Comment:s Created:s Container:s ContainerConfig:*Config DockerVersion:s Author:s Config:*ImageConfig Architecture:s Variant:s Os:s OsVersion:s Size:n VirtualSize:n GraphDriver:GraphDriver RootFS:RootFS Metadata:Metadata Descriptor:p Manifests:[]',
  ImageConfig:
    '{ User:s ExposedPorts:map<Empty> Env:[] Entrypoint:[] Cmd:[] Volumes:map<Empty> WorkingDir:s Labels:map StopSignal:s ArgsEscaped:b } { Healthcheck:*Healthcheck OnBuild:[] Shell:[] }',
  RootFS: 'Type:s Layers:[]',
  Metadata: 'LastTagTime:t',
  network:
    'Name:s ID=Id:s Created:t Scope:s Driver:s EnableIPv4:b EnableIPv6:b IPAM:Ipam Internal:b Attachable:b Ingress:b ConfigFrom:ConfigFrom ConfigOnly:b Containers:map<NetworkEndpoint> Options:map Labels:map Peers:[] Services:map',
  Ipam: 'Driver:s Options:map Config:[IpamConfig]',
  IpamConfig: 'Subnet:s IPRange:s Gateway:s AuxAddress=AuxiliaryAddresses:map',
  ConfigFrom: 'Network:s',
  NetworkEndpoint: 'Name:s EndpointID:s MacAddress:s IPv4Address:s IPv6Address:s',
  volume:
    'ClusterVolume:p CreatedAt:s Driver:s Labels:map Mountpoint:s Name:s Options:map Scope:s Status:map UsageData:*UsageData',
  UsageData: 'RefCount:n Size:n',
  event:
    'Status=status:s ID=id:s From=from:s Type:s Action:s Actor:Actor Scope=scope:s Time=time:n TimeNano=timeNano:n',
  Actor: 'ID:s Attributes:map',
};

interface Field {
  name: string;
  key: string;
  type: string;
}
const parsed = new Map<string, (Field | '{' | '}')[]>();

function rowOf(name: string): (Field | '{' | '}')[] {
  let row = parsed.get(name);
  if (!row) {
    row = (ROWS[name] as string)
      .split(' ')
      .filter((word) => word !== '')
      .map((word) => {
        if (word === '{' || word === '}') return word;
        const [names = '', type = ''] = word.split(/:(.*)/);
        const [go = '', key = go] = names.split('=');
        return { name: go, key, type };
      });
    parsed.set(name, row);
  }
  return row;
}

type Dictionary = Record<string, unknown>;
const dictionary = (value: unknown): Dictionary =>
  typeof value === 'object' && value !== null ? (value as Dictionary) : {};

/** A nil list or map prints empty and encodes as null. */
function nil<T extends object>(empty: T): T {
  return Object.defineProperty(empty, 'toJSON', { value: () => null });
}

/** `2026-11-27 18:07:17.726 +0000 UTC`, as Go prints a time. */
function timeOf(value: unknown): GoValue {
  const text = typeof value === 'string' ? value : '0001-01-01T00:00:00Z';
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+?)?0*(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return new GoValue(text, value, true);
  const zone = match[4] === 'Z' ? '+0000 UTC' : `${match[4]?.replace(':', '')} ${match[4]?.replace(':', '')}`;
  return new GoValue(`${match[1]} ${match[2]}${match[3] ?? ''} ${zone}`, value, true);
}

function convert(value: unknown, type: string): unknown {
  const missing = value === undefined || value === null;
  if (type === 's') return missing ? '' : value;
  if (type === 'n') return missing ? 0 : value;
  if (type === 'b') return missing ? false : value;
  if (type === 'p') return missing ? NIL : value;
  if (type === 'd') return new GoValue(goDuration(missing ? 0 : Number(value)), value ?? 0, Boolean(value));
  if (type === 't') return timeOf(value);
  if (type.startsWith('*')) return missing ? NIL : toGo(value, type.slice(1));
  if (type.startsWith('[')) {
    if (!Array.isArray(value)) return nil([]);
    const item = type.slice(1, -1);
    return item === '' ? value : value.map((one) => toGo(one, item));
  }
  if (type === 'map') return missing ? nil({}) : value;
  if (type.startsWith('map<')) {
    if (missing) return nil({});
    const item = type.slice(4, -1);
    const entry = (one: unknown) => (item === 'PortBindings' ? convert(one, '[PortBinding]') : toGo(one, item));
    return Object.fromEntries(Object.entries(dictionary(value)).map(([key, one]) => [key, entry(one)]));
  }
  return toGo(value, type);
}

/** What kinds of object there are. */
export type GoKind = 'container' | 'image' | 'network' | 'volume' | 'event';

function toGo(value: unknown, row: string): GoStruct {
  const raw = dictionary(value);
  const fields = rowOf(row);
  const struct = new GoStruct(
    fields.map((field) => (typeof field === 'string' ? field : field.name)),
    value,
  );
  for (const field of fields) {
    if (typeof field !== 'string') struct[field.name] = convert(raw[field.key], field.type);
  }
  return struct;
}

/** An object of the engine's (an inspect answer, an event) as its Go type. */
export function goObject(value: unknown, kind: GoKind): GoStruct {
  return toGo(value, kind);
}
