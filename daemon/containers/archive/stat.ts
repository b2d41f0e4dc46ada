import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import path from 'node:path';
import type { PathStat } from './types.ts';

const GO = {
  dir: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  char: 2 ** 21,
  sticky: 2 ** 20,
};

/** os.FileMode of Go, in which bits have other places than in st_mode. */
export function goMode(stat: Stats): number {
  let mode = stat.mode & 0o777;
  if (stat.isDirectory()) mode += GO.dir;
  else if (stat.isSymbolicLink()) mode += GO.symlink;
  else if (stat.isBlockDevice()) mode += GO.device;
  else if (stat.isCharacterDevice()) mode += GO.device + GO.char;
  else if (stat.isFIFO()) mode += GO.fifo;
  else if (stat.isSocket()) mode += GO.socket;
  if (stat.mode & 0o4000) mode += GO.setuid;
  if (stat.mode & 0o2000) mode += GO.setgid;
  if (stat.mode & 0o1000) mode += GO.sticky;
  return mode;
}

const MAX_LINKS = 255;

/** Where a symlink leads in the end, as far as the path exists. */
function followed(file: string): string {
  let at = '/';
  const pending = file.split('/').filter(Boolean);
  for (let links = 0; pending.length > 0; ) {
    const part = pending.shift() as string;
    const next = path.posix.join(at, part);
    const stat = lstatSync(next, { throwIfNoEntry: false });
    if (!stat?.isSymbolicLink() || (links += 1) > MAX_LINKS) {
      at = next;
      continue;
    }
    const target = readlinkSync(next);
    if (target.startsWith('/')) at = '/';
    pending.unshift(...target.split('/').filter(Boolean));
  }
  return at;
}

/** `path` joined to the root; a slash or a dot at its end is kept, because it asks for the folder behind a link. */
export function absolute(asked: string): string {
  const clean = path.posix.join('/', asked);
  if (/\/\.$/.test(asked) || asked === '.') return clean === '/' ? '/.' : `${clean.replace(/\/$/, '')}/.`;
  if (asked.endsWith('/') && clean !== '/') return `${clean.replace(/\/$/, '')}/`;
  return clean;
}

/** Of the path itself, not of what a link leads to. @throws Error of lstat */
export function statPath(file: string): PathStat {
  const stat = lstatSync(file);
  return {
    name: path.posix.basename(file) || '/',
    size: stat.size,
    mode: goMode(stat),
    mtime: stat.mtime.toISOString(),
    linkTarget: stat.isSymbolicLink() ? followed(file) : '',
  };
}
