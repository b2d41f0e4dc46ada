import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ExitError } from '../errors.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

export const UNIT_PATH = '/etc/systemd/system/galleyd.service';

/** True when systemd is the running init, not merely installed. */
export const systemdRuns = (): boolean => existsSync('/run/systemd/system');

/** Runs systemctl. @throws ExitError with its words. */
export function systemctl(...args: string[]): void {
  const result = spawnSync('systemctl', args, { encoding: 'utf8' });
  if (result.status !== 0)
    throw new ExitError(
      1,
      `systemctl ${args.join(' ')} failed: ${(result.stderr || result.error?.message || '').trim()}`,
    );
}

function unitText(): string {
  const folder = dirname(realpathSync(process.argv[1] ?? ''));
  const file = join(folder, '../assets/galleyd.service');
  if (!existsSync(file)) throw new ExitError(1, `the systemd unit is missing at ${file}: install galley again`);
  // The unit in assets names the program by a placeholder; here it gets the one that runs now.
  return readFileSync(file, 'utf8').replaceAll('@GALLEY@', join(folder, '../bin/galley'));
}

/** `galley daemon install`: a systemd unit, started now and at boot. */
export async function run(context: CliContext, _args: ParsedArgs): Promise<number> {
  if (!systemdRuns()) {
    throw new ExitError(
      1,
      'systemd does not run on this host, so there is nothing to install into: start galleyd with "galley daemon start", or run "galley daemon" from your own init',
    );
  }
  if (process.getuid?.() !== 0) throw new ExitError(1, 'installing a service needs root: sudo galley daemon install');
  writeFileSync(UNIT_PATH, unitText(), { mode: 0o644 });
  systemctl('daemon-reload');
  systemctl('enable', '--now', 'galleyd.service');
  context.out(`installed ${UNIT_PATH}; galleyd runs now and starts at boot\n`);
  return 0;
}
