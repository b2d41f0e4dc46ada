/**
 * A thread's own view of a container's files: a mount namespace that nothing leaves, its root the container's, its mounts laid over it.
 * Only for a worker thread that is thrown away afterwards, and only with synchronous fs calls: those of the thread pool stay outside
 * (design section 3). Needs Linux 5.2 (open_tree, move_mount).
 */
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import path from 'node:path';
import koffi from 'koffi';
import { MS, mount, SyscallError } from './syscalls.ts';

const libc = koffi.load('libc.so.6');
const c = {
  unshare: libc.func('int unshare(int)'),
  chroot: libc.func('int chroot(const char*)'),
  chdir: libc.func('int chdir(const char*)'),
  umask: libc.func('unsigned int umask(unsigned int)'),
  openTree: libc.func('long syscall(long, int, const char*, unsigned int)'),
  moveMount: libc.func('long syscall(long, int, const char*, int, const char*, unsigned int)'),
  close: libc.func('int close(int)'),
};
const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
const SYS_OPEN_TREE = 428;
const SYS_MOVE_MOUNT = 429;
const AT_FDCWD = -100;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const AT_RECURSIVE = 0x8000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const ENOENT = 2;

export interface LaidOver {
  /** On the host. */
  source: string;
  /** In the container; what is missing there is made, as a start makes it. */
  destination: string;
}

function check(call: string, result: number): number {
  if (result < 0) throw new SyscallError(call, koffi.errno());
  return result;
}

/** Makes the place that a mount needs, symlinks taken within the root that the thread is in. */
function makePlace(destination: string, folder: boolean): void {
  if (existsSync(destination)) return;
  mkdirSync(folder ? destination : path.dirname(destination), { recursive: true, mode: 0o755 });
  if (!folder) closeSync(openSync(destination, 'a', 0o644));
}

/**
 * From here on `/` is the container's root for this thread. Mounts whose source is gone are left out.
 * @param root folder where the container's root is mounted
 * @throws SyscallError
 */
export function enterRoot(root: string, mounts: readonly LaidOver[]): void {
  check('unshare', c.unshare(CLONE_FS | CLONE_NEWNS));
  // What the host unmounts goes here too; nothing goes the other way.
  mount('', '/', '', MS.REC | MS.SLAVE);
  c.umask(0);
  const trees: { fd: number; destination: string; folder: boolean }[] = [];
  for (const { source, destination } of mounts) {
    const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
    const fd = Number(c.openTree(SYS_OPEN_TREE, AT_FDCWD, source, flags));
    if (fd < 0 && koffi.errno() === ENOENT) continue;
    trees.push({ fd: check(`open_tree ${source}`, fd), destination, folder: statSync(source).isDirectory() });
  }
  check(`chroot ${root}`, c.chroot(root));
  check('chdir /', c.chdir('/'));
  for (const { fd, destination, folder } of trees) {
    makePlace(destination, folder);
    check(
      `move_mount ${destination}`,
      Number(c.moveMount(SYS_MOVE_MOUNT, fd, '', AT_FDCWD, destination, MOVE_MOUNT_F_EMPTY_PATH)),
    );
    c.close(fd);
  }
}
