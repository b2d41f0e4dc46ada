import type { EndpointSettings } from '../../api/containers.ts';
import type { ParsedArgs } from '../types.ts';

export interface NetworkChoice {
  mode: string;
  endpoints: Record<string, EndpointSettings>;
}

interface Attachment {
  target: string;
  aliases: string[];
  settings: EndpointSettings;
}

const EMPTY: EndpointSettings = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  MacAddress: '',
  DriverOpts: null,
  GwPriority: 0,
  NetworkID: '',
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};

/** `--network NAME` or `--network name=NAME,alias=…,ip=…`. */
function parseNetwork(text: string): Attachment {
  if (!text.includes('=')) {
    if (text === '') throw new Error('no name set for network');
    return { target: text, aliases: [], settings: {} };
  }
  const attachment: Attachment = { target: '', aliases: [], settings: {} };
  const ipam: Record<string, string | string[]> = {};
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    if (equals < 0) throw new Error(`invalid network config: invalid field '${field}' must be a key=value pair`);
    const key = field.slice(0, equals).trim().toLowerCase();
    const value = field.slice(equals + 1).trim();
    if (key === 'name') attachment.target = value;
    else if (key === 'alias') attachment.aliases.push(value);
    else if (key === 'ip') ipam['IPv4Address'] = value;
    else if (key === 'ip6') ipam['IPv6Address'] = value;
    else if (key === 'link-local-ip') ipam['LinkLocalIPs'] = [...((ipam['LinkLocalIPs'] as string[]) ?? []), value];
    else if (key === 'mac-address') attachment.settings.MacAddress = value;
    else if (key === 'gw-priority') attachment.settings.GwPriority = Number(value);
    else if (key === 'driver-opt') {
      const [name = '', ...rest] = value.split('=');
      attachment.settings.DriverOpts = { ...attachment.settings.DriverOpts, [name]: rest.join('=') };
    } else throw new Error(`invalid field key ${key}`);
  }
  if (attachment.target === '') throw new Error('no name set for network');
  if (Object.keys(ipam).length > 0) attachment.settings.IPAMConfig = ipam;
  return attachment;
}

const isUserDefined = (mode: string) => !/^(bridge|host|none|default|container:.*)$/.test(mode);

/** The network flags as HostConfig.NetworkMode and EndpointsConfig. @throws Error for combinations that cannot be. */
export function networksOf(args: ParsedArgs): NetworkChoice {
  const named = [...args.list('network'), ...args.list('net')];
  const attachments = named.map(parseNetwork);
  if (attachments.length > 1 && attachments.some((one) => /^(host|none|container:.*)$/.test(one.target))) {
    throw new Error('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
  }
  const first = attachments[0] ?? { target: 'default', aliases: [], settings: {} };
  if (attachments.length === 0) attachments.push(first);
  first.aliases.push(...args.list('network-alias'), ...args.list('net-alias'));
  const address: Record<string, string | string[]> = {};
  if (args.string('ip')) address['IPv4Address'] = args.string('ip');
  if (args.string('ip6')) address['IPv6Address'] = args.string('ip6');
  if (args.list('link-local-ip').length > 0) address['LinkLocalIPs'] = args.list('link-local-ip');
  if (Object.keys(address).length > 0) first.settings.IPAMConfig = { ...first.settings.IPAMConfig, ...address };
  if (args.string('mac-address')) first.settings.MacAddress = args.string('mac-address');
  if (args.list('link').length > 0 && isUserDefined(first.target)) first.settings.Links = args.list('link');
  // A namespace that is shared or absent has no endpoint, unless flags ask for one (the engine then says no).
  if (
    /^(host|none|container:.*)$/.test(first.target) &&
    Object.keys(first.settings).length + first.aliases.length === 0
  ) {
    return { mode: first.target, endpoints: {} };
  }
  const endpoints: Record<string, EndpointSettings> = {};
  for (const { target, aliases, settings } of attachments) {
    if (endpoints[target]) throw new Error(`network ${JSON.stringify(target)} is specified multiple times`);
    endpoints[target] = { ...EMPTY, ...settings, Aliases: aliases.length > 0 ? aliases : null };
  }
  return { mode: first.target, endpoints };
}
