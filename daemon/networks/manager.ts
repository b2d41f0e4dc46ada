import { createHash, randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import type { EndpointSettings, NetworkResource } from '../../src/api/index.ts';
import { messageOf } from '../errors/index.ts';
import { networkErrors } from '../errors/networks.ts';
import type { Database } from '../state/index.ts';
import { ipBatch, linkNames, routedSubnets } from '../system/ip.ts';
import type { Log } from '../system/log.ts';
import { Mutex } from '../system/mutex.ts';
import { nft } from '../system/nft.ts';
import { run } from '../system/spawn.ts';
import { SyscallError } from '../system/syscalls.ts';
import {
  contains,
  formatAddress,
  formatSubnet,
  freePool,
  macOf,
  nextAddress,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
} from './addresses.ts';
import { hostsFile, readHostResolvConf, resolvConf } from './files.ts';
import { matchesFilters } from './filters.ts';
import { ForwardAccepts } from './firewall.ts';
import { createNamespaces } from './namespaces.ts';
import { portHolder, type ReservedPort, releasePorts, reservePort, wantedPorts } from './ports.ts';
import {
  type EndpointRecord,
  type NetworkRecord,
  networkSchema,
  type SandboxRecord,
  sandboxSchema,
} from './records.ts';
import { addElements, type BridgeRules, deleteElements, type PublishedPort, tableScript } from './ruleset.ts';
import { networkSettings } from './settings.ts';
import type {
  CreateNetworkRequest,
  NetworkContainers,
  NetworkEventSink,
  NetworkManager,
  Sandbox,
  SandboxRequest,
} from './types.ts';

export interface NetworkManagerDeps {
  db: Database;
  /** --name: prefix of bridges and name of the nft table. */
  name: string;
  execRoot: string;
  poolSize: number;
  publish: NetworkEventSink;
  containers: NetworkContainers;
  log: Log;
}

const PREDEFINED = ['bridge', 'host', 'none'];
/** Through /proc/sys, which shows the namespace of the caller; /sys shows the one it was mounted in. */
const linkExists = (link: string) => existsSync(`/proc/sys/net/ipv4/conf/${link}`);
const stableId = (text: string) => createHash('sha256').update(text).digest('hex');

export function createNetworkManager(deps: NetworkManagerDeps): NetworkManager {
  const { db, name, log, publish } = deps;
  const table = name;
  const networkTable = db.documents('networks', (value) => networkSchema.parse(value));
  const sandboxTable = db.documents('endpoints', (value) => sandboxSchema.parse(value));
  const networks = new Map(networkTable.all().map((record) => [record.id, record]));
  const sandboxes = new Map(sandboxTable.all().map((record) => [record.containerId, record]));
  const namespaces = createNamespaces(deps.execRoot, deps.poolSize, (error) =>
    log.warn('could not prepare a network namespace', { error: messageOf(error) }),
  );
  const accepts = new ForwardAccepts(name, table, log);
  /** Changes of bridges and of the nft table, one at a time; taking an address and reserving ports are synchronous and need none. */
  const mutex = new Mutex();
  const lastAddress = new Map<string, number>();
  const held = new Map<string, string>();

  // ---- networks -------------------------------------------------------------------------------------------------------

  function byReference(reference: string): NetworkRecord | undefined {
    const exact =
      networks.get(reference) ??
      [...networks.values()].find((network) => network.name === (reference === 'default' ? 'bridge' : reference));
    if (exact || reference === '') return exact;
    const matches = [...networks.values()].filter((network) => network.id.startsWith(reference));
    if (matches.length > 1) throw networkErrors.ambiguous(reference, matches.length);
    return matches[0];
  }

  function find(reference: string): NetworkRecord {
    const network = byReference(reference);
    if (!network) throw networkErrors.notFound(reference);
    return network;
  }

  const attachedTo = (networkId: string) =>
    [...sandboxes.values()].filter((sandbox) => sandbox.endpoint?.networkId === networkId);

  function resource(network: NetworkRecord, withContainers: boolean): NetworkResource {
    const bits = parseSubnet(network.subnet)?.bits ?? 0;
    return {
      Name: network.name,
      Id: network.id,
      Created: network.created,
      Scope: 'local',
      Driver: network.driver,
      EnableIPv4: true,
      EnableIPv6: network.enableIPv6,
      IPAM: {
        Driver: 'default',
        Options: null,
        Config: network.subnet ? [{ Subnet: network.subnet, Gateway: network.gateway }] : [],
      },
      Internal: network.internal,
      Attachable: network.attachable,
      Ingress: false,
      ConfigFrom: { Network: '' },
      ConfigOnly: false,
      Containers: withContainers
        ? Object.fromEntries(
            attachedTo(network.id).map(({ containerId, containerName, endpoint }) => [
              containerId,
              {
                Name: containerName,
                EndpointID: endpoint?.endpointId ?? '',
                MacAddress: endpoint?.mac ?? '',
                IPv4Address: `${endpoint?.address}/${bits}`,
                IPv6Address: '',
              },
            ]),
          )
        : {},
      Options: network.options,
      Labels: network.labels,
    };
  }

  async function takenSubnets(): Promise<Subnet[]> {
    const known = [...networks.values()].flatMap((network) => parseSubnet(network.subnet) ?? []);
    const routed = (await routedSubnets()).flatMap((text) => parseSubnet(text) ?? []);
    return [...known, ...routed.filter((subnet) => subnet.bits > 0)];
  }

  function save(record: NetworkRecord): void {
    networkTable.put(record.id, record);
    networks.set(record.id, record);
  }

  async function ensurePredefined(): Promise<void> {
    const base = {
      created: new Date().toISOString(),
      internal: false,
      attachable: false,
      enableIPv6: false,
      options: {},
      labels: {},
      gateway: '',
      subnet: '',
      bridge: '',
    };
    for (const [networkName, driver] of [
      ['host', 'host'],
      ['none', 'null'],
    ] as const)
      if (!byReference(networkName))
        save({
          ...base,
          id: stableId(`${name}/${networkName}/${randomBytes(8).toString('hex')}`),
          name: networkName,
          driver,
        });
    if (byReference('bridge')) return;
    const pool = freePool(await takenSubnets());
    if (!pool) throw networkErrors.exhausted();
    save({
      ...base,
      id: stableId(`${name}/bridge/${randomBytes(8).toString('hex')}`),
      name: 'bridge',
      driver: 'bridge',
      bridge: `${name}0`,
      subnet: formatSubnet(pool),
      gateway: formatAddress(pool.base + 1),
    });
  }

  async function ensureBridge(network: NetworkRecord): Promise<void> {
    const { bridge, gateway, subnet } = network;
    if (!linkExists(bridge)) {
      const bits = parseSubnet(subnet)?.bits;
      await ipBatch([
        `link add ${bridge} type bridge`,
        `addr add ${gateway}/${bits} dev ${bridge}`,
        `link set ${bridge} up`,
      ]);
    }
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
    // Lets the host's own 127.0.0.1 be forwarded; the raw chain closes what else that would open (field/network.md).
    writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, '1');
  }

  const bridges = () => [...networks.values()].filter((network) => network.driver === 'bridge');
  const bridgeRules = (): BridgeRules[] =>
    bridges().map((network) => ({
      bridge: network.bridge,
      subnet: network.subnet,
      internal: network.internal,
      masquerade: network.options['com.docker.network.bridge.enable_ip_masquerade'] !== 'false',
    }));

  async function rebuildTable(): Promise<void> {
    await nft(
      tableScript(
        table,
        bridgeRules(),
        [...sandboxes.values()].flatMap((sandbox) => sandbox.ports),
      ),
    );
    await accepts.apply(bridges().map((network) => network.bridge));
  }

  async function create(request: CreateNetworkRequest): Promise<{ Id: string; Warning: string }> {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(request.Name)) throw networkErrors.badName(request.Name);
    if (PREDEFINED.includes(request.Name) || request.Name === 'default') throw networkErrors.predefined(request.Name);
    if (request.Driver !== 'bridge') throw networkErrors.driver(request.Driver);
    if (request.EnableIPv6) throw networkErrors.unsupported('an IPv6 network');
    return mutex.run(`create network ${request.Name}`, async () => {
      if ([...networks.values()].some((network) => network.name === request.Name))
        throw networkErrors.nameExists(request.Name);
      const { subnet, gateway } = await choosePool(request);
      const id = randomBytes(32).toString('hex');
      const record: NetworkRecord = {
        id,
        name: request.Name,
        driver: 'bridge',
        created: new Date().toISOString(),
        bridge: `${name.slice(0, 8)}-${id.slice(0, 6)}`,
        subnet: formatSubnet(subnet),
        gateway,
        internal: request.Internal,
        attachable: request.Attachable,
        enableIPv6: false,
        options: request.Options,
        labels: request.Labels,
      };
      // The row first: a crash from here on leaves a network that the next boot completes, not a bridge that nobody knows.
      save(record);
      try {
        await ensureBridge(record);
        await rebuildTable();
      } catch (error) {
        networks.delete(id);
        networkTable.delete(id);
        await run('ip', ['link', 'del', record.bridge], { allowFailure: true });
        throw error;
      }
      publish('create', id, { name: record.name, type: 'bridge' });
      return { Id: id, Warning: '' };
    });
  }

  async function choosePool(request: CreateNetworkRequest): Promise<{ subnet: Subnet; gateway: string }> {
    const asked = request.IPAM.Config[0];
    const taken = await takenSubnets();
    if (!asked?.Subnet) {
      const pool = freePool(taken);
      if (!pool) throw networkErrors.exhausted();
      return { subnet: pool, gateway: formatAddress(pool.base + 1) };
    }
    const subnet = parseSubnet(asked.Subnet);
    if (!subnet || subnet.bits > 30) throw networkErrors.badSubnet(asked.Subnet);
    const other = taken.find((candidate) => overlaps(candidate, subnet));
    if (other) throw networkErrors.overlap(formatSubnet(subnet), formatSubnet(other));
    const gateway = asked.Gateway ? parseAddress(asked.Gateway) : subnet.base + 1;
    if (gateway === undefined || !contains(subnet, gateway))
      throw networkErrors.badAddress(asked.Gateway ?? '', formatSubnet(subnet));
    return { subnet, gateway: formatAddress(gateway) };
  }

  async function remove(reference: string): Promise<void> {
    const network = find(reference);
    if (PREDEFINED.includes(network.name)) throw networkErrors.cannotRemove(network.name);
    await mutex.run(`remove network ${network.name}`, async () => {
      const users = attachedTo(network.id);
      if (users.length > 0)
        throw networkErrors.activeEndpoints(
          network.name,
          users.map((user) => `name:"${user.containerName}" id:"${user.endpoint?.endpointId.slice(0, 12)}"`),
        );
      networks.delete(network.id);
      networkTable.delete(network.id);
      await rebuildTable();
      if (linkExists(network.bridge)) await ipBatch([`link del ${network.bridge}`]);
      publish('destroy', network.id, { name: network.name, type: network.driver });
    });
  }

  // ---- sandboxes ------------------------------------------------------------------------------------------------------

  function takeAddress(network: NetworkRecord, asked: string | undefined): string {
    const subnet = parseSubnet(network.subnet) as Subnet;
    const used = new Set(
      [
        network.gateway,
        ...attachedTo(network.id).map((sandbox) => sandbox.endpoint?.address ?? ''),
        ...[...held].flatMap(([address, id]) => (id === network.id ? [address] : [])),
      ].map((address) => parseAddress(address) ?? -1),
    );
    if (asked) {
      const address = parseAddress(asked);
      if (address === undefined || !contains(subnet, address)) throw networkErrors.badAddress(asked, network.subnet);
      if (used.has(address)) throw networkErrors.addressInUse(asked);
      return asked;
    }
    const address = nextAddress(subnet, used, lastAddress.get(network.id) ?? subnet.base);
    if (address === undefined) throw networkErrors.noAddress(network.name);
    lastAddress.set(network.id, address);
    return formatAddress(address);
  }

  function holderOf(port: { protocol: 'tcp' | 'udp'; hostPort: number }): string {
    for (const sandbox of sandboxes.values())
      if (sandbox.ports.some((other) => other.protocol === port.protocol && other.hostPort === port.hostPort))
        return `container ${deps.containers.nameOf(sandbox.containerId) ?? sandbox.containerName} holds it`;
    const process = portHolder(port.protocol, port.hostPort);
    return process ? `process ${process.name}, pid ${process.pid}, holds it` : 'another process holds it';
  }

  function reservePorts(request: SandboxRequest, endpointId: string): ReservedPort[] {
    const reserved: ReservedPort[] = [];
    const containerName = request.containerName.replace(/^\//, '');
    for (const wanted of wantedPorts(request.portBindings, request.exposedPorts, request.publishAll)) {
      try {
        reserved.push(reservePort(wanted));
      } catch (error) {
        releasePorts(reserved);
        if (error instanceof SyscallError && error.code === 'EADDRINUSE')
          throw networkErrors.portTaken(
            containerName,
            endpointId,
            wanted.hostIp || '0.0.0.0',
            wanted.from,
            holderOf({ protocol: wanted.protocol, hostPort: wanted.from }),
          );
        throw networkErrors.portFailed(containerName, endpointId, messageOf(error));
      }
    }
    return reserved;
  }

  /** The network that the mode names; undefined for `container:`. */
  function networkOf(request: SandboxRequest): NetworkRecord | undefined {
    return request.networkMode.startsWith('container:') ? undefined : find(request.networkMode || 'bridge');
  }

  function validate(request: SandboxRequest): void {
    const network = networkOf(request);
    wantedPorts(request.portBindings, request.exposedPorts, request.publishAll);
    if (Object.keys(request.endpoints).length > 1)
      throw networkErrors.unsupported('attaching a container to several networks');
    const asked = Object.values(request.endpoints)[0]?.IPAMConfig?.IPv4Address;
    if (asked && network?.driver === 'bridge') {
      const subnet = parseSubnet(network.subnet);
      const address = parseAddress(asked);
      if (!subnet || address === undefined || !contains(subnet, address))
        throw networkErrors.badAddress(asked, network.subnet);
    }
  }

  async function wire(network: NetworkRecord, netnsPath: string, endpoint: EndpointRecord): Promise<void> {
    const bits = parseSubnet(network.subnet)?.bits;
    const mtu = network.options['com.docker.network.driver.mtu'] ?? '1500';
    await ipBatch([
      `link add ${endpoint.veth} mtu ${mtu} type veth peer name eth0 address ${endpoint.mac} mtu ${mtu} netns ${netnsPath}`,
      `link set ${endpoint.veth} master ${network.bridge}`,
      `link set ${endpoint.veth} type bridge_slave hairpin on`,
      `link set ${endpoint.veth} up`,
    ]);
    await ipBatch(
      [
        `addr add ${endpoint.address}/${bits} dev eth0`,
        'link set eth0 up',
        ...(network.internal ? [] : [`route add default via ${network.gateway}`]),
      ],
      netnsPath,
    );
  }

  function filesOf(
    request: SandboxRequest,
    network: NetworkRecord | undefined,
    address: string,
    aliases: readonly string[],
  ): { hostsFile: string; resolvConf: string } {
    return {
      hostsFile: hostsFile({
        address,
        hostname: request.hostname,
        domainname: request.domainname,
        names: aliases,
        extraHosts: request.extraHosts,
        gateway: network?.gateway || (byReference('bridge')?.gateway ?? ''),
      }),
      resolvConf:
        network?.driver === 'host' && request.dns.length + request.dnsSearch.length + request.dnsOptions.length === 0
          ? readHostResolvConf()
          : resolvConf(readHostResolvConf(), {
              dns: request.dns,
              search: request.dnsSearch,
              options: request.dnsOptions,
            }),
    };
  }

  function record(sandbox: SandboxRecord): void {
    sandboxTable.put(sandbox.containerId, sandbox);
    sandboxes.set(sandbox.containerId, sandbox);
  }

  /** host, none and `container:`: no addresses, no ports. */
  async function setUpPlain(request: SandboxRequest, network: NetworkRecord | undefined): Promise<Sandbox> {
    let netnsPath: string | null = null;
    if (!network) {
      const target = deps.containers.sandboxRequest(request.networkMode.slice('container:'.length));
      if (!target.running) throw networkErrors.notRunning(request.networkMode.slice('container:'.length));
      netnsPath = `/proc/${target.pid}/ns/net`;
    } else if (network.driver === 'null') netnsPath = await namespaces.take();
    const own = network?.driver === 'null' ? netnsPath : null;
    const sandbox: SandboxRecord = {
      containerId: request.containerId,
      containerName: request.containerName,
      netnsPath: own ?? '',
      endpoint: null,
      ports: [],
    };
    record(sandbox);
    return {
      netnsPath,
      settings: networkSettings(request, sandbox, network),
      portDescriptors: [],
      ...filesOf(request, network, '', []),
    };
  }

  async function setUp(request: SandboxRequest): Promise<Sandbox> {
    validate(request);
    await tearDown(request.containerId);
    const network = networkOf(request);
    if (network?.driver !== 'bridge') return setUpPlain(request, network);
    const endpointId = randomBytes(32).toString('hex');
    const asked = Object.values(request.endpoints)[0] ?? null;
    const reserved = reservePorts(request, endpointId);
    let netnsPath = '';
    let address = '';
    let ports: PublishedPort[] = [];
    try {
      address = takeAddress(network, asked?.IPAMConfig?.IPv4Address);
      held.set(address, network.id);
      netnsPath = await namespaces.take();
      const endpoint: EndpointRecord = {
        networkId: network.id,
        networkName: network.name,
        endpointId,
        veth: `${name.slice(0, 8)}v${endpointId.slice(0, 6)}`,
        address,
        mac: asked?.MacAddress || request.macAddress || macOf(parseAddress(address) as number),
        aliases: asked?.Aliases ?? [],
      };
      await wire(network, netnsPath, endpoint);
      ports = reserved.map(({ protocol, hostIp, hostPort, containerPort }) => ({
        protocol,
        hostIp,
        hostPort,
        containerPort,
        containerIp: address,
      }));
      const sandbox: SandboxRecord = {
        containerId: request.containerId,
        containerName: request.containerName,
        netnsPath,
        endpoint,
        ports,
      };
      // Under the mutex and known before its elements are in: a rebuild of the table at the same time must not lose them.
      if (ports.length === 0) record(sandbox);
      else
        await mutex.run(`publish the ports of ${request.containerName}`, async () => {
          record(sandbox);
          await nft(addElements(table, ports));
        });
      publish('connect', network.id, { container: request.containerId, name: network.name, type: network.driver });
      return {
        netnsPath,
        settings: networkSettings(request, sandbox, network),
        portDescriptors: reserved.map((port) => port.descriptor),
        ...filesOf(request, network, address, endpoint.aliases),
      };
    } catch (error) {
      releasePorts(reserved);
      // nft is one transaction, so that no element is left of ports that could not be published.
      if (netnsPath) namespaces.destroy(netnsPath);
      sandboxTable.delete(request.containerId);
      sandboxes.delete(request.containerId);
      throw error;
    } finally {
      held.delete(address);
    }
  }

  async function tearDown(containerId: string): Promise<void> {
    const sandbox = sandboxes.get(containerId);
    if (!sandbox) return;
    if (sandbox.ports.length > 0)
      await mutex.run(`close the ports of ${sandbox.containerName}`, async () => {
        if (sandboxes.get(containerId) !== sandbox) return; // another call took it down meanwhile
        const without = { ...sandbox, ports: [] };
        sandboxes.set(containerId, without);
        await nft(deleteElements(table, sandbox.ports)).catch(async (error: unknown) => {
          // Somebody flushed our table: make it again, without these ports.
          log.warn('the nft table had changed; it is rebuilt', { error: messageOf(error) });
          await rebuildTable();
        });
      });
    if (!sandboxes.has(containerId)) return;
    if (sandbox.netnsPath) namespaces.destroy(sandbox.netnsPath);
    sandboxTable.delete(containerId);
    sandboxes.delete(containerId);
    // The kernel takes the veth away with its namespace, but later; the name and the address may be wanted at once.
    if (sandbox.endpoint) await run('ip', ['link', 'del', sandbox.endpoint.veth], { allowFailure: true });
    const network = sandbox.endpoint ? networks.get(sandbox.endpoint.networkId) : undefined;
    if (network)
      publish('disconnect', network.id, { container: containerId, name: network.name, type: network.driver });
  }

  const plugging = (reference: string, containerId: string): never => {
    find(reference);
    deps.containers.sandboxRequest(containerId);
    throw networkErrors.unsupported('connecting an existing container to a network');
  };

  return {
    list: (filters) =>
      [...networks.values()]
        .filter((network) => matchesFilters(network, filters, attachedTo(network.id).length > 0))
        .map((network) => resource(network, false)),
    inspect: (reference) => resource(find(reference), true),
    create,
    remove,
    async prune(filters) {
      const removed: string[] = [];
      for (const network of [...networks.values()]) {
        if (
          PREDEFINED.includes(network.name) ||
          attachedTo(network.id).length > 0 ||
          !matchesFilters(network, filters, false)
        )
          continue;
        await remove(network.id);
        removed.push(network.name);
      }
      return { NetworksDeleted: removed.length > 0 ? removed : null };
    },
    connect: async (reference: string, containerId: string, _settings: EndpointSettings | null) =>
      plugging(reference, containerId),
    disconnect: async (reference: string, containerId: string, _force: boolean) => plugging(reference, containerId),
    validate,
    setUp,
    tearDown,
    settingsOf(containerId, request) {
      const sandbox = sandboxes.get(containerId);
      const network = request.networkMode.startsWith('container:')
        ? undefined
        : byReference(request.networkMode || 'bridge');
      return networkSettings(request, sandbox, network);
    },
    releaseDescriptors(sandbox) {
      releasePorts(sandbox.portDescriptors.splice(0).map((descriptor) => ({ descriptor }) as ReservedPort));
    },
    namespaceOf: (containerId) => sandboxes.get(containerId)?.netnsPath || undefined,
    async restore(running) {
      await ensurePredefined();
      await mutex.run('restore the networks', async () => {
        for (const containerId of [...sandboxes.keys()])
          if (!running.has(containerId)) {
            const sandbox = sandboxes.get(containerId) as SandboxRecord;
            if (sandbox.netnsPath) namespaces.destroy(sandbox.netnsPath);
            sandboxTable.delete(containerId);
            sandboxes.delete(containerId);
          }
        namespaces.collect(new Set([...sandboxes.values()].map((sandbox) => sandbox.netnsPath)));
        for (const network of bridges()) await ensureBridge(network);
        await rebuildTable();
      });
      namespaces.fill();
    },
    async destroy() {
      for (const containerId of [...sandboxes.keys()]) await tearDown(containerId);
      await namespaces.close();
      namespaces.collect(new Set());
      await accepts.removeAll();
      await nft(`add table ip ${table}\ndelete table ip ${table}\n`);
      const links = await linkNames();
      for (const network of bridges())
        if (links.includes(network.bridge)) await ipBatch([`link del ${network.bridge}`]);
    },
    warnings: () => accepts.warnings(),
    async close() {
      await namespaces.close();
    },
  };
}
