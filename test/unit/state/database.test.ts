import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Database, Leases } from '../../../daemon/state/index.ts';

const parse = (value: unknown) => z.object({ n: z.number() }).parse(value);

describe('the database', () => {
  it('keeps documents over a restart and refuses one that is not understood', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'gd-'));
    const db = new Database(path.join(folder, 'db'));
    db.documents('volumes', parse).put('a', { n: 1 });
    db.documents('volumes', (value) => value).put('b', { other: true });
    db.close();
    const again = new Database(path.join(folder, 'db'));
    expect(again.documents('volumes', parse).get('a')).toEqual({ n: 1 });
    expect(() => again.documents('volumes', parse).get('b')).toThrow();
    again.close();
    rmSync(folder, { recursive: true });
  });

  it('a transaction that throws leaves nothing, nested ones join the outer', () => {
    const db = new Database(':memory:');
    const table = db.documents('networks', parse);
    expect(() =>
      db.transaction(() => {
        table.put('a', { n: 1 });
        db.transaction(() => table.put('b', { n: 2 }));
        throw new Error('cut');
      }),
    ).toThrow('cut');
    expect(table.all()).toEqual([]);
  });

  // A container's end must be told even when the container has filled the disk (a tmpfs needs root; without it nothing is full).
  it.skipIf(process.getuid?.() !== 0)(
    'writes on a full disk with the room it keeps, and says when that is used up',
    () => {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'gd-full-'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'galley-full', folder]);
      try {
        const db = new Database(path.join(folder, 'db'));
        const table = db.documents('volumes', parse);
        expect(() => writeFileSync(path.join(folder, 'fill'), Buffer.alloc(16 << 20))).toThrow('ENOSPC');
        table.put('a', { n: 1 });
        db.transaction(() => table.put('b', { n: 2 }));
        expect(table.all()).toEqual([{ n: 1 }, { n: 2 }]);
        expect(() => writeFileSync(path.join(folder, 'more'), Buffer.alloc(16 << 20))).toThrow('ENOSPC');
        const fill = () => {
          for (let n = 0; n < 10_000; n++) db.transaction(() => table.put(`c${n}`, { n }));
        };
        expect(fill).toThrow('database or disk is full');
        rmSync(path.join(folder, 'fill'));
        table.delete('a');
        expect(table.get('a')).toBeUndefined();
        db.close();
      } finally {
        execFileSync('umount', [folder]);
        rmSync(folder, { recursive: true });
      }
    },
  );

  it('waits for the disk again after relaxed work, also after one that throws', () => {
    const db = new Database(':memory:');
    const waits = () => (db.sql('PRAGMA synchronous').get() as { synchronous: number }).synchronous;
    const FULL = 2;
    const NORMAL = 1;
    expect(waits()).toBe(FULL);
    expect(db.relaxed(waits)).toBe(NORMAL);
    expect(db.relaxed(() => db.relaxed(() => 0) + waits())).toBe(NORMAL);
    expect(() =>
      db.relaxed(() => {
        throw new Error('cut');
      }),
    ).toThrow('cut');
    expect(waits()).toBe(FULL);
    // Its commits may not be cheaper because an inner part says so.
    expect(db.transaction(() => db.relaxed(waits))).toBe(FULL);
  });

  it('a lease holds what is under way until it is released', () => {
    const leases = new Leases(new Database(':memory:'));
    const lease = leases.open('pull');
    lease.hold('blob', 'sha256:a');
    expect(leases.held('blob')).toEqual(new Set(['sha256:a']));
    expect(leases.held('layer')).toEqual(new Set());
    lease.release();
    expect(leases.held('blob')).toEqual(new Set());
    leases.open('late', -1).hold('blob', 'sha256:b');
    expect(leases.held('blob')).toEqual(new Set());
  });
});
