/** The filters of `images` and `image prune` (field/engine-api.md section 1.3). */
import {
  type Filters,
  familiarName,
  familiarString,
  hasLabel,
  type ImageReference,
  parseTimestamp,
} from '../../src/api/index.ts';
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

/** A moment as Docker's `until` takes it. @throws EngineError */
export function parseUntil(value: string, nowMs = Date.now()): number {
  const time = parseTimestamp(value, nowMs);
  if (time === undefined) throw imageErrors.badUntil(value);
  return time;
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
  for (const wanted of filters.label ?? []) tests.push((image) => hasLabel(image.config.config?.Labels, wanted));
  for (const wanted of filters['label!'] ?? []) tests.push((image) => !hasLabel(image.config.config?.Labels, wanted));
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
