/** Networks come and go: create, remove, prune, and the three that are always there. */
import { randomBytes } from 'node:crypto';
import type { Filters } from '../../src/api/index.ts';
import { requestErrors } from '../errors/index.ts';
import { networkErrors } from '../errors/networks.ts';
import type { Mutex } from '../system/mutex.ts';
import {
  checkOptions,
  defaultBridgeOptions,
  ensureBridge,
  isForeignBridge,
  networkOptions,
  removeBridge,
} from './bridges.ts';
import { matchesFilters } from './filters.ts';
import { choosePool, defaultPool } from './ipam.ts';
import type { NetworkRecord } from './records.ts';
import { type NetworkStore, PREDEFINED } from './store.ts';
import type { NftTable } from './table.ts';
import type { CreateNetworkRequest, NetworkEventSink } from './types.ts';

export interface LifecycleDeps {
  name: string;
  /** What our bridges carry as a remark. */
  mark: string;
  store: NetworkStore;
  table: NftTable;
  mutex: Mutex;
  publish: NetworkEventSink;
}

const newId = (): string => randomBytes(32).toString('hex');

const blank = (name: string, driver: NetworkRecord['driver']): NetworkRecord => ({
  id: newId(),
  name,
  driver,
  created: new Date().toISOString(),
  bridge: '',
  ownsBridge: true,
  subnet: '',
  gateway: '',
  range: '',
  auxiliary: {},
  ownSubnet: false,
  internal: false,
  attachable: false,
  enableIPv6: false,
  options: {},
  labels: {},
});

/** Boot: bridge, host and none are there. @throws EngineError when no address pool is left */
export async function ensurePredefined({ name, store }: LifecycleDeps): Promise<void> {
  if (!store.byName('host')) store.saveNetwork(blank('host', 'host'));
  if (!store.byName('none')) store.saveNetwork(blank('none', 'null'));
  if (store.byName('bridge')) return;
  const options = defaultBridgeOptions(`${name}0`);
  store.saveNetwork({ ...blank('bridge', 'bridge'), bridge: `${name}0`, ...(await defaultPool(store)), options });
}

/** @throws EngineError 400, 403, 409 */
export async function createNetwork(deps: LifecycleDeps, request: CreateNetworkRequest) {
  const { name, store, table, mutex, publish, mark } = deps;
  if (request.Name.trim() === '') throw networkErrors.badName();
  if (PREDEFINED.includes(request.Name) || request.Name === 'default') throw networkErrors.predefined(request.Name);
  if (['host', 'null'].includes(request.Driver)) throw networkErrors.oneInstance(request.Driver);
  if (request.Driver === 'overlay') throw requestErrors.notASwarm();
  if (request.Driver !== 'bridge') throw networkErrors.driver(request.Driver);
  if (request.EnableIPv6) throw networkErrors.unsupported('an IPv6 network');
  if (request.EnableIPv4 === false) throw networkErrors.unsupported('a network without IPv4');
  checkOptions(request.Options);
  return mutex.run(`create network ${request.Name}`, async () => {
    if (store.byName(request.Name)) throw networkErrors.nameExists(request.Name);
    const pool = await choosePool(store, request);
    const draft = blank(request.Name, 'bridge');
    const { bridgeName } = networkOptions({ options: request.Options });
    if (store.networks().some(({ bridge }) => bridge !== '' && bridge === bridgeName))
      throw networkErrors.bridgeTaken(bridgeName);
    const record: NetworkRecord = {
      ...draft,
      ...pool,
      bridge: bridgeName || `${name.slice(0, 8)}-${draft.id.slice(0, 6)}`,
      ownsBridge: bridgeName === '' || !(await isForeignBridge(bridgeName)),
      internal: request.Internal,
      attachable: request.Attachable,
      options: request.Options,
      labels: request.Labels,
    };
    // The row first: a crash from here on leaves a network that the next boot completes, not a bridge that nobody knows.
    store.saveNetwork(record);
    try {
      await ensureBridge(record, mark);
      await table.rebuild();
    } catch (error) {
      store.deleteNetwork(record.id);
      await removeBridge(record, mark);
      throw error;
    }
    publish('create', record.id, { name: record.name, type: record.driver });
    return { Id: record.id, Warning: '' };
  });
}

/** @throws EngineError 403, 404 */
export async function removeNetwork(deps: LifecycleDeps, reference: string): Promise<void> {
  const { store, table, mutex, publish, mark } = deps;
  const network = store.find(reference);
  if (PREDEFINED.includes(network.name)) throw networkErrors.cannotRemove(network.name);
  await mutex.run(`remove network ${network.name}`, async () => {
    const users = store.attachedTo(network.id);
    if (users.length > 0)
      throw networkErrors.activeEndpoints(
        network.name,
        users.map(
          ({ sandbox, endpoint }) => `name:"${sandbox.containerName}" id:"${endpoint.endpointId.slice(0, 12)}"`,
        ),
      );
    store.deleteNetwork(network.id);
    await table.rebuild();
    await removeBridge(network, mark);
    publish('destroy', network.id, { name: network.name, type: network.driver });
  });
}

/** Removes what no container uses. @throws EngineError 400 for a filter */
export async function pruneNetworks(deps: LifecycleDeps, filters: Filters) {
  const { store } = deps;
  const removed: string[] = [];
  for (const network of store.networks()) {
    if (PREDEFINED.includes(network.name) || store.attachedTo(network.id).length > 0) continue;
    if (!matchesFilters(network, filters, false)) continue;
    await removeNetwork(deps, network.id);
    removed.push(network.name);
  }
  return { NetworksDeleted: removed.length > 0 ? removed : null };
}
