// Links galley into a folder of PATH; a file there that is not our link stays.
import { existsSync, lstatSync, mkdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { say } from './steps.mjs';

/** A link that this or another clone of galley made; a dead one counts, because its clone is gone. */
const isOurs = (target, to) => {
  if (!to.endsWith('/bin/galley')) return false;
  return (
    !existsSync(target) ||
    existsSync(path.join(path.dirname(path.resolve(path.dirname(target), to)), '../scripts/setup.mjs'))
  );
};

export function link(launcher, folder, searchPath) {
  const target = path.join(folder, 'galley');
  try {
    const found = lstatSync(target, { throwIfNoEntry: false });
    if (found) {
      const to = found.isSymbolicLink() ? readlinkSync(target) : undefined;
      if (to === launcher) return;
      if (to === undefined || !isOurs(target, to)) {
        say(`${target} is another program's${to ? ` (-> ${to})` : ''}: left as it is; run galley as ${launcher}`);
        return;
      }
      unlinkSync(target);
    }
    mkdirSync(folder, { recursive: true });
    symlinkSync(launcher, target);
    say(`linked ${target} -> ${launcher}`);
    if (!searchPath.split(':').includes(folder))
      say(`${folder} is not in your PATH: log in again, or add it, before you type galley`);
  } catch (error) {
    say(`could not link ${target}: ${error.message}; run galley as ${launcher}`);
  }
}
