import { EngineError } from './engine-error.ts';

const short = (id: string) => id.slice(0, 12);

/** Docker's words on networks and published ports (field/engine-api.md sections 1.3 and 2.9). */
export const networkErrors = {
  notFound: (reference: string) => new EngineError('notFound', `network ${reference} not found`),
  ambiguous: (reference: string, count: number) =>
    new EngineError('invalid', `network ${reference} is ambiguous (${count} matches found based on ID prefix)`),
  nameExists: (name: string) => new EngineError('conflict', `network with name ${name} already exists`),
  badName: (name: string) =>
    new EngineError(
      'invalid',
      `invalid network name ${JSON.stringify(name)}: use letters, digits, and _ . - after the first`,
    ),
  predefined: (name: string) =>
    new EngineError('forbidden', `operation is not permitted on predefined ${name} network`),
  cannotRemove: (name: string) =>
    new EngineError('forbidden', `${name} is a pre-defined network and cannot be removed`),
  activeEndpoints: (name: string, who: string[]) =>
    new EngineError(
      'forbidden',
      `error while removing network: network ${name} has active endpoints (${who.join(', ')})`,
    ),
  driver: (driver: string) =>
    new EngineError('invalid', `network driver ${JSON.stringify(driver)} is not supported: use bridge`),
  unsupported: (what: string) => new EngineError('notImplemented', `${what} is not implemented by galley yet`),
  badSubnet: (text: string) =>
    new EngineError('invalid', `invalid subnet ${text}: use an IPv4 network such as 10.5.0.0/24`),
  badAddress: (text: string, subnet: string) =>
    new EngineError('invalid', `invalid address ${text}: it is not in the subnet ${subnet}`),
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
  notRunning: (reference: string) =>
    new EngineError('conflict', `cannot join network of a non running container: ${reference}`),
};
