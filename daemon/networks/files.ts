/** The files that the engine owns inside a container and that speak of its networks. */
import { readFileSync } from 'node:fs';
import type { EndpointRecord } from './records.ts';
import type { SandboxRequest } from './types.ts';

/** Where the name server of a user network answers inside each container. */
export const NAME_SERVER = '127.0.0.11';

const LOOPBACK = /^(127\.|::1$)/;

/** /etc/hosts as Docker writes it (field/engine-api.md section 2.9). `gateway` stands for `host-gateway`. */
export function hostsFile(input: {
  addresses: readonly string[];
  hostname: string;
  domainname: string;
  /** Other containers by address: names, the most wanted first. */
  linked: readonly (readonly [address: string, names: string])[];
  extraHosts: readonly string[];
  gateway: string;
}): string {
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::\tip6-localnet',
    'ff00::\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
  ];
  for (const extra of input.extraHosts) {
    const at = extra.search(/[:=]/);
    const address = extra.slice(at + 1).replace(/^\[|\]$/g, '');
    lines.push(`${address === 'host-gateway' ? input.gateway : address}\t${extra.slice(0, at)}`);
  }
  for (const [address, names] of input.linked) lines.push(`${address}\t${names}`);
  const full = input.domainname ? `${input.hostname}.${input.domainname} ${input.hostname}` : input.hostname;
  for (const address of input.addresses) lines.push(`${address}\t${full}`);
  return `${lines.join('\n')}\n`;
}

/** The host's resolver settings; systemd-resolved's own file where the visible one names only its stub. */
export function readHostResolvConf(): string {
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return ''; // a host without it resolves by the fallback
    }
  };
  const text = read('/etc/resolv.conf');
  return /^nameserver\s+127\.0\.0\.53\s*$/m.test(text) ? read('/run/systemd/resolve/resolv.conf') || text : text;
}

/** The words behind a keyword of a resolv.conf, of all its lines. */
export function resolvValues(text: string, keyword: string): string[] {
  return text
    .split('\n')
    .filter((line) => new RegExp(`^${keyword}\\s`).test(line))
    .flatMap((line) => line.trim().split(/\s+/).slice(1));
}

/**
 * /etc/resolv.conf: the host's without loopback servers, else public ones; the container's own settings win. On a user network the one
 * server is galley's, which asks those of the host or the container itself, and short names are asked as they stand (ndots:0).
 */
export function resolvConf(
  host: string,
  own: { dns: readonly string[]; search: readonly string[]; options: readonly string[]; nameServer: boolean },
): string {
  const hostServers = resolvValues(host, 'nameserver').filter((server) => !LOOPBACK.test(server));
  const fallback = hostServers.length > 0 ? hostServers : ['8.8.8.8', '8.8.4.4'];
  const servers = own.nameServer ? [NAME_SERVER] : own.dns.length > 0 ? own.dns : fallback;
  const search = own.search.length > 0 ? own.search.filter((domain) => domain !== '.') : resolvValues(host, 'search');
  const options = [...(own.options.length > 0 ? own.options : resolvValues(host, 'options'))];
  if (own.nameServer && !options.some((option) => option.startsWith('ndots:'))) options.push('ndots:0');
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
    '',
  ].join('\n');
}

/** Both files of a container. `gateway`: what `host-gateway` stands for. */
export function filesOf(input: {
  request: SandboxRequest;
  endpoints: readonly EndpointRecord[];
  linked: readonly (readonly [address: string, names: string])[];
  nameServer: boolean;
  hostMode: boolean;
  gateway: string;
}): { hostsFile: string; resolvConf: string } {
  const { request, endpoints, nameServer, hostMode, gateway } = input;
  const ownSettings = request.dns.length + request.dnsSearch.length + request.dnsOptions.length > 0;
  const host = readHostResolvConf();
  return {
    hostsFile: hostsFile({
      addresses: endpoints.map(({ address }) => address),
      hostname: request.hostname,
      domainname: request.domainname,
      linked: input.linked,
      extraHosts: request.extraHosts,
      gateway,
    }),
    resolvConf:
      hostMode && !ownSettings
        ? host
        : resolvConf(host, {
            dns: request.dns,
            search: request.dnsSearch,
            options: request.dnsOptions,
            nameServer,
          }),
  };
}
