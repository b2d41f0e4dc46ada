/**
 * The few syscalls that Node has no door to, through koffi (design section 3: mount(2) 0.3 ms instead of a 2.6 ms spawn).
 * A wrong signature here is a segfault: keep every declaration in this folder and under test.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const c = {
  mount: libc.func('int mount(const char*, const char*, const char*, unsigned long, const char*)'),
  umount2: libc.func('int umount2(const char*, int)'),
  mknod: libc.func('int mknod(const char*, uint32_t, uint64_t)'),
  lsetxattr: libc.func('int lsetxattr(const char*, const char*, const void*, size_t, int)'),
  lgetxattr: libc.func('int64_t lgetxattr(const char*, const char*, void*, size_t)'),
  llistxattr: libc.func('int64_t llistxattr(const char*, void*, size_t)'),
  utimensat: libc.func('int utimensat(int, const char*, const void*, int)'),
  socket: libc.func('int socket(int, int, int)'),
  bind: libc.func('int bind(int, const void*, uint32_t)'),
  setsockopt: libc.func('int setsockopt(int, int, int, const void*, uint32_t)'),
  close: libc.func('int close(int)'),
  listen: libc.func('int listen(int, int)'),
  setns: libc.func('int setns(int, int)'),
  unshare: libc.func('int unshare(int)'),
  syncfs: libc.func('int syncfs(int)'),
  flock: libc.func('int flock(int, int)'),
  syscall: libc.func('long syscall(long)'),
  dup2: libc.func('int dup2(int, int)'),
};

export class SyscallError extends Error {
  readonly errno: number;
  readonly code: string;
  constructor(call: string, errno: number) {
    const [code, text] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, 'unknown error'];
    super(`${call}: ${text} (${code})`);
    this.name = 'SyscallError';
    this.errno = errno;
    this.code = code;
  }
}

function check(call: string, result: number | bigint): number {
  if (Number(result) < 0) throw new SyscallError(call, koffi.errno());
  return Number(result);
}

export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 32,
  BIND: 4096,
  REC: 16384,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
} as const;
export const MNT_DETACH = 2;
export const CLONE_NEWNET = 0x40000000;

/** mount(2). `data` must fit one page. @throws SyscallError */
export function mount(source: string, target: string, type: string, flags: number, data = ''): void {
  check(`mount ${type} on ${target}`, c.mount(source, target, type, flags, data));
}

/** umount2(2); returns false when nothing was mounted there. @throws SyscallError for anything else. */
export function unmount(target: string, flags = 0): boolean {
  if (c.umount2(target, flags) === 0) return true;
  const errno = koffi.errno();
  if (errno === 22 || errno === 2) return false;
  throw new SyscallError(`umount ${target}`, errno);
}

/** A path for a syscall: text is UTF-8; bytes let names through that are not. */
export type PathBytes = string | Buffer;
const cPath = (file: PathBytes): PathBytes =>
  typeof file === 'string' ? file : Buffer.concat([file, Buffer.alloc(1)]);

/** As `unmount`, on a thread of the pool: the last user of a namespace or a file system can take milliseconds to leave. */
export function unmountLater(target: string, flags = 0): Promise<boolean> {
  return new Promise((resolve, reject) => {
    c.umount2.async(target, flags, (error: unknown, result: number) => {
      if (error) reject(error);
      else resolve(result === 0);
    });
  });
}

/** The same in a thread beside: the kernel makes the caller wait, 1 ms and more, until nobody looks at the mount any more. @throws SyscallError */
export function unmountAside(target: string, flags = 0): Promise<boolean> {
  return new Promise((resolve, reject) => {
    c.umount2.async(target, flags, (error: Error | null, result: number) => {
      if (error) reject(error);
      else if (result === 0) resolve(true);
      else {
        // The error number stayed in that thread: asked again here, it is the same.
        try {
          resolve(unmount(target, flags));
        } catch (failure) {
          reject(failure);
        }
      }
    });
  });
}

/** mknod(2); `mode` includes the file type; device numbers as the kernel's 64-bit dev_t. @throws SyscallError */
export function makeNode(file: PathBytes, mode: number, major: number, minor: number): void {
  const dev =
    (BigInt(minor) & 0xffn) |
    ((BigInt(major) & 0xfffn) << 8n) |
    ((BigInt(minor) & ~0xffn) << 12n) |
    ((BigInt(major) & ~0xfffn) << 32n);
  check(`mknod ${file}`, c.mknod(cPath(file), mode, dev));
}

/** lsetxattr(2). @throws SyscallError */
export function setXattr(file: PathBytes, name: string, value: Buffer): void {
  check(`setxattr ${name} on ${file}`, c.lsetxattr(cPath(file), name, value, value.length, 0));
}

/** lgetxattr(2); undefined when the attribute is absent. @throws SyscallError */
export function getXattr(file: PathBytes, name: string): Buffer | undefined {
  const buffer = Buffer.alloc(65536);
  const n = Number(c.lgetxattr(cPath(file), name, buffer, buffer.length));
  if (n < 0) {
    const errno = koffi.errno();
    if (errno === 61 || errno === 95) return undefined; // ENODATA, EOPNOTSUPP
    throw new SyscallError(`getxattr ${name} on ${file}`, errno);
  }
  return buffer.subarray(0, n);
}

/** llistxattr(2): the names set on a file (not followed). @throws SyscallError */
export function listXattrs(file: PathBytes): string[] {
  const buffer = Buffer.alloc(65536);
  const n = Number(c.llistxattr(cPath(file), buffer, buffer.length));
  if (n < 0) {
    const errno = koffi.errno();
    if (errno === 95) return [];
    throw new SyscallError(`listxattr ${file}`, errno);
  }
  return buffer.subarray(0, n).toString('utf8').split('\0').filter(Boolean);
}

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const times = Buffer.alloc(32);

