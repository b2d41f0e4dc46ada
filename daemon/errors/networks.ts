import { EngineError } from './engine-error.ts';

const short = (id: string) => id.slice(0, 12);

/** Docker's words on networks and published ports (field/engine-api.md sections 1.3 and 2.9). */
export const networkErrors = {
  notFound: (reference: string) => new EngineError('notFound', `network ${reference} not found`),
  ambiguous: (reference: string, count: number) =>
    new EngineError('invalid', `network ${reference} is ambiguous (${count} matches found based on ID prefix)`),
  nameExists: (name: string) => new EngineError('conflict', `network with name ${name} already exists`),
  badName: () => new EngineError('invalid', 'invalid name: name is empty'),
  predefined: (name: string) =>
    new EngineError('forbidden', `operation is not permitted on predefined ${name} network `),
  cannotRemove: (name: string) =>
    new EngineError('forbidden', `${name} is a pre-defined network and cannot be removed`),
  activeEndpoints: (name: string, who: string[]) =>
    new EngineError(
      'forbidden',
      `error while removing network: network ${name} has active endpoints (${who.join(', ')})`,
    ),
  driver: (driver: string) => new EngineError('notFound', `plugin ${JSON.stringify(driver)} not found`),
  oneInstance: (driver: string) =>
    new EngineError('forbidden', `only one instance of ${JSON.stringify(driver)} network is allowed`),
  unsupported: (what: string) => new EngineError('notImplemented', `${what} is not implemented by galley yet`),
  /** One line a fault, as ValidateIPAM of the API joins them. */
  badConfig: (faults: readonly string[]) => new EngineError('invalid', `invalid network config:\n${faults.join('\n')}`),
  overlap: (subnet: string, other: string) =>
    new EngineError(
      'forbidden',
      `invalid pool request: Pool overlaps with other one on this address space: ${subnet} overlaps with ${other}`,
    ),
  exhausted: () => new EngineError('invalid', 'all predefined address pools have been fully subnetted'),
  noAddress: (name: string) =>
    new EngineError('system', `no available IPv4 addresses on this network's address pools: ${name}`),
  addressInUse: (address: string) => new EngineError('forbidden', `Address already in use: ${address}`),
  badPort: (text: string) => new EngineError('invalid', `invalid port specification: "${text}"`),
  badFilterValue: (key: string, value: string) => new EngineError('invalid', `invalid filter '${key}=[${value}]'`),
  badFilter: (filter: string) => new EngineError('invalid', `invalid filter '${filter}'`),
  sctp: (port: string) =>
    new EngineError('notImplemented', `publishing ${port} is not implemented by galley yet: use tcp or udp`),
  portTaken: (name: string, endpointId: string, address: string, port: number, holder: string) =>
    new EngineError(
      'system',
      `driver failed programming external connectivity on endpoint ${name} (${short(endpointId)}): Bind for ${address}:${port} failed: port is already allocated (${holder})`,
    ),
  portFailed: (name: string, endpointId: string, why: string) =>
    new EngineError(
      'system',
      `driver failed programming external connectivity on endpoint ${name} (${short(endpointId)}): ${why}`,
    ),
  severalSubnets: () => new EngineError('forbidden', "bridge driver doesn't support multiple subnets"),
  auxiliaryInUse: (name: string, address: string) =>
    new EngineError(
      'forbidden',
      `failed to allocate secondary ip address (${name}:${address}): Address already in use`,
    ),
  badOption: (key: string, value: string, why: string) =>
    new EngineError('invalid', `failed to parse ${key} value: ${value} (${why})`),
  bridgeTaken: (bridge: string) =>
    new EngineError('forbidden', `cannot create network: the bridge ${bridge} belongs to another network`),
  foreignInterface: (link: string) =>
    new EngineError(
      'system',
      `an interface ${link} is there that is not galley's: remove it, or choose another name (galleyd --name, option com.docker.network.bridge.name)`,
    ),
  bridgeGone: (network: string, bridge: string) =>
    new EngineError(
      'system',
      `the bridge ${bridge} of network ${network} is gone: somebody removed it; restart galleyd to make it again`,
    ),
  /** One line a fault. `network`: given at create, where several are asked for. */
  badEndpoint: (faults: readonly string[], network?: string) =>
    new EngineError(
      'invalid',
      `${network === undefined ? '' : `invalid config for network ${network}: `}invalid endpoint settings:\n${faults.join('\n')}`,
    ),
  noContainer: () => new EngineError('invalid', 'invalid name or ID supplied: ""'),
  severalModes: (name: string) =>
    new EngineError('invalid', `a container cannot be connected to ${name} and to another network at once`),
  hostMode: () =>
    new EngineError('invalid', 'container cannot be disconnected from host network or connected to host network'),
  sharedMode: () =>
    new EngineError(
      'invalid',
      'container sharing network namespace with another container or host cannot be connected to any other network',
    ),
  privateMode: () =>
    new EngineError(
      'invalid',
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    ),
  alreadyConnected: (container: string, network: string) =>
    new EngineError('forbidden', `endpoint with name ${container} already exists in network ${network}`),
  connectFailed: (network: string, why: string) =>
    new EngineError('system', `could not connect to network ${network}: ${why}`),
  notConnected: (container: string, network: string) =>
    new EngineError('system', `container ${container} is not connected to network ${network}`),
  linkNotFound: (name: string) =>
    new EngineError('invalid', `could not get container for ${name}: No such container: ${name}`),
  linkNotRunning: (name: string, own: string, alias: string) =>
    new EngineError('system', `Cannot link to a non running container: /${name} AS /${own}/${alias}`),
  notRunning: (reference: string) =>
    new EngineError('conflict', `cannot join network of a non running container: ${reference}`),
};
