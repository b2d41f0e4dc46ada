import type { EndpointSettings, NetworkSettings, PortMap } from '../../src/api/index.ts';
import { parseSubnet } from './addresses.ts';
import { isShared, modeName, namesOf } from './attachments.ts';
import type { EndpointRecord, NetworkRecord, SandboxRecord } from './records.ts';
import type { SandboxRequest } from './types.ts';

function endpointSettings(
  request: SandboxRequest,
  asked: EndpointSettings | null,
  network: NetworkRecord | undefined,
  endpoint: EndpointRecord | undefined,
  live: boolean,
): EndpointSettings {
  const userDefined = network !== undefined && !['bridge', 'host', 'none'].includes(network.name);
  return {
    IPAMConfig: asked?.IPAMConfig ?? null,
    Links: asked?.Links ?? null,
    Aliases: asked?.Aliases ?? null,
    MacAddress: endpoint?.mac ?? '',
    DriverOpts: asked?.DriverOpts ?? null,
    GwPriority: asked?.GwPriority ?? 0,
    NetworkID: live ? (network?.id ?? '') : '',
    EndpointID: endpoint?.endpointId ?? '',
    Gateway: endpoint && network && !network.internal ? network.gateway : '',
    IPAddress: endpoint?.address ?? '',
    IPPrefixLen: endpoint && network ? (parseSubnet(network.subnet)?.bits ?? 0) : 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: userDefined && live ? namesOf(request, asked) : null,
  };
}

function portsOf(request: SandboxRequest, sandbox: SandboxRecord | undefined): PortMap {
  const ports: PortMap = {};
  if (!sandbox || sandbox.endpoints.length === 0) return ports;
  for (const key of request.exposedPorts) ports[key] = null;
  for (const key of Object.keys(request.portBindings)) ports[key] = null;
  for (const port of sandbox.ports) {
    if (port.containerIp === '') continue;
    const key = `${port.containerPort}/${port.protocol}`;
    ports[key] = [...(ports[key] ?? []), { HostIp: port.hostIp || '0.0.0.0', HostPort: String(port.hostPort) }];
  }
  return ports;
}

/** NetworkSettings as inspect shows them: live ones with a sandbox, the empty ones of a stopped container without. */
export function networkSettings(
  request: SandboxRequest,
  sandbox: SandboxRecord | undefined,
  networkOf: (reference: string) => NetworkRecord | undefined,
): NetworkSettings {
  const shared = isShared(request.networkMode);
  const mode = shared ? undefined : networkOf(modeName(request));
  // The modes host and none show as a network of that name, which nothing is connected to.
  const asked = mode && mode.driver !== 'bridge' ? { [mode.name]: null } : request.endpoints;
  const Networks: Record<string, EndpointSettings> = {};
  for (const [reference, settings] of Object.entries(asked)) {
    const network = networkOf(reference);
    const endpoint = sandbox?.endpoints.find(({ networkId }) => networkId === network?.id);
    Networks[network?.name ?? reference] = endpointSettings(
      request,
      settings,
      network,
      endpoint,
      sandbox !== undefined || request.started,
    );
  }
  // The top-level fields tell the default bridge only, as Docker does.
  const top = Networks['bridge'];
  return {
    Bridge: '',
    SandboxID: sandbox && !shared ? sandbox.containerId : '',
    SandboxKey: sandbox?.netnsPath ?? '',
    Ports: portsOf(request, sandbox),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: top?.EndpointID ?? '',
    Gateway: top?.Gateway ?? '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: top?.IPAddress ?? '',
    IPPrefixLen: top?.IPPrefixLen ?? 0,
    IPv6Gateway: '',
    MacAddress: top?.MacAddress ?? '',
    Networks,
  };
}
