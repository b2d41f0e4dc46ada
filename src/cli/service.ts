/** galleyd as a service of systemd. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ExitError } from './errors.ts';

export const UNIT = 'galleyd.service';
export const UNIT_PATH = `/etc/systemd/system/${UNIT}`;

/** True when systemd is the running init, not merely installed. */
export const systemdRuns = (): boolean => existsSync('/run/systemd/system');

/** True where systemd is who starts and stops galleyd. */
export const isService = (): boolean => systemdRuns() && existsSync(UNIT_PATH);

/** Runs systemctl. @throws ExitError with its words. */
export function systemctl(...args: string[]): void {
  const result = spawnSync('systemctl', args, { encoding: 'utf8' });
  if (result.status !== 0)
    throw new ExitError(
      1,
      `systemctl ${args.join(' ')} failed: ${(result.stderr || result.error?.message || '').trim()}`,
    );
}
