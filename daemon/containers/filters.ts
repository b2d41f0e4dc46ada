import { type ContainerSummary, type Filters, hasLabel } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import type { ContainerRecord } from './record.ts';
import { stateOf, statusOf } from './status.ts';

/** What `docker ps --filter` knows. */
export const CONTAINER_FILTERS: readonly string[] = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'isolation',
  'is-task',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];
/** What a prune knows. */
export const PRUNE_FILTERS: readonly string[] = ['label', 'label!', 'until'];
const STATUSES = new Set(['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']);
const HEALTH = new Set(['none', 'starting', 'healthy', 'unhealthy']);

/** What a filter must ask of others, resolved once a list. */
export interface FilterLookups {
  /** Image ids that an `ancestor` value means. */
  ancestors(reference: string): ReadonlySet<string>;
  /** Creation time and id of a container, for `before` and `since`. @throws EngineError 404 */
  container(reference: string): ContainerRecord;
  networkNames(record: ContainerRecord): readonly string[];
  /** Computed only when a filter on ports asks. */
  ports(record: ContainerRecord): ContainerSummary['Ports'];
}

type Test = (record: ContainerRecord) => boolean;

/** `80`, `80/tcp`, `80-90/udp`. @throws EngineError 400 */
function portTest(name: string, value: string): (port: number, protocol: string) => boolean {
  const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(value);
  if (!match) throw containerErrors.badFilterValue(name, value);
  const [, from, to, protocol] = match;
  return (port, type) =>
    port >= Number(from) && port <= Number(to ?? from) && (protocol === undefined ? type === 'tcp' : type === protocol);
}

/** Docker matches names as regular expressions on `/name` and `name`; text that is no expression matches literally. */
function nameTest(value: string): (name: string) => boolean {
  try {
    const pattern = new RegExp(value);
    return (name) => pattern.test(`/${name}`) || pattern.test(name);
  } catch {
    return (name) => `/${name}`.includes(value);
  }
}

/**
 * One predicate from a list's filters: values of one key are alternatives, keys must all hold, labels must all hold.
 * @throws EngineError 400 for an unknown filter or a value that cannot be, 404 for an absent before/since.
 */
export function compileFilters(filters: Filters, lookups: FilterLookups): Test {
  const tests: Test[] = [];
  for (const [key, values] of Object.entries(filters)) {
    if (!CONTAINER_FILTERS.includes(key)) throw containerErrors.badFilter(key);
    if (values.length === 0) continue;
    tests.push(compileOne(key, values, lookups));
  }
  return (record) => tests.every((test) => test(record));
}

function compileOne(key: string, values: string[], lookups: FilterLookups): Test {
  const some = (make: (value: string) => Test): Test => {
    const all = values.map(make);
    return (record) => all.some((test) => test(record));
  };
  switch (key) {
    case 'ancestor': {
      const ids = new Set(values.flatMap((value) => [...lookups.ancestors(value)]));
      return (record) => ids.has(record.imageId) || values.includes(record.config.Image);
    }
    case 'before':
    case 'since': {
      const marks = values.map((value) => lookups.container(value));
      return (record) =>
        marks.every((mark) => {
          if (record.id === mark.id) return false;
          return key === 'before' ? record.created < mark.created : record.created > mark.created;
        });
    }
    case 'exited':
      for (const value of values) if (!/^-?\d+$/.test(value)) throw containerErrors.badFilterValue(key, value);
      return (record) => record.status === 'exited' && values.includes(String(record.exitCode));
    case 'status':
      for (const value of values) if (!STATUSES.has(value)) throw containerErrors.badFilterValue(key, value);
      return (record) => values.includes(statusOf(record));
    case 'health':
      for (const value of values) if (!HEALTH.has(value)) throw containerErrors.badFilterValue(key, value);
      return (record) => values.includes(record.health?.Status ?? 'none');
    case 'id':
      return some((value) => (record) => record.id.startsWith(value) || nameTest(value)(record.id));
    case 'name':
      return some((value) => {
        const test = nameTest(value);
        return (record) => test(record.name);
      });
    case 'label':
      return (record) => values.every((value) => hasLabel(record.config.Labels, value));
    case 'network':
      return (record) => lookups.networkNames(record).some((name) => values.includes(name));
    case 'volume':
      return (record) =>
        record.mounts.some((mount) => values.some((value) => value === mount.Name || value === mount.Destination));
    case 'publish':
      return some((value) => {
        const test = portTest(key, value);
        return (record) =>
          lookups.ports(record).some((port) => port.PublicPort !== undefined && test(port.PublicPort, port.Type));
      });
    case 'expose':
      return some((value) => {
        const test = portTest(key, value);
        return (record) =>
          Object.keys(record.config.ExposedPorts ?? {}).some((entry) => {
            const [port = '', protocol = 'tcp'] = entry.split('/');
            const [from, to] = port.split('-').map(Number);
            for (let p = from as number; p <= (to ?? (from as number)); p += 1) if (test(p, protocol)) return true;
            return false;
          });
      });
    case 'is-task':
      for (const value of values)
        if (!['true', 'false', '1', '0'].includes(value)) throw containerErrors.badFilterValue(key, value);
      return () => values.some((value) => value === 'false' || value === '0'); // there are no swarm tasks here
    default:
      return () => true; // isolation exists on Windows only
  }
}

/** Without `all`, only what runs shows, unless a filter on state asks for more. */
export function impliesAll(filters: Filters): boolean {
  return ['status', 'exited', 'before', 'since'].some((key) => (filters[key]?.length ?? 0) > 0);
}

export function isListedByDefault(record: ContainerRecord): boolean {
  return stateOf(record).Running;
}
