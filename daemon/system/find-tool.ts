import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Where administrators' tools lie, which a plain user's PATH lacks. */
const EXTRA = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];
const known = new Map<string, string>();

/** The absolute path of a host tool; undefined when there is none. A name with a slash is looked at as it stands. */
export function lookUpTool(name: string): string | undefined {
  const found = known.get(name);
  if (found !== undefined) return found;
  const folders = name.includes('/') ? [''] : [...(process.env['PATH'] ?? '').split(':').filter(Boolean), ...EXTRA];
  for (const folder of folders) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
    } catch {
      continue; // not here: look on
    }
    known.set(name, file);
    return file;
  }
  return undefined;
}

/** The same for one that must be there. @throws Error naming it */
export function findTool(name: string): string {
  const file = lookUpTool(name);
  if (file === undefined) throw new Error(`${name}: no such program on this host`);
  return file;
}
