import type { EndpointSettings, NetworkSettings, PortMap } from '../../src/api/index.ts';
import { parseSubnet } from './addresses.ts';
import type { NetworkRecord, SandboxRecord } from './records.ts';
import type { SandboxRequest } from './types.ts';

const emptyEndpoint = (networkId: string, mac: string): EndpointSettings => ({
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: mac,
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: networkId,
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
});

/** NetworkSettings as inspect shows them: live ones with a sandbox, the empty ones of a stopped container without. */
export function networkSettings(
  request: SandboxRequest,
  sandbox: SandboxRecord | undefined,
  network: NetworkRecord | undefined,
): NetworkSettings {
  const endpoint = sandbox?.endpoint ?? null;
  const prefix = network?.subnet ? (parseSubnet(network.subnet)?.bits ?? 0) : 0;
  const networkName = network?.name ?? (request.networkMode.startsWith('container:') ? '' : request.networkMode);
  const asked = Object.values(request.endpoints)[0] ?? null;
  const shown: EndpointSettings = {
    ...emptyEndpoint(sandbox ? (network?.id ?? '') : '', endpoint?.mac ?? ''),
    IPAMConfig: asked?.IPAMConfig ?? null,
    Aliases: asked?.Aliases ?? null,
    DriverOpts: asked?.DriverOpts ?? null,
    ...(endpoint && network
      ? {
          EndpointID: endpoint.endpointId,
          Gateway: network.internal ? '' : network.gateway,
          IPAddress: endpoint.address,
          IPPrefixLen: prefix,
        }
      : {}),
  };
  const ports: PortMap = {};
  if (sandbox && endpoint) {
    for (const key of request.exposedPorts) ports[key] = null;
    for (const key of Object.keys(request.portBindings)) ports[key] = null;
    for (const port of sandbox.ports) {
      const key = `${port.containerPort}/${port.protocol}`;
      ports[key] = [...(ports[key] ?? []), { HostIp: port.hostIp || '0.0.0.0', HostPort: String(port.hostPort) }];
    }
  }
  // The top-level fields tell the default bridge only, as Docker does.
  const top = network?.name === 'bridge' ? shown : emptyEndpoint('', '');
  return {
    Bridge: '',
    SandboxID: sandbox && !request.networkMode.startsWith('container:') ? sandbox.containerId : '',
    SandboxKey: sandbox?.netnsPath ?? '',
    Ports: ports,
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: top.EndpointID ?? '',
    Gateway: top.Gateway ?? '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: top.IPAddress ?? '',
    IPPrefixLen: top.IPPrefixLen ?? 0,
    IPv6Gateway: '',
    MacAddress: top.MacAddress ?? '',
    Networks: networkName === '' ? {} : { [networkName]: shown },
  };
}
