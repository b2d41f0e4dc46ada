import type { NetworkResource } from '../../src/api/index.ts';
import { parseSubnet } from './addresses.ts';
import type { NetworkRecord } from './records.ts';
import type { Attachment } from './store.ts';

/** A network as the API shows it; the list leaves its containers out. */
export function resource(network: NetworkRecord, attached: readonly Attachment[]): NetworkResource {
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
      Config: network.subnet
        ? [
            {
              Subnet: network.subnet,
              ...(network.range ? { IPRange: network.range } : {}),
              Gateway: network.gateway,
              ...(Object.keys(network.auxiliary).length > 0 ? { AuxiliaryAddresses: network.auxiliary } : {}),
            },
          ]
        : [],
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      attached.map(({ sandbox, endpoint }) => [
        sandbox.containerId,
        {
          Name: sandbox.containerName,
          EndpointID: endpoint.endpointId,
          MacAddress: endpoint.mac,
          IPv4Address: `${endpoint.address}/${bits}`,
          IPv6Address: '',
        },
      ]),
    ),
    Options: network.options,
    Labels: network.labels,
  };
}
