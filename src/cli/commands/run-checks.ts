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

export function checkDevice(value: string): void {
  const parts = value.split(':');
  if (parts.length > 3 || parts[0] === '') throw new Error(`bad format for path: ${value}`);
  const mode = parts.length === 3 ? (parts[2] as string) : undefined;
  if (mode !== undefined && !/^[rwm]{1,3}$/.test(mode)) throw new Error(`bad mode specified: ${mode}`);
}
