import type { Filters } from '../../src/api/index.ts';

function hasLabel(labels: Record<string, string>, wanted: string): boolean {
  const at = wanted.indexOf('=');
  const value = labels[at < 0 ? wanted : wanted.slice(0, at)];
  return value !== undefined && (at < 0 || value === wanted.slice(at + 1));
}

/** Filters of volume ls and prune: one key's values are alternatives, keys and labels must all hold. */
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
        return values.some((value) => (value === 'true' || value === '1') === !inUse);
      case 'label':
        return values.every((value) => hasLabel(volume.labels, value));
      case 'label!':
        return values.every((value) => !hasLabel(volume.labels, value));
      default:
        return false;
    }
  });
}
