import { labelsOf } from '../run/values.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley network connect` and `disconnect`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [network, Container] = args.positionals as [string, string];
  const path = `/networks/${encodeURIComponent(network)}`;
  const client = await context.client();
  if (args.command.name === 'network disconnect') {
    await client.text('POST', `${path}/disconnect`, { body: { Container, Force: args.bool('force') } });
    return 0;
  }
  const address = {
    ...(args.string('ip') ? { IPv4Address: args.string('ip') } : {}),
    ...(args.string('ip6') ? { IPv6Address: args.string('ip6') } : {}),
    ...(args.has('link-local-ip') ? { LinkLocalIPs: args.list('link-local-ip') } : {}),
  };
  const EndpointConfig = {
    IPAMConfig: Object.keys(address).length > 0 ? address : null,
    Links: args.has('link') ? args.list('link') : null,
    Aliases: args.has('alias') ? args.list('alias') : null,
    DriverOpts: args.has('driver-opt') ? labelsOf(args.list('driver-opt')) : null,
    ...(args.has('gw-priority') ? { GwPriority: args.number('gw-priority') } : {}),
  };
  await client.text('POST', `${path}/connect`, { body: { Container, EndpointConfig } });
  return 0;
}
