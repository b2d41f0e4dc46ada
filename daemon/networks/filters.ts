import type { Filters } from '../../src/api/index.ts';
import { networkErrors } from '../errors/networks.ts';
import type { NetworkRecord } from './records.ts';

const PREDEFINED = ['bridge', 'host', 'none'];

function hasLabel(labels: Record<string, string>, wanted: string): boolean {
  const at = wanted.indexOf('=');
  const value = labels[at < 0 ? wanted : wanted.slice(0, at)];
  return value !== undefined && (at < 0 || value === wanted.slice(at + 1));
}

/** Milliseconds since the epoch of `until`: seconds since then, a duration back from now (1h30m), or a date. */
function moment(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  if (/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) {
    let back = 0;
    for (const [, count, unit] of text.matchAll(/([\d.]+)(h|ms|m|s)/g))
      back += Number(count) * (units[unit ?? ''] ?? 0);
    return Date.now() - back;
  }
  const date = Date.parse(text);
  if (Number.isNaN(date)) throw networkErrors.badFilter(`until=${text}`);
  return date;
}

/**
 * Filters of network ls and prune: one key's values are alternatives, keys and labels must all hold.
 * @throws EngineError for a filter that networks do not have
 */
export function matchesFilters(network: NetworkRecord, filters: Filters, inUse: boolean): boolean {
  const predefined = PREDEFINED.includes(network.name);
  return Object.entries(filters).every(([key, values]) => {
    switch (key) {
      case 'name':
        return values.some((value) => network.name.includes(value));
      case 'id':
        return values.some((value) => network.id.startsWith(value));
      case 'driver':
        return values.includes(network.driver);
      case 'scope':
        return values.includes('local');
      case 'type':
        return values.includes(predefined ? 'builtin' : 'custom');
      case 'dangling':
        return values.some((value) => (value === 'true' || value === '1') === (!predefined && !inUse));
      case 'label':
        return values.every((value) => hasLabel(network.labels, value));
      case 'label!':
        return values.every((value) => !hasLabel(network.labels, value));
      case 'until':
        return values.every((value) => Date.parse(network.created) < moment(value));
      default:
        throw networkErrors.badFilter(key);
    }
  });
}
