/** Checks of single flag values, made while parsing so that the message names the flag. They throw Docker's words. */

import { parseMount } from '../run/mount-flag.ts';
import { parseUlimit } from '../run/values.ts';

export function checkAttach(value: string): void {
  if (!/^(stdin|stdout|stderr)$/i.test(value)) throw new Error('valid streams are STDIN, STDOUT and STDERR');
}

export function checkEnv(value: string): void {
  if (value === '' || value.startsWith('=')) throw new Error(`invalid environment variable: ${value}`);
}

export function checkLabelLike(value: string): void {
  if (!value.includes('=')) throw new Error(`${value} must be formatted as key=value`);
}

export function checkAddHost(value: string): void {
  const match = /^([^:=]+)[:=](.+)$/.exec(value);
  if (!match) throw new Error(`bad format for add-host: ${JSON.stringify(value)}`);
  const ip = (match[2] as string).replace(/^\[(.*)\]$/, '$1');
  if (ip !== 'host-gateway' && !/^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(%\w+)?)$/.test(ip)) {
    throw new Error(`invalid IP address in add-host: ${JSON.stringify(ip)}`);
  }
}

export function checkUlimit(value: string): void {
  parseUlimit(value);
}

export function checkMount(value: string): void {
  parseMount(value);
}

export function checkDeviceRule(value: string): void {
  if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(value))
    throw new Error(`invalid device cgroup format '${value}'`);
}

const SYSCTLS = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** Only parameters that belong to a namespace: any other would change the host. */
export function checkSysctl(value: string): void {
  const [name = '', ...rest] = value.split('=');
  const own = SYSCTLS.has(name) || /^(net|fs\.mqueue)\./.test(name);
  if (rest.length === 0 || !own) throw new Error(`sysctl '${value}' is not allowed`);
}
