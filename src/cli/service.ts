/** galleyd as a service of systemd. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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

/** A word of ExecStart= (systemd.service(5), "Command lines"): quoted, with what systemd would replace written twice. */
const quoted = (word: string): string =>
  `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;

/** The text of the unit: `template` is assets/galleyd.service, whose placeholders get the program and galleyd's flags. */
export function unitText(template: string, program: string, flags: readonly string[]): string {
  const words = flags.map((flag) => ` ${quoted(flag)}`).join('');
  return template
    .replace('file:@GALLEY@', () => `file:${program}`)
    .replace('@GALLEY@', () => quoted(program))
    .replace('@FLAGS@', () => words);
}

/** The flags that the installed unit gives to galleyd. */
export function installedFlags(text: string = readFileSync(UNIT_PATH, 'utf8')): string[] {
  const line = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? '';
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] as string).replace(/\\(.)/g, '$1').replaceAll('%%', '%').replaceAll('$$', '$'),
  );
  return words.slice(1);
}
