/** What every list of the engine filters by in the same way: labels and moments. */
import { parseDuration } from './durations.ts';

/** `key` (present, whatever its value) or `key=value` against an object's labels. */
export function hasLabel(labels: Readonly<Record<string, string>> | null | undefined, wanted: string): boolean {
  const at = wanted.indexOf('=');
  const key = at < 0 ? wanted : wanted.slice(0, at);
  if (!labels || !Object.hasOwn(labels, key)) return false;
  return at < 0 || labels[key] === wanted.slice(at + 1);
}

/** Docker's time parameters (`until` of prune): Unix seconds, RFC 3339, or a Go duration back from now. Milliseconds since 1970. */
export function parseTimestamp(text: string, now = Date.now()): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  try {
    return now - parseDuration(text) / 1e6;
  } catch {
    // Not a duration: a date then.
  }
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
