import { type Filters, hasLabel, parseTimestamp } from '../../src/api/index.ts';
import { networkErrors } from '../errors/networks.ts';
import type { NetworkRecord } from './records.ts';

const PREDEFINED = ['bridge', 'host', 'none'];

function moment(text: string): number {
  const at = parseTimestamp(text);
  if (at === undefined) throw networkErrors.badFilter(`until=${text}`);
  return at;
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
        for (const value of values)
          if (value !== 'builtin' && value !== 'custom') throw networkErrors.badFilter(`type'='${value}`);
        return values.includes(predefined ? 'builtin' : 'custom');
      case 'dangling':
        return values.some((value) => {
          if (!['true', '1', 'false', '0'].includes(value)) throw networkErrors.badFilterValue(key, value);
          return (value === 'true' || value === '1') === (!predefined && !inUse);
        });
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
