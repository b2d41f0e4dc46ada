import { compareVersions } from '../../api/version.ts';
import { ExitError } from '../errors.ts';
import { labelsOf } from '../run/values.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

interface Pool {
  Subnet: string;
  Gateway?: string;
  IPRange?: string;
  AuxiliaryAddresses?: Record<string, string>;
}

const toNumber = (ip: string) => ip.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);

/** Whether an IPv4 address (or CIDR) lies in a subnet; IPv6 is told apart by its colons only, the engine checks the rest. */
function contains(subnet: string, address: string): boolean {
  const [base = '', bits = '32'] = subnet.split('/');
  const ip = address.split('/')[0] as string;
  if (base.includes(':') || ip.includes(':')) return base.includes(':') && ip.includes(':');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(toNumber(base) / size) === Math.floor(toNumber(ip) / size);
}

/** Several values in one flag, as Docker takes them. */
const commas = (args: ParsedArgs, name: string) => args.list(name).flatMap((one) => one.split(','));

function pools(args: ParsedArgs): Pool[] {
  const list: Pool[] = commas(args, 'subnet').map((Subnet) => ({ Subnet }));
  const owner = (address: string, what: string): Pool => {
    const pool = list.find((one) => contains(one.Subnet, address));
    if (!pool) throw new ExitError(1, `no matching subnet for ${what} ${address}`);
    return pool;
  };
  for (const range of commas(args, 'ip-range')) owner(range, 'range').IPRange = range;
  for (const gateway of commas(args, 'gateway')) owner(gateway, 'gateway').Gateway = gateway;
  for (const [name, address] of Object.entries(labelsOf(args.list('aux-address')))) {
    const pool = owner(address, 'aux-address');
    pool.AuxiliaryAddresses = { ...pool.AuxiliaryAddresses, [name]: address };
  }
  return list;
}

/** `galley network create`: prints the id. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const body = {
    Name: args.positionals[0],
    Driver: args.string('driver'),
    Scope: args.string('scope'),
    EnableIPv4: args.has('ipv4') ? args.bool('ipv4') : undefined,
    EnableIPv6: args.has('ipv6') ? args.bool('ipv6') : undefined,
    IPAM: { Driver: args.string('ipam-driver'), Options: labelsOf(args.list('ipam-opt')), Config: pools(args) },
    Internal: args.bool('internal'),
    Attachable: args.bool('attachable'),
    Ingress: args.bool('ingress'),
    ConfigOnly: args.bool('config-only'),
    ...(args.string('config-from') ? { ConfigFrom: { Network: args.string('config-from') } } : {}),
    Options: labelsOf(args.list('opt')),
    Labels: labelsOf(args.list('label')),
  };
  const client = await context.client();
  // Older engines make a second network of the same name unless asked not to.
  const old = compareVersions(await client.apiVersion(), '1.44') < 0;
  const { Id, Warning } = await client.json<{ Id: string; Warning?: string }>('POST', '/networks/create', {
    body: old ? { ...body, CheckDuplicate: true } : body,
  });
  if (Warning) context.err(`WARNING: ${Warning}\n`);
  context.out(`${Id}\n`);
  return 0;
}
