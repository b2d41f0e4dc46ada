import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { PortMap } from '../../src/api/index.ts';
import { networkErrors } from '../errors/networks.ts';
import { bindPort, closeDescriptor, SyscallError } from '../system/syscalls.ts';
import { parseAddress } from './addresses.ts';

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
