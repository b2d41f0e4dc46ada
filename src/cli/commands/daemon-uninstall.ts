import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { daemonArgs, execRootOf, runningDaemon, stopDaemon } from '../daemon-control.ts';
import { daemonProgram, logFileOf } from '../engine-start.ts';
import { ExitError } from '../errors.ts';
import { confirm } from '../prompt.ts';
import { installedFlags, isService, systemctl, UNIT, UNIT_PATH } from '../service.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley daemon uninstall [--purge]`: takes the service away; with --purge everything galleyd made on this host. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const purge = args.bool('purge');
  if (process.getuid?.() !== 0) throw new ExitError(1, 'uninstalling needs root: sudo galley daemon uninstall');
  const question = 'This removes every container, image, volume and network of galley on this host. Continue?';
  if (purge && !args.bool('force') && !(await confirm(question))) return 1;
  // What the service was told is what a purge must know.
  const flags = daemonArgs(args);
  if (isService() && flags.length === 0) flags.push(...installedFlags());
  if (isService()) {
    systemctl('disable', '--now', UNIT);
    rmSync(UNIT_PATH, { force: true });
    systemctl('daemon-reload');
    context.out(`removed ${UNIT_PATH}\n`);
  } else if (!purge) context.out('galleyd is not installed as a service\n');
  if (!purge) return 0;
  const identity = runningDaemon(execRootOf(args));
  if (identity) await stopDaemon(identity);
  const [program, ...rest] = daemonProgram();
  const result = spawnSync(program, [...rest, '--purge', ...flags, `--log-file=${logFileOf(flags)}`], {
    stdio: ['ignore', 2, 2],
    env: context.env,
  });
  if (result.status !== 0)
    throw new ExitError(1, `galleyd --purge failed (${result.error?.message ?? `exit code ${result.status}`})`);
  context.out('purged: nothing of galleyd is left on this host\n');
  return 0;
}
