/** Published ports as `ps` shows them: neighbours joined to ranges, mappings to another number one by one. */
import type { PortSummary } from '../api/containers.ts';

const joinHostPort = (ip: string, port: string | number) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

interface Group {
  ip: string;
  type: string;
  first: number;
  last: number;
}

function groupText({ ip, type, first, last }: Group): string {
  const range = first === last ? String(first) : `${first}-${last}`;
  return `${ip ? `${joinHostPort(ip, range)}->` : ''}${range}/${type}`;
}

/** One line for all ports of a container, in Docker's order. */
export function displayPorts(ports: readonly PortSummary[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compareText(a.IP ?? '', b.IP ?? '') ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      (a.Type < b.Type ? -1 : 1),
  );
  const open = new Map<string, Group>();
  const closed: string[] = [];
  const mapped: string[] = [];
  for (const { PrivatePort, PublicPort, IP = '', Type } of sorted) {
    if (IP !== '' && PublicPort !== PrivatePort) {
      mapped.push(`${joinHostPort(IP, PublicPort ?? 0)}->${PrivatePort}/${Type}`);
      continue;
    }
    const key = `${IP}/${Type}`;
    const group = open.get(key);
    if (group && PrivatePort === group.last + 1) {
      group.last = PrivatePort;
      continue;
    }
    if (group) closed.push(groupText(group));
    // A Map keeps the place of a key that is set again, which is the order Docker prints.
    open.set(key, { ip: IP, type: Type, first: PrivatePort, last: PrivatePort });
  }
  return [...closed, ...[...open.values()].map(groupText), ...mapped].join(', ');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
