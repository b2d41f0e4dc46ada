import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { lockFile } from '../system/syscalls.ts';
import { SettingsError } from './settings.ts';

/**
 * One galleyd a data root: two would each believe that the database is theirs alone.
 * @throws SettingsError naming the process that holds it.
 */
export function lockDataRoot(dataRoot: string): Disposable {
  const file = path.join(dataRoot, 'galleyd.lock');
  const fd = openSync(file, 'a+', 0o600);
  if (!lockFile(fd)) {
    const holder = readFileSync(file, 'utf8').trim();
    closeSync(fd);
    throw new SettingsError(
      `the data root ${dataRoot} is in use by another galleyd${holder ? ` (pid ${holder})` : ''}; stop it or use another --data-root`,
    );
  }
  ftruncateSync(fd, 0);
  writeSync(fd, String(process.pid));
  return { [Symbol.dispose]: () => closeSync(fd) };
}
