import { containerErrors } from '../errors/containers.ts';
import type { Database, DocumentTable } from '../state/index.ts';
import { Mutex } from '../system/mutex.ts';
import { type ContainerRecord, ContainerRecordSchema } from './record.ts';

/** What is true of a run, and over when the host goes down. */
const OF_A_RUN: ReadonlySet<string> = new Set<keyof ContainerRecord>([
  'status',
  'starting',
  'identity',
  'exitCode',
  'error',
  'oomKilled',
  'startedAt',
  'finishedAt',
  'restartCount',
  'manuallyStopped',
  'health',
]);

/** A host that loses power now may forget the change: a restart policy needs to know what ran; --rm is removed at boot anyway. */
function mayBeForgotten({ hostConfig }: ContainerRecord, change: Partial<ContainerRecord>): boolean {
  if (hostConfig.AutoRemove && 'removing' in change) return true;
  const policy = hostConfig.RestartPolicy.Name;
  return (policy === '' || policy === 'no') && Object.keys(change).every((key) => OF_A_RUN.has(key));
}

/** One container: its record (replaced, never edited) and the lock for changes. Reads take `record` without the lock. */
export interface Entry {
  record: ContainerRecord;
  readonly mutex: Mutex;
}

/**
 * The containers table with a copy in memory, so that reads never touch the disk nor a lock. Every change is on disk
 * before the caller can announce it.
 */
export class ContainerStore {
  readonly #db: Database;
  readonly #table: DocumentTable<ContainerRecord>;
  readonly #entries = new Map<string, Entry>();
  readonly #names = new Map<string, string>();

  constructor(db: Database) {
    this.#db = db;
    this.#table = db.documents('containers', (value) => ContainerRecordSchema.parse(value));
    for (const record of this.#table.all()) {
      this.#entries.set(record.id, { record, mutex: new Mutex() });
      this.#names.set(record.name, record.id);
    }
    this.#dropStrayNames();
  }

  /** A create that a crash cut left its name reserved. */
  #dropStrayNames(): void {
    this.#db.transaction(() => {
      this.#db.sql('DELETE FROM container_names').run();
      for (const [name, id] of this.#names)
        this.#db.sql('INSERT INTO container_names (name, container_id) VALUES (?, ?)').run(name, id);
    });
  }

  all(): Entry[] {
    return [...this.#entries.values()];
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** Exact id, exact name, unique id prefix. @throws EngineError 404, 400 when ambiguous */
  find(reference: string): Entry {
    const exact = this.#entries.get(reference);
    if (exact) return exact;
    const name = reference.startsWith('/') ? reference.slice(1) : reference;
    const named = this.#entries.get(this.#names.get(name) ?? '');
    if (named) return named;
    if (reference === '') throw containerErrors.notFound(reference);
    let found: Entry | undefined;
    for (const [id, entry] of this.#entries) {
      if (!id.startsWith(reference)) continue;
      if (found) throw containerErrors.ambiguous(reference);
      found = entry;
    }
    if (!found) throw containerErrors.notFound(reference);
    return found;
  }

  /** Like find; undefined where that would throw. */
  lookUp(reference: string): Entry | undefined {
    try {
      return this.find(reference);
    } catch {
      return undefined;
    }
  }

  nameTaken(name: string): boolean {
    return this.#names.has(name);
  }

  /** @throws EngineError 409 naming the holder */
  reserveName(name: string, id: string): void {
    const holder = this.#names.get(name);
    if (holder !== undefined) throw containerErrors.nameInUse(name, holder);
    // `add` brings it to disk; a name without a container is dropped at boot.
    this.#db.relaxed(() =>
      this.#db.sql('INSERT INTO container_names (name, container_id) VALUES (?, ?)').run(name, id),
    );
    this.#names.set(name, id);
  }

  releaseName(name: string): void {
    this.#db.relaxed(() => this.#db.sql('DELETE FROM container_names WHERE name = ?').run(name));
    this.#names.delete(name);
  }

  add(record: ContainerRecord): Entry {
    this.#table.put(record.id, record);
    const entry: Entry = { record, mutex: new Mutex() };
    this.#entries.set(record.id, entry);
    return entry;
  }

  /** Writes the change and then shows it. */
  update(entry: Entry, change: Partial<ContainerRecord>): ContainerRecord {
    const next = { ...entry.record, ...change };
    const put = () => this.#table.put(next.id, next);
    if (mayBeForgotten(next, change)) this.#db.relaxed(put);
    else put();
    entry.record = next;
    return next;
  }

  /** Old and new name change hands in one transaction. @throws EngineError 409 */
  rename(entry: Entry, name: string): void {
    const holder = this.#names.get(name);
    if (holder !== undefined) throw containerErrors.nameInUse(name, holder);
    const old = entry.record.name;
    const next = { ...entry.record, name };
    this.#db.transaction(() => {
      this.#db.sql('DELETE FROM container_names WHERE name = ?').run(old);
      this.#db.sql('INSERT INTO container_names (name, container_id) VALUES (?, ?)').run(name, next.id);
      this.#table.put(next.id, next);
    });
    this.#names.delete(old);
    this.#names.set(name, next.id);
    entry.record = next;
  }

  /** The tombstone is on disk already: a removal that is forgotten is finished at boot. */
  delete(entry: Entry): void {
    const { id, name } = entry.record;
    this.#db.relaxed(() =>
      this.#db.transaction(() => {
        this.#table.delete(id);
        this.#db.sql('DELETE FROM container_names WHERE name = ?').run(name);
      }),
    );
    this.#entries.delete(id);
    if (this.#names.get(name) === id) this.#names.delete(name);
  }
}
