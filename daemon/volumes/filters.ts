import { type Filters, hasLabel } from '../../src/api/index.ts';
import { volumeErrors } from '../errors/volumes.ts';

/**
 * Filters of volume ls and prune: one key's values are alternatives, keys and labels must all hold.
 * @throws EngineError for a filter that volumes do not have
 */
export function matchesFilters(
  volume: { name: string; labels: Record<string, string> },
  filters: Filters,
  inUse: boolean,
): boolean {
  return Object.entries(filters).every(([key, values]) => {
    switch (key) {
      case 'name':
        return values.some((value) => volume.name.includes(value));
      case 'driver':
        return values.includes('local');
      case 'dangling':
        return values.some((value) => {
          if (!['true', '1', 'false', '0'].includes(value)) throw volumeErrors.badFilterValue(key, value);
          return (value === 'true' || value === '1') === !inUse;
        });
      case 'label':
        return values.every((value) => hasLabel(volume.labels, value));
      case 'label!':
        return values.every((value) => !hasLabel(volume.labels, value));
      default:
        throw volumeErrors.badFilter(key);
    }
  });
}
