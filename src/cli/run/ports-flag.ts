import type { PortBinding } from '../../api/containers.ts';

export interface PublishedPorts {
  exposed: Record<string, Record<string, never>>;
  bindings: Record<string, PortBinding[]>;
}

const PROTOCOLS = new Set(['tcp', 'udp', 'sctp']);

function range(text: string, what: string): [number, number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (!match || from > 65535 || to > 65535 || to < from) throw new Error(`invalid ${what}: ${text}`);
  return [from, to];
}

/** Splits `[IP:][HOST:]CONTAINER`; an IPv6 address stands in brackets. */
function split(spec: string): { ip: string; host: string; container: string } {
  const parts = spec.split(':');
  const container = parts.pop() as string;
  const host = parts.pop() ?? '';
  const ip = parts.join(':').replace(/^\[(.*)\]$/, '$1');
  return { ip, host, container };
}

const isIp = (text: string) =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) || /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(%\w+)?$/.test(text);

function publishFields(value: string): string {
  // The long form: published=8080,target=80,protocol=tcp.
  if (!value.includes('=')) return value;
  const fields = Object.fromEntries(value.split(',').map((field) => field.split('=', 2) as [string, string]));
  const unknown = Object.keys(fields).find((key) => !['published', 'target', 'protocol', 'mode'].includes(key));
  if (unknown) throw new Error(`invalid field key ${unknown}`);
  return `${fields['published'] ? `${fields['published']}:` : ''}${fields['target']}/${fields['protocol'] ?? 'tcp'}`;
}

/** --publish and --expose. @throws Error in Docker's words. */
export function parsePublish(publish: readonly string[], expose: readonly string[]): PublishedPorts {
  const ports: PublishedPorts = { exposed: {}, bindings: {} };
  for (const value of publish) addPublished(ports, publishFields(value));
  for (const value of expose) {
    const [numbers = '', protocol = 'tcp'] = value.split('/');
    if (value.includes(':')) throw new Error(`invalid port format for --expose: ${value}`);
    const bad = numbers.split('-').find((part) => !/^\d+$/.test(part));
    if (bad !== undefined) {
      throw new Error(
        `invalid range format for --expose: ${value}, error: strconv.ParseUint: parsing ${JSON.stringify(bad)}: invalid syntax`,
      );
    }
    const [first, last] = range(numbers, 'range format for --expose');
    for (let port = first; port <= last; port++) ports.exposed[`${port}/${protocol.toLowerCase()}`] = {};
  }
  return ports;
}

function addPublished(ports: PublishedPorts, spec: string): void {
  const slash = spec.indexOf('/');
  const protocol = slash < 0 ? 'tcp' : spec.slice(slash + 1).toLowerCase();
  const { ip, host, container } = split(slash < 0 ? spec : spec.slice(0, slash));
  if (ip !== '' && !isIp(ip)) throw new Error(`invalid IP address: ${ip}`);
  if (container === '') throw new Error(`no port specified: ${spec}<empty>`);
  const [first, last] = range(container, 'containerPort');
  const [hostFirst, hostLast] = host === '' ? [0, 0] : range(host, 'hostPort');
  if (!PROTOCOLS.has(protocol)) throw new Error(`invalid proto: ${protocol}`);
  const count = last - first;
  if (host !== '' && hostLast - hostFirst !== count && count !== 0) {
    throw new Error(`invalid ranges specified for container and host Ports: ${container} and ${host}`);
  }
  for (let offset = 0; offset <= count; offset++) {
    const key = `${first + offset}/${protocol}`;
    // A range of host ports for one container port lets the engine choose a free one of them.
    const published =
      host === ''
        ? ''
        : count === 0 && hostLast !== hostFirst
          ? `${hostFirst}-${hostLast}`
          : String(hostFirst + offset);
    ports.exposed[key] = {};
    (ports.bindings[key] ??= []).push({ HostIp: ip, HostPort: published });
  }
}
