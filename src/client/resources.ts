import type {
  EngineEvent,
  NetworkResource,
  SystemInfo,
  VersionResponse,
  Volume,
  VolumeListResponse,
} from '../api/index.ts';
import { GALLEY_COMPONENT } from '../api/index.ts';
import { type Core, encodeFilters, jsonLines } from './core.ts';
import type { EngineClient } from './types.ts';

type SystemPart = Pick<EngineClient, 'host' | 'ping' | 'version' | 'info' | 'isGalley' | 'getEvents' | 'close'>;
type StoragePart = Pick<EngineClient, 'listVolumes' | 'createVolume' | 'getVolume' | 'listNetworks' | 'getNetwork'>;

/** /_ping, /version, /info, /events. */
export function systemCalls(core: Core): SystemPart {
  const version = () => core.json<VersionResponse>('GET', '/version');
  return {
    host: core.host,
    ping: (signal) => core.ping(signal),
    version,
    info: () => core.json<SystemInfo>('GET', '/info'),
    isGalley: async () => ((await version()).Components ?? []).some((component) => component.Name === GALLEY_COMPONENT),
    async *getEvents(options = {}) {
      const answer = await core.stream('GET', '/events', {
        query: { since: options.since, until: options.until, filters: encodeFilters(options.filters) },
        signal: options.signal,
      });
      yield* jsonLines<EngineEvent>(answer.body);
    },
    close: () => core.close(),
  };
}

/** /volumes and /networks. */
export function storageCalls(core: Core): StoragePart {
  return {
    async listVolumes(options = {}) {
      const list = await core.json<VolumeListResponse>('GET', '/volumes', {
        query: { filters: encodeFilters(options.filters) },
      });
      return list.Volumes ?? [];
    },
    createVolume: (body) => core.json<Volume>('POST', '/volumes/create', { body }),
    getVolume(name) {
      const path = `/volumes/${encodeURIComponent(name)}`;
      return {
        name,
        inspect: () => core.json<Volume>('GET', path),
        remove: (options = {}) => core.done('DELETE', path, { query: { force: options.force || undefined } }),
      };
    },
    listNetworks: (options = {}) =>
      core.json<NetworkResource[]>('GET', '/networks', { query: { filters: encodeFilters(options.filters) } }),
    getNetwork(id) {
      const path = `/networks/${encodeURIComponent(id)}`;
      return {
        id,
        inspect: () => core.json<NetworkResource>('GET', path),
        remove: () => core.done('DELETE', path),
      };
    },
  };
}
