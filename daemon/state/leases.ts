import { randomUUID } from 'node:crypto';
import type { Database } from './database.ts';

export type LeaseTarget = 'blob' | 'layer' | 'image';

/**
 * A lease keeps half-referenced content (a pull, a build, a commit under way) away from garbage collection; a crash lets it
 * expire (design section 4, after containerd).
 */
export interface Lease extends Disposable {
  readonly id: string;
  hold(kind: LeaseTarget, target: string): void;
  release(): void;
}

export class Leases {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Opens a lease named for the operation; default life 24 h. */
  open(what: string, lifeMs = 24 * 3600_000): Lease {
    const id = randomUUID();
    const db = this.#db;
    db.sql('INSERT INTO leases (id, expires, what) VALUES (?, ?, ?)').run(id, Date.now() + lifeMs, what);
    const release = () =>
      db.transaction(() => {
        db.sql('DELETE FROM lease_references WHERE lease_id = ?').run(id);
        db.sql('DELETE FROM leases WHERE id = ?').run(id);
      });
    return {
      id,
      hold: (kind, target) => {
        db.sql('INSERT OR IGNORE INTO lease_references (lease_id, kind, target) VALUES (?, ?, ?)').run(
          id,
          kind,
          target,
        );
      },
      release,
      [Symbol.dispose]: release,
    };
  }

  /** The targets of one kind that living leases hold. */
  held(kind: LeaseTarget): Set<string> {
    const rows = this.#db
      .sql(
        'SELECT target FROM lease_references r JOIN leases l ON l.id = r.lease_id WHERE r.kind = ? AND l.expires > ?',
      )
      .all(kind, Date.now()) as unknown as { target: string }[];
    return new Set(rows.map((row) => row.target));
  }

  /** At boot nothing is under way: every lease of the former process ends, so that what it held can be collected or resumed. */
  dropAll(): void {
    this.#db.transaction(() => {
      this.#db.sql('DELETE FROM lease_references').run();
      this.#db.sql('DELETE FROM leases').run();
    });
  }
}
