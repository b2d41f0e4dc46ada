import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import koffi from 'koffi';
import { closeDescriptor, SyscallError } from './syscalls.ts';

const SYS_OPENAT2 = 437;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;
const O_NONBLOCK = 0o4000;
const O_NOCTTY = 0o400;
const O_CLOEXEC = 0o2000000;
const libc = koffi.load('libc.so.6');
const syscall = libc.func('long syscall(long, int, const char*, const void*, size_t)');

/**
 * Reads a regular file below `root` as if `root` were `/`: the kernel resolves symlinks within it (openat2, Linux 5.6), also while
 * a container changes them. null when there is no such file.
 * @throws SyscallError; Error when it is larger than `limit` bytes
 */
export function readFileInRoot(root: string, file: string, limit = 16 << 20): string | null {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(O_NONBLOCK | O_NOCTTY | O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16);
  const folder = openSync(root, 'r');
  let fd: number;
  try {
    fd = Number(syscall(SYS_OPENAT2, folder, file, how, how.length));
    if (fd < 0) {
      const errno = koffi.errno();
      if (errno === 2 || errno === 20 || errno === 40) return null; // ENOENT, ENOTDIR, ELOOP
      throw new SyscallError(`open ${file} in ${root}`, errno);
    }
  } finally {
    closeSync(folder);
  }
  try {
    const facts = fstatSync(fd);
    if (!facts.isFile()) return null;
    if (facts.size > limit) throw new Error(`${file} in the container is larger than ${limit} bytes`);
    const content = Buffer.alloc(facts.size);
    let at = 0;
    while (at < content.length) {
      const n = readSync(fd, content, at, content.length - at, at);
      if (n === 0) break;
      at += n;
    }
    return content.toString('utf8', 0, at);
  } finally {
    closeDescriptor(fd);
  }
}
