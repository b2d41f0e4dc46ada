import { chmodSync, closeSync, mkdirSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { getXattr, MNT_DETACH, mount, unmount } from '../system/syscalls.ts';
import type { Change } from './types.ts';

const FOLDERS = ['dev/pts', 'dev/shm', 'proc', 'sys', 'etc'];
const FILES = ['.dockerenv', 'dev/console', 'etc/hosts', 'etc/hostname', 'etc/resolv.conf'];

/** Docker's init layer: mount points and files that every container finds (field/engine-api.md section 2.2). */
export function makeInitLayer(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const name of FOLDERS) mkdirSync(path.join(folder, name), { recursive: true, mode: 0o755 });
  for (const name of FILES) closeSync(openSync(path.join(folder, name), 'w', 0o755));
  symlinkSync('/proc/mounts', path.join(folder, 'etc/mtab'));
  // The umask of galleyd is 077; what a container sees must not depend on it.
  for (const name of ['', 'dev', ...FOLDERS, ...FILES]) chmodSync(path.join(folder, name), 0o755);
}

/**
 * Mounts an overlay. The lower folders are named relative to `layersFolder`, so that 128 of them fit the one page that mount(2)
 * takes; the change of directory lasts one synchronous call.
 * @throws SyscallError
 */
export function mountOverlay(layersFolder: string, lowers: readonly string[], root: string): void {
  const back = process.cwd();
  process.chdir(layersFolder);
  try {
    const options = `lowerdir=${lowers.join(':')},upperdir=${root}/upper,workdir=${root}/work`;
    mount('overlay', path.join(root, 'merged'), 'overlay', 0, options);
  } finally {
    process.chdir(back);
  }
}

/** True when the folder is a mount point of this process' namespace. */
export async function isMounted(folder: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  return mounts.includes(` ${folder} `);
}

export async function removeRootFolder(root: string): Promise<void> {
  while (unmount(path.join(root, 'merged'), MNT_DETACH)); // a crash between two mounts may have left more than one
  await rm(root, { recursive: true, force: true });
}

/** Bytes of the files below a folder, hard links counted once. */
export async function folderSize(folder: string): Promise<number> {
  const seen = new Set<string>();
  const walk = async (at: string): Promise<number> => {
    let sum = 0;
    for (const entry of await readdir(at, { withFileTypes: true })) {
      const file = path.join(at, entry.name);
      if (entry.isDirectory()) sum += await walk(file);
      else if (entry.isFile()) {
        const stat = await lstat(file);
        const key = `${stat.dev}:${stat.ino}`;
        if (stat.nlink > 1 && seen.has(key)) continue;
        seen.add(key);
        sum += stat.size;
      }
    }
    return sum;
  };
  return walk(folder);
}

/** What the writable layer changed against the folders beneath it (docker diff). */
export async function listChanges(upper: string, lowers: readonly string[]): Promise<Change[]> {
  const changes: Change[] = [];
  const below = async (relative: string): Promise<boolean> => {
    for (const lower of lowers) {
      const stat = await lstat(path.join(lower, relative)).catch(() => null);
      if (stat) return !(stat.isCharacterDevice() && stat.rdev === 0);
    }
    return false;
  };
  const walk = async (relative: string): Promise<void> => {
    const names = (await readdir(path.join(upper, relative))).sort();
    for (const name of names) {
      const at = path.join(relative, name);
      const full = path.join(upper, at);
      const stat = await lstat(full);
      const Path = `/${at}`;
      if (stat.isCharacterDevice() && stat.rdev === 0) changes.push({ Path, Kind: 2 });
      else changes.push({ Path, Kind: (await below(at)) && !getXattr(full, 'trusted.overlay.opaque') ? 0 : 1 });
      if (stat.isDirectory()) await walk(at);
    }
  };
  await walk('');
  return changes;
}

export function makeRootFolders(root: string): void {
  rmSync(root, { recursive: true, force: true });
  for (const name of ['upper', 'work', 'merged']) mkdirSync(path.join(root, name), { recursive: true, mode: 0o755 });
  chmodSync(path.join(root, 'upper'), 0o755); // the umask of galleyd is 077, and this is the container's `/`
  makeInitLayer(path.join(root, 'init'));
}
