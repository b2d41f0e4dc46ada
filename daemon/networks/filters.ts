import type { Filters } from '../../src/api/index.ts';
import type { NetworkRecord } from './records.ts';

const PREDEFINED = ['bridge', 'host', 'none'];

function hasLabel(labels: Record<string, string>, wanted: string): boolean {
  const at = wanted.indexOf('=');
  const value = labels[at < 0 ? wanted : wanted.slice(0, at)];
  return value !== undefined && (at < 0 || value === wanted.slice(at + 1));
}

/** Filters of network ls and prune: one key's values are alternatives, keys and labels must all hold. */
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
        return values.every(
          (value) => Date.parse(network.created) < (/^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value)),
        );
      default:
        return false;
    }
  });
}
