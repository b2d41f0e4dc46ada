import type { NetworkResource } from '../../api/networks.ts';
import { compareNatural } from '../../format/natural.ts';
import { filtersOf, listText, type Row } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

const HEADERS = {
  ID: 'NETWORK ID',
  Name: 'NAME',
  Driver: 'DRIVER',
  Scope: 'SCOPE',
  IPv4: 'IPV4',
  IPv6: 'IPV6',
  Internal: 'INTERNAL',
  Labels: 'LABELS',
  Label: 'LABEL',
  CreatedAt: 'CREATED AT',
};

function networkRow(network: NetworkResource, trunc: boolean): Row {
  const labels = network.Labels ?? {};
  return {
    ID: trunc ? network.Id.slice(0, 12) : network.Id,
    Name: network.Name,
    Driver: network.Driver,
    Scope: network.Scope,
    IPv4: String(network.EnableIPv4 ?? false),
    IPv6: String(network.EnableIPv6 ?? false),
    Internal: String(network.Internal),
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (name = '') => labels[name] ?? '',
    CreatedAt: network.Created.replace(/^([^T]+)T([^Z]+)Z$/, '$1 $2 +0000 UTC'),
  };
}

/** `galley network ls`, by name. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const networks = await client.listNetworks({ filters: filtersOf(args.list('filter')) });
  networks.sort((a, b) => compareNatural(a.Name, b.Name));
  const rows = networks.map((network) => networkRow(network, !args.bool('no-trunc')));
  context.out(
    listText(
      {
        headers: HEADERS,
        columns: ['ID', 'Name', 'Driver', 'Scope'],
        rows,
        format: args.string('format'),
        methods: ['Label'],
        type: '*network.networkContext',
        raw: [
          ['network_id', 'ID'],
          ['name', 'Name'],
          ['driver', 'Driver'],
          ['scope', 'Scope'],
        ],
      },
      args.bool('quiet'),
      'ID',
    ),
  );
  return 0;
}
