import type { FlagSpec, FlagType } from '../types.ts';

/** A flag of the table: `flag('all', 'a', 'bool', 'show stopped containers too')`; the short form may be empty. */
export function flag(
  name: string,
  short: string,
  type: FlagType,
  help: string,
  more: Partial<Pick<FlagSpec, 'default' | 'check' | 'hidden' | 'instead' | 'since'>> = {},
): FlagSpec {
  return { name, ...(short ? { short } : {}), type, help, ...more };
}

export const FORMAT_LIST = flag('format', '', 'string', "table (default), json, a Go template, or 'table TEMPLATE'");
export const FORMAT_ONE = flag('format', 'f', 'string', 'json or a Go template');
export const NO_TRUNC = flag('no-trunc', '', 'bool', 'show ids and commands in full');
export const FILTER = flag('filter', 'f', 'filter', 'show only what matches KEY=VALUE; may be given several times', {
  check: (value) => {
    if (!value.includes('=')) throw new Error('bad format of filter (expected name=value)');
  },
});
export const DETACH_KEYS = flag(
  'detach-keys',
  '',
  'string',
  'keys that leave the container running (default ctrl-p,ctrl-q)',
);
export const ANY = Number.POSITIVE_INFINITY;
