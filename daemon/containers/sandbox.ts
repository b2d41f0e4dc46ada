import { hostname as hostHostname } from 'node:os';
import { type ContainerRecord, ZERO_TIME } from './record.ts';
import type { SandboxRequest } from './types.ts';

/** What a container brings to its network. */
export function sandboxRequestOf(record: ContainerRecord): SandboxRequest {
  const { config, hostConfig } = record;
  return {
    containerId: record.id,
    containerName: record.name,
    hostname: config.Hostname,
    domainname: config.Domainname,
    networkMode: hostConfig.NetworkMode,
    endpoints: record.endpoints,
    portBindings: hostConfig.PortBindings ?? {},
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    publishAll: hostConfig.PublishAllPorts,
    dns: hostConfig.Dns ?? [],
    dnsSearch: hostConfig.DnsSearch ?? [],
    dnsOptions: hostConfig.DnsOptions ?? [],
    extraHosts: hostConfig.ExtraHosts ?? [],
    macAddress: config.MacAddress ?? '',
    links: hostConfig.Links ?? [],
    started: record.startedAt !== ZERO_TIME,
  };
}

/** Empty hostname: the short id; in the host's network the host's own name. */
export function defaultHostname(networkMode: string, utsMode: string, id: string): string {
  return networkMode === 'host' || utsMode === 'host' ? hostHostname() : id.slice(0, 12);
}
