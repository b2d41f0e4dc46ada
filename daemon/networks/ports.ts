import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { PortMap } from '../../src/api/index.ts';
import { messageOf } from '../errors/index.ts';
import { networkErrors } from '../errors/networks.ts';
import { bindPort, closeDescriptor, SyscallError } from '../system/syscalls.ts';
import { parseAddress } from './addresses.ts';
import type { SandboxRecord } from './records.ts';
import type { PublishedPort } from './ruleset.ts';
import type { NetworkStore } from './store.ts';
import type { NetworkContainers, SandboxRequest } from './types.ts';

export interface WantedPort {
  protocol: 'tcp' | 'udp';
  containerPort: number;
  hostIp: string;
  /** Inclusive; 0-0: any free port. */
  from: number;
  to: number;
}

export interface ReservedPort {
  protocol: 'tcp' | 'udp';
  containerPort: number;
  hostIp: string;
  hostPort: number;
  descriptor: number;
}

function portNumber(text: string, whole: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 0 && port <= 65535)) throw networkErrors.badPort(whole);
  return port;
}

/** Reads Docker's PortBindings and `publish all`. @throws EngineError naming the entry that cannot be read. */
export function wantedPorts(bindings: PortMap, exposed: readonly string[], publishAll: boolean): WantedPort[] {
  const wanted: WantedPort[] = [];
  const all: PortMap = { ...bindings };
  if (publishAll) for (const key of exposed) if (!all[key]?.length) all[key] = [{}];
  for (const [key, list] of Object.entries(all)) {
    const [portText = '', protocol = 'tcp'] = key.split('/');
    const containerPort = portNumber(portText, key);
    if (protocol === 'sctp') throw networkErrors.sctp(key);
    if ((protocol !== 'tcp' && protocol !== 'udp') || containerPort === 0) throw networkErrors.badPort(key);
    for (const { HostIp = '', HostPort = '' } of list ?? []) {
      if (HostIp.includes(':')) throw networkErrors.unsupported(`publishing on the IPv6 address ${HostIp}`);
      if (HostIp !== '' && parseAddress(HostIp) === undefined)
        throw networkErrors.badPort(`${HostIp}:${HostPort}:${key}`);
      const [first = '', last] = HostPort.split('-');
      const from = first === '' ? 0 : portNumber(first, HostPort);
      const to = last === undefined ? from : portNumber(last, HostPort);
      if (to < from) throw networkErrors.badPort(HostPort);
      wanted.push({ protocol, containerPort, hostIp: HostIp, from, to });
    }
  }
  return wanted;
}

const EPHEMERAL = { from: 32768, to: 60999 };

/** Binds a socket for the port: it stays reserved for as long as somebody holds the descriptor. @throws SyscallError */
export function reservePort(wanted: WantedPort): ReservedPort {
  const { protocol, containerPort, hostIp } = wanted;
  const reserve = (hostPort: number): ReservedPort => ({
    protocol,
    containerPort,
    hostIp,
    hostPort,
    descriptor: bindPort(protocol, hostIp || '0.0.0.0', hostPort),
  });
  const any = wanted.from === 0;
  const { from, to } = any ? EPHEMERAL : wanted;
  const count = to - from + 1;
  const start = any ? Math.floor(Math.random() * count) : 0;
  for (let i = 0; ; i += 1) {
    try {
      return reserve(from + ((start + i) % count));
    } catch (error) {
      if (i + 1 >= count || !(error instanceof SyscallError) || error.code !== 'EADDRINUSE') throw error;
    }
  }
}

/** Those that lead somewhere: a container without a default route publishes nothing. */
export const activePorts = ({ ports }: Pick<SandboxRecord, 'ports'>): PublishedPort[] =>
  ports.filter(({ containerIp }) => containerIp !== '');

/** Reserves the ports of a container by binding them, and says who is in the way. */
export class PortReservations {
  readonly #store: NetworkStore;
  readonly #containers: Pick<NetworkContainers, 'nameOf'>;

  constructor(store: NetworkStore, containers: Pick<NetworkContainers, 'nameOf'>) {
    this.#store = store;
    this.#containers = containers;
  }

  /** All of them or none. @throws EngineError naming the holder of a port in use and the next free port */
  reserve(request: SandboxRequest, defaultHostIp: string): ReservedPort[] {
    const reserved: ReservedPort[] = [];
    const containerName = request.containerName.replace(/^\//, '');
    for (const wanted of wantedPorts(request.portBindings, request.exposedPorts, request.publishAll)) {
      const port = { ...wanted, hostIp: wanted.hostIp || defaultHostIp };
      try {
        reserved.push(reservePort(port));
      } catch (error) {
        releasePorts(reserved);
        if (error instanceof SyscallError && error.code === 'EADDRINUSE')
          throw networkErrors.portTaken(
            containerName,
            request.containerId,
            port.hostIp || '0.0.0.0',
            port.from,
            this.#inTheWay(port),
          );
        throw networkErrors.portFailed(containerName, request.containerId, messageOf(error));
      }
    }
    return reserved;
  }

  #inTheWay(port: WantedPort): string {
    const free = nextFreePort(port);
    const advice = free === undefined ? '' : `; the next free port is ${free}`;
    for (const sandbox of this.#store.sandboxes())
      if (sandbox.ports.some((other) => other.protocol === port.protocol && other.hostPort === port.from))
        return `container ${this.#containers.nameOf(sandbox.containerId) ?? sandbox.containerName} holds it${advice}`;
    const process = portHolder(port.protocol, port.from);
    return `${process ? `process ${process.name}, pid ${process.pid}, holds it` : 'another process holds it'}${advice}`;
  }
}

/** The first port after the wanted ones that can be bound now. */
function nextFreePort(wanted: WantedPort): number | undefined {
  try {
    const from = wanted.to + 1;
    const port = reservePort({ ...wanted, from, to: Math.min(65535, from + 999) });
    releasePorts([port]);
    return port.hostPort;
  } catch {
    return undefined; // only advice: none is better than a second error
  }
}

export function releasePorts(ports: readonly ReservedPort[]): void {
  for (const port of ports) closeDescriptor(port.descriptor);
}

/** The process that listens on a port of this host, found through its socket's inode; undefined when none is seen. */
export function portHolder(protocol: 'tcp' | 'udp', port: number): { pid: number; name: string } | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of [protocol, `${protocol}6`]) {
    let text: string;
    try {
      text = readFileSync(`/proc/net/${table}`, 'utf8');
    } catch {
      continue; // a kernel without IPv6 has no such table
    }
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const listening = protocol === 'udp' || fields[3] === '0A';
      if (listening && fields[1]?.endsWith(`:${hex}`) && fields[9]) inodes.add(fields[9]);
    }
  }
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
        if (match && inodes.has(match[1] as string))
          return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() };
      }
    } catch {
      // the process ended while we looked
    }
  }
  return undefined;
}
