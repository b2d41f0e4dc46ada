import type { Filters } from '../../src/api/index.ts';
import { requestErrors } from '../errors/index.ts';

/** Docker's booleans in a query: everything but these is true (field/engine-api.md section 1.1). */
const FALSE = new Set(['', '0', 'no', 'false', 'none']);

export function flag(query: URLSearchParams, name: string, fallback = false): boolean {
  const value = query.get(name);
  return value === null ? fallback : !FALSE.has(value.trim().toLowerCase());
}

/** @throws EngineError 400 when the value is not a whole number within the bounds. */
export function integer(
  query: URLSearchParams,
  name: string,
  fallback: number,
  min = Number.MIN_SAFE_INTEGER,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const text = query.get(name);
  if (text === null || text === '') return fallback;
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw requestErrors.badParameter(name, text, 'not a whole number');
  if (value < min || value > max) throw requestErrors.badParameter(name, text, `not between ${min} and ${max}`);
  return value;
}

/**
 * A time as Unix seconds with an optional fraction (`1700000000.000000001`), or RFC 3339; in nanoseconds.
 * @throws EngineError 400
 */
export function timestamp(query: URLSearchParams, name: string): bigint | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const unix = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (unix) {
    const seconds = BigInt(unix[1] as string) * 1_000_000_000n;
    const fraction = BigInt((unix[2] ?? '').padEnd(9, '0') || '0');
    const nanos = text.startsWith('-') ? seconds - fraction : seconds + fraction;
    if (BigInt.asIntN(64, nanos) !== nanos)
      throw requestErrors.badParameter(name, text, 'a time beyond what 64 bits hold');
    return nanos;
  }
  const rfc = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  const millis = rfc ? Date.parse(`${rfc[1]}${rfc[3] ?? 'Z'}`) : Number.NaN;
  if (!rfc || Number.isNaN(millis)) throw requestErrors.badParameter(name, text, 'not a Unix time or an RFC 3339 date');
  return BigInt(millis) * 1_000_000n + BigInt((rfc[2] ?? '').padEnd(9, '0') || '0');
}

/**
 * The `filters` parameter in both encodings: `{"status":{"exited":true}}` (Go clients) and `{"status":["exited"]}` (docker-py, dockerode).
 * @throws EngineError 400 for anything else and for a name that is not in `known`.
 */
export function filters(query: URLSearchParams, known: readonly string[] | 'any'): Filters {
  const text = query.get('filters');
  if (text === null || text === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw requestErrors.malformedFilters(text);
  }
  if (parsed === null) return {};
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw requestErrors.malformedFilters(text);
  const result: Filters = {};
  for (const [key, value] of Object.entries(parsed)) {
    if (known !== 'any' && !known.includes(key)) throw requestErrors.badFilter(key);
    if (Array.isArray(value) && value.every((v): v is string => typeof v === 'string')) result[key] = value;
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      result[key] = Object.entries(value).flatMap(([k, on]) => (on === true ? [k] : []));
    else throw requestErrors.malformedFilters(text);
  }
  return result;
}
