import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statfsSync,
  symlinkSync,
} from 'node:fs';
import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { getXattr, MNT_DETACH, makeNode, mount, setXattr, unmount } from '../system/syscalls.ts';
import type { Change } from './types.ts';

const FOLDERS = ['dev/pts', 'dev/shm', 'proc', 'sys', 'etc'];
const FILES = ['.dockerenv', 'dev/console', 'etc/hosts', 'etc/hostname', 'etc/resolv.conf'];

/**
 * Docker's init layer: mount points and files that every container finds (field/engine-api.md section 2.2). All containers share one,
 * for nothing ever writes to it.
 */
export function makeInitLayer(place: string): void {
  if (existsSync(place)) return;
  const folder = `${place}.new`;
  rmSync(folder, { recursive: true, force: true }); // a crash may have left half of it
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const name of FOLDERS) mkdirSync(path.join(folder, name), { recursive: true, mode: 0o755 });
  for (const name of FILES) closeSync(openSync(path.join(folder, name), 'w', 0o755));
  symlinkSync('/proc/mounts', path.join(folder, 'etc/mtab'));
  // The umask of galleyd is 077; what a container sees must not depend on it.
  for (const name of ['', 'dev', ...FOLDERS, ...FILES]) chmodSync(path.join(folder, name), 0o755);
  renameSync(folder, place);
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
    // Relative, too: a data root may have a comma or a colon in its path.
    const from = path.relative(layersFolder, root) || '.';
    const options = `lowerdir=${lowers.join(':')},upperdir=${from}/upper,workdir=${from}/work`;
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

async function facts(file: string): Promise<Stats | null> {
  try {
    return await lstat(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
const isWhiteout = (stat: Stats) => stat.isCharacterDevice() && stat.rdev === 0;
const isOpaque = (folder: string) => getXattr(folder, 'trusted.overlay.opaque')?.toString() === 'y';

/** Whether a stack of folders (topmost first) shows a path, as overlayfs would. */
async function shows(lowers: readonly string[], relative: string): Promise<boolean> {
  const parents = relative.split('/').slice(0, -1);
  for (const lower of lowers) {
    const stat = await facts(path.join(lower, relative));
    if (stat) return !isWhiteout(stat);
    let at = lower;
    for (const part of parents) {
      at = path.join(at, part);
      const parent = await facts(at);
      if (!parent) break;
      // Hidden, replaced or opaque: what lies further down does not shine through.
      if (!parent.isDirectory() || isOpaque(at)) return false;
    }
  }
  return false;
}

/** What the writable layer changed against the folders beneath it, topmost first (docker diff). */
export async function listChanges(upper: string, lowers: readonly string[]): Promise<Change[]> {
  const changes: Change[] = [];
  const walk = async (relative: string): Promise<void> => {
    for (const name of (await readdir(path.join(upper, relative))).sort()) {
      const at = path.join(relative, name);
      const full = path.join(upper, at);
      const stat = await facts(full);
      if (!stat) continue; // gone since the folder was read: the container runs
      const Path = `/${at}`;
      const below = await shows(lowers, at);
      if (isWhiteout(stat)) {
        if (below) changes.push({ Path, Kind: 2 });
        continue;
      }
      changes.push({ Path, Kind: below ? 0 : 1 });
      if (stat.isDirectory()) await walk(at);
    }
  };
  await walk('');
  return changes;
}

/**
 * Tries what layers need (a whiteout device, a trusted attribute, an overlay) in the data root.
 * @throws Error naming the data root and what to do.
 */
export function probeOverlay(dataRoot: string): void {
  const probe = path.join(dataRoot, `.probe-${process.pid}`);
  const type = fileSystemName(dataRoot);
  try {
    makeRootFolders(probe);
    for (const name of ['lower', 'init']) mkdirSync(path.join(probe, name));
    makeNode(path.join(probe, 'lower/whiteout'), 0o020000, 0, 0);
    setXattr(path.join(probe, 'lower'), 'trusted.overlay.opaque', Buffer.from('y'));
    mountOverlay(probe, ['lower', 'init'], probe);
    unmount(path.join(probe, 'merged'), MNT_DETACH);
  } catch (error) {
    const why =
      type === 'overlayfs'
        ? 'it is on overlayfs itself (a container?), and overlayfs cannot be stacked on that'
        : `${error instanceof Error ? error.message : String(error)} (file system: ${type})`;
    throw new Error(
      `the data root ${dataRoot} cannot hold layers: ${why}. Use --data-root with a folder on ext4, xfs, btrfs or tmpfs, as root`,
      { cause: error },
    );
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

/** As dockerd's "Backing Filesystem". */
export function fileSystemName(folder: string): string {
  const names: Readonly<Record<number, string>> = {
    61267: 'extfs',
    1481003842: 'xfs',
    2435016766: 'btrfs',
    16914836: 'tmpfs',
    2035054128: 'overlayfs',
    801189825: 'zfs',
    4076150800: 'f2fs',
    26985: 'nfs',
  };
  const { type } = statfsSync(folder);
  return names[type >>> 0] ?? `0x${(type >>> 0).toString(16)}`;
}

export function makeRootFolders(root: string): void {
  rmSync(root, { recursive: true, force: true });
  for (const name of ['upper', 'work', 'merged']) mkdirSync(path.join(root, name), { recursive: true, mode: 0o755 });
  chmodSync(path.join(root, 'upper'), 0o755); // the umask of galleyd is 077, and this is the container's `/`
}
