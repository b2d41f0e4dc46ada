import { readFileSync } from 'node:fs';

const LOOPBACK = /^(127\.|::1$)/;

/** /etc/hosts as Docker writes it (field/engine-api.md section 2.9). `gateway` stands for `host-gateway`. */
export function hostsFile(input: {
  address: string;
  hostname: string;
  domainname: string;
  names: readonly string[];
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
  if (input.address !== '') {
    const full = input.domainname ? [`${input.hostname}.${input.domainname}`, input.hostname] : [input.hostname];
    lines.push(`${input.address}\t${[...new Set([...full, ...input.names])].join(' ')}`);
  }
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

/** /etc/resolv.conf for the default bridge: the host's without loopback servers, else public ones; the container's own settings win. */
export function resolvConf(
  host: string,
  own: { dns: readonly string[]; search: readonly string[]; options: readonly string[] },
): string {
  const values = (keyword: string) =>
    host
      .split('\n')
      .filter((line) => new RegExp(`^${keyword}\\s`).test(line))
      .flatMap((line) => line.trim().split(/\s+/).slice(1));
  const hostServers = values('nameserver').filter((server) => !LOOPBACK.test(server));
  const servers = own.dns.length > 0 ? own.dns : hostServers.length > 0 ? hostServers : ['8.8.8.8', '8.8.4.4'];
  const search = own.search.length > 0 ? own.search.filter((domain) => domain !== '.') : values('search');
  const options = own.options.length > 0 ? own.options : values('options');
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
    '',
  ].join('\n');
}