/** Sets access and modification time, to the nanosecond and not through a symlink (utimensat(2)). @throws SyscallError */
export function setTimes(file: PathBytes, seconds: number, nanoseconds: number): void {
  for (const at of [0, 16]) {
    times.writeBigInt64LE(BigInt(seconds), at);
    times.writeBigInt64LE(BigInt(nanoseconds), at + 8);
  }
  check(`utimensat ${file}`, c.utimensat(AT_FDCWD, cPath(file), times, AT_SYMLINK_NOFOLLOW));
}

const AF = { INET: 2, INET6: 10 } as const;
const SOCK = { tcp: 1, udp: 2 } as const;

/**
 * Opens a bound, non-listening socket: it reserves a host port for as long as somebody holds the descriptor
 * (field/network.md: nft reserves no port). The caller closes it with closeDescriptor.
 * @throws SyscallError with code EADDRINUSE, EADDRNOTAVAIL, EACCES…
 */
export function bindPort(protocol: 'tcp' | 'udp', address: string, port: number): number {
  const v6 = address.includes(':');
  const fd = check('socket', c.socket(v6 ? AF.INET6 : AF.INET, SOCK[protocol] | 0o2000000, 0));
  try {
    if (v6) {
      check('setsockopt IPV6_V6ONLY', c.setsockopt(fd, 41, 26, Buffer.from([1, 0, 0, 0]), 4));
      const sa = Buffer.alloc(28);
      sa.writeUInt16LE(AF.INET6, 0);
      sa.writeUInt16BE(port, 2);
      ipv6Bytes(address).copy(sa, 8);
      check(`bind ${protocol} [${address}]:${port}`, c.bind(fd, sa, sa.length));
    } else {
      const sa = Buffer.alloc(16);
      sa.writeUInt16LE(AF.INET, 0);
      sa.writeUInt16BE(port, 2);
      Buffer.from(address.split('.').map(Number)).copy(sa, 4);
      check(`bind ${protocol} ${address}:${port}`, c.bind(fd, sa, sa.length));
    }
    return fd;
  } catch (error) {
    c.close(fd);
    throw error;
  }
}

export function closeDescriptor(fd: number): void {
  c.close(fd);
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::');
  const words = (s: string) => (s ? s.split(':').map((w) => Number.parseInt(w, 16)) : []);
  const h = words(head);
  const t = address.includes('::') ? words(tail) : [];
  const all = [...h, ...new Array<number>(8 - h.length - t.length).fill(0), ...t];
  const out = Buffer.alloc(16);
  all.forEach((w, i) => {
    out.writeUInt16BE(w, i * 2);
  });
  return out;
}

/**
 * Runs synchronous `work` inside another network namespace and comes back, all within one tick: setns is per thread,
 * and nothing else may run on this thread meanwhile (field/network.md). Never await inside.
 * @throws SyscallError
 */
export function withinNetworkNamespace<T>(netnsPath: string, work: () => T): T {
  const own = openSync('/proc/thread-self/ns/net', 'r');
  const other = openSync(netnsPath, 'r');
  try {
    check(`setns ${netnsPath}`, c.setns(other, CLONE_NEWNET));
    try {
      return work();
    } finally {
      check('setns back', c.setns(own, CLONE_NEWNET));
    }
  } finally {
    closeSync(own);
    closeSync(other);
  }
}

/** Leaves a new network namespace, with nothing in it, mounted on the file: this thread goes there and comes back. @throws SyscallError */
export function makeNetworkNamespace(file: string): void {
  const own = openSync('/proc/thread-self/ns/net', 'r');
  try {
    check('unshare', c.unshare(CLONE_NEWNET));
    try {
      mount('/proc/thread-self/ns/net', file, 'none', MS.BIND);
    } finally {
      check('setns back', c.setns(own, CLONE_NEWNET));
    }
  } finally {
    closeSync(own);
  }
}

/** Lets a bound socket of `bindPort` take connections. @throws SyscallError */
export function listenOn(fd: number, backlog = 128): void {
  check('listen', c.listen(fd, backlog));
}

/**
 * Takes an exclusive lock on an open file without waiting; false when another process has it. The kernel frees it when the
 * holder ends, however it ends.
 * @throws SyscallError
 */
export function lockFile(fd: number): boolean {
  if (c.flock(fd, 2 | 4) === 0) return true;
  const errno = koffi.errno();
  if (errno === 11) return false;
  throw new SyscallError('flock', errno);
}

/** dup2(2): whatever `onto` was is closed, and names what `fd` names from now on. @throws SyscallError */
export function duplicateOnto(fd: number, onto: number): void {
  check('dup2', c.dup2(fd, onto));
}

/** syncfs(2): everything written to the file system of `file` is on disk when it returns (blocks the thread). @throws SyscallError */
export function syncFileSystem(file: string): void {
  const fd = openSync(file, 'r');
  try {
    check(`syncfs ${file}`, c.syncfs(fd));
  } finally {
    closeSync(fd);
  }
}

/**
 * Whether the kernel may run x32 programs: it answers getpid under its number there. Not tried under a seccomp filter, which could
 * kill this process for it.
 */
export function mayRunX32(): boolean {
  if (process.arch !== 'x64') return false;
  if (!/^Seccomp:\s+0$/m.test(readFileSync('/proc/self/status', 'utf8'))) return true;
  const X32_GETPID = 0x40000000 + 39;
  return Number(c.syscall(X32_GETPID)) > 0;
}
