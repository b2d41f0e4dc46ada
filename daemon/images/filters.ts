/** The filters of `images` and `image prune` (field/engine-api.md section 1.3). */
import { type Filters, familiarName, familiarString, type ImageReference } from '../../src/api/index.ts';
import { imageErrors } from '../errors/images.ts';
import type { Catalog, ImageRecord } from './catalog.ts';

export const ZERO_TIME = '0001-01-01T00:00:00Z';

export function createdMs(image: ImageRecord): number {
  const time = Date.parse(image.config.created ?? ZERO_TIME);
  return Number.isNaN(time) ? Date.parse(ZERO_TIME) : time;
}

/** Go's path.Match: `*` and `?` stop at a slash, `[a-z]` classes, backslash escapes. */
export function globMatches(pattern: string, text: string): boolean {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] as string;
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[' && pattern.indexOf(']', at + 1) > 0) {
      const end = pattern.indexOf(']', at + 1);
      source += pattern.slice(at, end + 1).replace(/\\(?=[^\]\\^-])/g, '\\\\');
      at = end;
    } else {
      const literal = char === '\\' && at + 1 < pattern.length ? (pattern[(at += 1)] as string) : char;
      source += literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    }
  }
  try {
    return new RegExp(`^${source}$`, 'u').test(text);
  } catch {
    return false; // a class that means nothing matches nothing
  }
}

/** As `docker images --filter reference=`: the pattern holds for the short name, with or without the tag. */
export function referenceMatches(patterns: readonly string[], reference: ImageReference): boolean {
  const name = familiarName(reference);
  const full = familiarString(reference);
  return patterns.some((pattern) =>
    [full, name, `${name}:${reference.tag ?? ''}`].some((text) => globMatches(pattern, text)),
  );
}

const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** A moment as Docker's `until` takes it: RFC 3339, a date, Unix seconds, or a Go duration back from now. @throws EngineError */
export function parseUntil(value: string, nowMs = Date.now()): number {
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const pieces = [...value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|h|m|s)/g)];
  if (pieces.length > 0 && pieces.map((piece) => piece[0]).join('') === value)
    return nowMs - pieces.reduce((sum, piece) => sum + Number(piece[1]) * (UNIT_MS[piece[2] as string] as number), 0);
  const time = Date.parse(value);
  if (Number.isNaN(time) || !/^\d{4}-\d{2}-\d{2}/.test(value)) throw imageErrors.badUntil(value);
  return time;
}

function hasLabel(image: ImageRecord, wanted: string): boolean {
  const labels = image.config.config?.Labels ?? {};
  const equals = wanted.indexOf('=');
  return equals < 0 ? Object.hasOwn(labels, wanted) : labels[wanted.slice(0, equals)] === wanted.slice(equals + 1);
}

/** All filters but `reference`, which also decides which names are shown. @throws EngineError for a value that cannot be used. */
export function imageFilter(catalog: Catalog, filters: Filters): (image: ImageRecord) => boolean {
  const tests: ((image: ImageRecord) => boolean)[] = [];
  const before = (filters.before ?? []).map((name) => createdMs(catalog.need(name)));
  const since = (filters.since ?? []).map((name) => createdMs(catalog.need(name)));
  const until = (filters.until ?? []).map((value) => parseUntil(value));
  if (before.length > 0) tests.push((image) => before.every((time) => createdMs(image) < time));
  if (since.length > 0) tests.push((image) => since.every((time) => createdMs(image) > time));
  if (until.length > 0) tests.push((image) => until.every((time) => createdMs(image) < time));
  for (const wanted of filters.label ?? []) tests.push((image) => hasLabel(image, wanted));
  for (const wanted of filters['label!'] ?? []) tests.push((image) => !hasLabel(image, wanted));
  const dangling = filters.dangling ?? [];
  if (dangling.length > 0) {
    const wanted = dangling.map((value) => {
      if (['true', '1'].includes(value)) return true;
      if (['false', '0'].includes(value)) return false;
      throw imageErrors.badDangling(value);
    });
    tests.push((image) => wanted.includes(catalog.tagsOf(image.id).length === 0));
  }
  return (image) => tests.every((test) => test(image));
}
