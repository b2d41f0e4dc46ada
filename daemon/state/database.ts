import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { isFull, Reserve } from './reserve.ts';
import { MIGRATIONS } from './schema.ts';

/** One JSON document a row, keyed by its id; domains with queries of their own use `sql`. */
export interface DocumentTable<T> {
  get(id: string): T | undefined;
  all(): T[];
  put(id: string, value: T): void;
  delete(id: string): boolean;
}

/** Tables that hold one JSON document a row (schema.ts creates them). */
export type DocumentTableName = 'containers' | 'images' | 'layers' | 'volumes' | 'networks' | 'endpoints' | 'meta';

/** The database belongs to a newer galleyd than this one; it was not touched. */
export class NewerSchemaError extends Error {}

/**
 * `<data-root>/galley.db`: the only truth about what is referenced (design section 4). Files without a row are garbage.
 * Everything is synchronous: an insert costs 35 µs (field/ink-and-node.md section 8), and a single writer needs no lock.
 */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #reserve: Reserve | undefined;
  #depth = 0;
  #relaxed = false;

  /** Opens or makes the database and brings it to the newest schema. `:memory:` for tests. */
  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec(
      'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000;',
    );
    this.#migrate();
    this.#reserve = file === ':memory:' ? undefined : new Reserve(`${file}.reserve`);
  }

  #migrate(): void {
    const version = Number((this.#db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version);
    if (version > MIGRATIONS.length)
      throw new NewerSchemaError(
        `it was written by a newer galley (schema ${version}, this one knows up to ${MIGRATIONS.length}): start the newer galley, or use another --data-root`,
      );
    for (let next = version; next < MIGRATIONS.length; next += 1) {
      this.transaction(() => {
        this.#db.exec(MIGRATIONS[next] as string);
        this.#db.exec(`PRAGMA user_version=${next + 1}`);
      });
    }
  }

  /** A prepared statement, cached by its text. */
  sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  /** Runs synchronous `work` in one transaction; nested calls join the outer one. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    return this.#withRoom(() => this.#commit(work));
  }

  /** On a full disk once more, with the room that is kept for it. */
  #withRoom<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (this.#depth > 0 || !isFull(error) || !this.#reserve?.spend()) throw error;
      return work();
    }
  }

  #commit<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    this.#depth += 1;
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // On a full disk SQLite has rolled back by itself.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /**
   * Commits of synchronous `work` do not wait for the disk (1 ms and more each): they survive the death of galleyd, and are on disk
   * with the next commit that does wait, but may be lost with the whole host. Only for what ends with the host anyway (processes,
   * namespaces) or is found again at boot. Inside a transaction it changes nothing.
   */
  relaxed<T>(work: () => T): T {
    if (this.#depth > 0 || this.#relaxed) return work();
    this.#relaxed = true;
    this.#db.exec('PRAGMA synchronous=NORMAL');
    try {
      return work();
    } finally {
      this.#db.exec('PRAGMA synchronous=FULL');
      this.#relaxed = false;
    }
  }

  /** `parse` is the schema of a row: it throws when the row is not a T, so that no half-understood record is used. */
  documents<T>(table: DocumentTableName, parse: (value: unknown) => T): DocumentTable<T> {
    const read = (row: unknown): T => parse(JSON.parse((row as { record: string }).record));
    return {
      get: (id) => {
        const row = this.sql(`SELECT record FROM ${table} WHERE id = ?`).get(id);
        return row === undefined ? undefined : read(row);
      },
      all: () => this.sql(`SELECT record FROM ${table} ORDER BY rowid`).all().map(read),
      put: (id, value) => {
        const statement = this.sql(
          `INSERT INTO ${table} (id, record) VALUES (?, ?) ON CONFLICT(id) DO UPDATE SET record = excluded.record`,
        );
        const record = JSON.stringify(value);
        this.#withRoom(() => statement.run(id, record));
      },
      delete: (id) => {
        const statement = this.sql(`DELETE FROM ${table} WHERE id = ?`);
        return Number(this.#withRoom(() => statement.run(id)).changes) > 0;
      },
    };
  }

  close(): void {
    this.#reserve?.close();
    this.#db.close();
  }
}
