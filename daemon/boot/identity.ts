import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Database } from '../state/index.ts';

/** The engine's own id: made once, kept in the database. */
export function engineId(db: Database): string {
  const meta = db.documents('meta', (value) => z.object({ id: z.string() }).parse(value));
  const known = meta.get('engine');
  if (known) return known.id;
  const id = randomUUID();
  meta.put('engine', { id });
  return id;
}

/** Hash of the build beside this bundle (dist/build.json); '' when galleyd runs from its sources. */
export function buildHash(): string {
  try {
    const file = path.join(path.dirname(fileURLToPath(import.meta.url)), 'build.json');
    return z.object({ hash: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).hash;
  } catch {
    return ''; // the sources have no build beside them
  }
}
