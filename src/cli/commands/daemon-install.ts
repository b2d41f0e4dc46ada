import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { daemonArgs, endpointOf, execRootOf, runningDaemon, stopDaemon } from '../daemon-control.ts';
import { ExitError } from '../errors.ts';
import { systemctl, systemdRuns, UNIT, UNIT_PATH, unitText } from '../service.ts';
import type { CliContext, ParsedArgs } from '../types.ts';
import { serviceVerb } from './daemon-start.ts';

function unit(flags: readonly string[]): string {
  const folder = dirname(realpathSync(process.argv[1] ?? ''));
  const file = join(folder, '../assets/galleyd.service');
  if (!existsSync(file)) throw new ExitError(1, `the systemd unit is missing at ${file}: install galley again`);
  return unitText(readFileSync(file, 'utf8'), join(folder, '../bin/galley'), flags);
}

/** `galley daemon install`: a systemd unit, started now and at boot. A galleyd in the background makes room for it; containers run on. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  if (!systemdRuns()) {
    throw new ExitError(
      1,
      'systemd does not run on this host, so there is nothing to install into: start galleyd with "galley daemon start", or run "galley daemon" from your own init',
    );
  }
  if (process.getuid?.() !== 0) throw new ExitError(1, 'installing a service needs root: sudo galley daemon install');
  writeFileSync(UNIT_PATH, unit(daemonArgs(args)), { mode: 0o644 });
  systemctl('daemon-reload');
  const running = runningDaemon(execRootOf(args));
  if (running) await stopDaemon(running);
  systemctl('enable', UNIT);
  await serviceVerb({ ...context, out: () => undefined }, endpointOf(args, context.env), 'restart');
  context.out(`installed ${UNIT_PATH}; galleyd runs now and starts at boot\n`);
  return 0;
}
