import { ExitError, errorText } from '../errors.ts';
import { bytes } from '../run/body.ts';
import { parseCpus, parseRestart } from '../run/values.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley update`: limits and restart policy of containers as they are; a line for each that has them. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  if (!args.command.flags.some((flag) => args.has(flag.name)))
    throw new ExitError(1, 'you must provide one or more flags when using this command');
  const int = (name: string) => args.number(name) ?? 0;
  // An engine leaves as it is what is 0 or empty.
  const body = {
    BlkioWeight: int('blkio-weight'),
    CpuPeriod: int('cpu-period'),
    CpuQuota: int('cpu-quota'),
    CpuRealtimePeriod: int('cpu-rt-period'),
    CpuRealtimeRuntime: int('cpu-rt-runtime'),
    CpuShares: int('cpu-shares'),
    NanoCpus: parseCpus(args.string('cpus')),
    CpusetCpus: args.string('cpuset-cpus'),
    CpusetMems: args.string('cpuset-mems'),
    Memory: bytes(args.string('memory')),
    MemoryReservation: bytes(args.string('memory-reservation')),
    MemorySwap: bytes(args.string('memory-swap')),
    ...(args.has('pids-limit') ? { PidsLimit: int('pids-limit') } : {}),
    ...(args.has('restart') ? { RestartPolicy: parseRestart(args.string('restart')) } : {}),
  };
  const client = await context.client();
  const failures: string[] = [];
  for (const name of args.positionals) {
    try {
      const path = `/containers/${encodeURIComponent(name)}/update`;
      const { Warnings } = await client.json<{ Warnings: string[] | null }>('POST', path, { body });
      context.out(`${name}\n`);
      for (const warning of Warnings ?? []) context.err(`WARNING: ${warning}\n`);
    } catch (error) {
      failures.push(errorText(error));
    }
  }
  if (failures.length > 0) throw new ExitError(1, failures.join('\n'));
  return 0;
}
