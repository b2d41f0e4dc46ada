/** Single values of run's flags, in the forms people write them. Each throws Docker's words. */
import { readFileSync } from 'node:fs';
import type { DeviceMapping, RestartPolicy, StringMap, Ulimit } from '../../api/containers.ts';
import { parseBytes } from '../../format/units.ts';

/** `NAME=SOFT[:HARD]`. */
export function parseUlimit(text: string): Ulimit {
  const match = /^([^=]+)=([^:]+)(?::(.+))?$/.exec(text);
  if (!match) throw new Error(`invalid ulimit argument: ${text}`);
  const name = match[1] as string;
  if (!ULIMITS.has(name)) throw new Error(`invalid ulimit type: ${name}`);
  const number = (value: string): number => {
    if (!/^-?\d+$/.test(value)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    return Number(value);
  };
  const soft = number(match[2] as string);
  const hard = match[3] === undefined ? soft : number(match[3]);
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { Name: name, Hard: hard, Soft: soft };
}

const ULIMITS = new Set([
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
]);

/** `KEY=VALUE` lines to a map; `KEY` alone is an empty value. */
export function labelsOf(list: readonly string[]): StringMap {
  const map: StringMap = {};
  for (const one of list) {
    const equals = one.indexOf('=');
    map[equals < 0 ? one : one.slice(0, equals)] = equals < 0 ? '' : one.slice(equals + 1);
  }
  return map;
}

const ERRNO_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  EACCES: 'permission denied',
};

/** Why a file could not be opened, in Go's words. */
export function fileFailure(path: string, error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return `open ${path}: ${ERRNO_WORDS[code] ?? message}`;
}

function fileLines(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(fileFailure(path, error));
  }
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** --label-file and --label: the flags win. */
export function readLabels(files: readonly string[], list: readonly string[]): StringMap {
  return labelsOf([...files.flatMap(fileLines), ...list]);
}

/** --env-file and --env; a bare NAME takes its value from `env` or is left out when that has none. */
export function readEnvironment(files: readonly string[], list: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const fromFile = (line: string): string[] => {
    const equals = line.indexOf('=');
    const name = equals < 0 ? line.trim() : line.slice(0, equals);
    if (name === '') throw new Error(`no variable name on line '${line}'`);
    if (/\s/.test(name)) throw new Error(`variable '${name}' contains whitespaces`);
    if (equals >= 0) return [line];
    return env[name] === undefined ? [] : [`${name}=${env[name]}`];
  };
  const fromFlag = (one: string) => (one.includes('=') || env[one] === undefined ? [one] : [`${one}=${env[one]}`]);
  return [...files.flatMap((path) => fileLines(path).flatMap(fromFile)), ...list.flatMap(fromFlag)];
}

/** `no`, `always`, `unless-stopped`, `on-failure[:MAX]`. */
export function parseRestart(text: string): RestartPolicy {
  if (text === '') return { Name: '', MaximumRetryCount: 0 };
  const [name = '', count, ...more] = text.split(':');
  if (more.length > 0) throw new Error('invalid restart policy format');
  if (name === '') throw new Error('invalid restart policy format: no policy provided before colon');
  if (count !== undefined && !/^\d+$/.test(count))
    throw new Error('invalid restart policy format: maximum retry count must be an integer');
  // The engine knows which names there are; it answers 400 for another.
  return { Name: name, MaximumRetryCount: Number(count ?? 0) };
}

/** `PATH[:TARGET][:rwm]`. */
export function parseDevice(text: string): DeviceMapping {
  const parts = text.split(':');
  const [source = '', second, third] = parts;
  if (parts.length > 3 || source === '') throw new Error(`bad format for path: ${text}`);
  const isMode = (value: string | undefined) => value !== undefined && /^[rwm]{1,3}$/.test(value);
  if (third !== undefined && !isMode(third)) throw new Error(`bad mode specified: ${third}`);
  if (third !== undefined) return { PathOnHost: source, PathInContainer: second || source, CgroupPermissions: third };
  if (isMode(second)) return { PathOnHost: source, PathInContainer: source, CgroupPermissions: second as string };
  return { PathOnHost: source, PathInContainer: second || source, CgroupPermissions: 'rwm' };
}

/** CPUs to billionths: 1.5 is 1_500_000_000. */
export function parseCpus(text: string): number {
  return text === '' ? 0 : Math.round(Number(text) * 1e9);
}

/** Capability names as Docker sends them: `CAP_` in front, upper case, ALL alone stays. */
export function capabilities(list: readonly string[]): string[] | null {
  if (list.length === 0) return null;
  const full = list.map((one) => {
    const upper = one.trim().toUpperCase();
    return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  });
  return [...new Set(full)].sort();
}

export interface SecurityOptions {
  options: string[] | null;
  /** `systempaths=unconfined`: empty lists, else the engine's defaults. */
  unmasked: boolean;
}

/** --security-opt: a seccomp profile's file is sent as its text. */
export function securityOptions(list: readonly string[]): SecurityOptions {
  const options: string[] = [];
  let unmasked = false;
  for (const one of list) {
    const [key, ...rest] = one.split(/[=:]/);
    if (one === 'systempaths=unconfined') {
      unmasked = true;
      continue;
    }
    if (rest.length === 0 && key !== 'no-new-privileges')
      throw new Error(`Invalid --security-opt: ${JSON.stringify(one)}`);
    const value = one.slice((key as string).length + 1);
    if (key === 'seccomp' && value !== 'unconfined' && value !== 'builtin')
      options.push(`seccomp=${seccompProfile(value)}`);
    else options.push(one);
  }
  return { options: list.length === 0 ? null : options, unmasked };
}

function seccompProfile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`opening seccomp profile (${path}) failed: ${(error as Error).message}`);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw new Error(`compacting json for seccomp profile (${path}) failed: ${(error as Error).message}`);
  }
}

export interface DeviceRate {
  Path: string;
  Rate: number;
}

/** `PATH:RATE`, with units for bytes. */
export function parseRate(text: string, bytes: boolean): DeviceRate {
  const colon = text.lastIndexOf(':');
  const path = text.slice(0, colon);
  if (colon < 1 || !path.startsWith('/dev/')) throw new Error(`bad format: ${text}`);
  const value = text.slice(colon + 1);
  if (!bytes && !/^\d+$/.test(value)) {
    throw new Error(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`,
    );
  }
  return { Path: path, Rate: bytes ? parseBytes(value) : Number(value) };
}
