/** Networks: bridges, address pools, nftables, published ports, network namespaces (design section 8, field/network.md). */
import type {
  EndpointSettings,
  Filters,
  IpamConfig,
  NetworkResource,
  NetworkSettings,
  PortMap,
  StringMap,
} from '../../src/api/index.ts';

export interface CreateNetworkRequest {
  Name: string;
  Driver: string;
  Internal: boolean;
  Attachable: boolean;
  EnableIPv4?: boolean;
  EnableIPv6: boolean;
  IPAM: { Driver: string; Config: IpamConfig[]; Options: StringMap | null };
  Options: StringMap;
  Labels: StringMap;
}

/** What a container brings to its network sandbox. */
export interface SandboxRequest {
  containerId: string;
  containerName: string;
  hostname: string;
  domainname: string;
  /** 'bridge', 'host', 'none', 'container:<id>', or a network's name or id. */
  networkMode: string;
  endpoints: Record<string, EndpointSettings | null>;
  portBindings: PortMap;
  /** Config.ExposedPorts keys, for `publishAll`. */
  exposedPorts: string[];
  publishAll: boolean;
  dns: string[];
  dnsSearch: string[];
  dnsOptions: string[];
  extraHosts: string[];
  macAddress: string;
  /** `name:alias` of --link on the default bridge. */
  links: string[];
  /** It ran at least once: from then on it shows the ids of its networks. */
  started: boolean;
}

export interface Sandbox {
  /** null for host mode. /run/netns-style path that runc joins. */
  netnsPath: string | null;
  settings: NetworkSettings;
  /** Bound, non-listening sockets for the published ports; conmon inherits them, the caller closes its copies with releaseDescriptors. */
  portDescriptors: number[];
  /** Content of /etc/hosts and /etc/resolv.conf for this container. */
  hostsFile: string;
  resolvConf: string;
}

export interface NetworkManager {
  list(filters: Filters): NetworkResource[];
  /** @throws EngineError (no such network, ambiguous prefix) */
  inspect(reference: string): NetworkResource;
  create(request: CreateNetworkRequest): Promise<{ Id: string; Warning: string }>;
  remove(reference: string): Promise<void>;
  prune(filters: Filters): Promise<{ NetworksDeleted: string[] | null }>;
  connect(reference: string, containerId: string, settings: EndpointSettings | null): Promise<void>;
  disconnect(reference: string, containerId: string, force: boolean): Promise<void>;

  /** Create-time check without side effects: the networks exist, the bindings parse. @throws EngineError */
  validate(request: SandboxRequest): void;
  /** Start: a namespace (from the pool), addresses, published ports. All or nothing. @throws EngineError naming the holder of a port in use. */
  setUp(request: SandboxRequest): Promise<Sandbox>;
  /** Exit: ports, addresses and the namespace go. Idempotent. */
  tearDown(containerId: string): Promise<void>;
  /** What inspect shows now: live settings, or the empty ones of a stopped container. */
  settingsOf(containerId: string, request: SandboxRequest): NetworkSettings;
  releaseDescriptors(sandbox: Sandbox): void;
  /** The netns of a running container, for `container:` mode, stats and DNS. */
  namespaceOf(containerId: string): string | undefined;

  /** Boot: bridges and the whole nft table rebuilt in one transaction from what runs; everything else of ours removed. */
  restore(running: ReadonlySet<string>): Promise<void>;
  /** Purge: every bridge, namespace and the nft table of this galleyd removed. */
  destroy(): Promise<void>;
  /** Lines for `galley info` (which firewall drops forwarded packets, what was added). */
  warnings(): string[];
  close(): Promise<void>;
}

/** Network events: create, destroy, connect, disconnect. Handed in by main. */
export type NetworkEventSink = (action: string, id: string, attributes: Record<string, string>) => void;
/** Resolves a container name or id to what `connect` needs; names for port-conflict messages. Handed in by main. */
export interface NetworkContainers {
  sandboxRequest(reference: string): { request: SandboxRequest; running: boolean; pid: number };
  nameOf(containerId: string): string | undefined;
  /** After a connect (settings) or disconnect (null): the container starts with it from now on. */
  recordEndpoint(containerId: string, network: string, settings: EndpointSettings | null): void;
  /** Replaces /etc/hosts and /etc/resolv.conf of a running container in place. */
  writeFiles(containerId: string, files: { hostsFile: string; resolvConf: string }): Promise<void>;
}
