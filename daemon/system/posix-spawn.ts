/**
 * Starting a process without fork: Node's own spawn copies the page tables of this large process (4 ms, and faults afterwards);
 * posix_spawn(3) borrows the memory until the exec (0.5 ms).
 */
import { openSync } from 'node:fs';
import koffi from 'koffi';
import { watchPidfd } from './pidfd.ts';
import { closeDescriptor, SyscallError } from './syscalls.ts';

const libc = koffi.load('libc.so.6');
const c = {
  waitpid: libc.func('int waitpid(int, void*, int)'),
  pipe2: libc.func('int pipe2(void*, int)'),
  fcntl: libc.func('int fcntl(int, int, int)'),
  actionsInit: libc.func('int posix_spawn_file_actions_init(void*)'),
  actionsDestroy: libc.func('int posix_spawn_file_actions_destroy(void*)'),
  addDup2: libc.func('int posix_spawn_file_actions_adddup2(void*, int, int)'),
  addChdir: libc.func('int posix_spawn_file_actions_addchdir_np(void*, const char*)'),
  attributesInit: libc.func('int posix_spawnattr_init(void*)'),
  setFlags: libc.func('int posix_spawnattr_setflags(void*, short)'),
  setSignalDefaults: libc.func('int posix_spawnattr_setsigdefault(void*, const void*)'),
  setSignalMask: libc.func('int posix_spawnattr_setsigmask(void*, const void*)'),
  spawn: libc.func('int posix_spawn(void*, const char*, void*, void*, const char**, const char**)'),
};
const WNOHANG = 1;
const O_CLOEXEC = 0o2000000;
const F_DUPFD_CLOEXEC = 1030;
const SETSIGDEF = 4;
const SETSIGMASK = 8;
/** Larger than glibc's and musl's posix_spawn_file_actions_t (80) and posix_spawnattr_t (336). */
const OPAQUE_BYTES = 512;
const SIGSET_BYTES = 128;

/** Every signal as the kernel has it: Node ignores SIGPIPE, and what is ignored stays so across an exec. */
const attributes = Buffer.alloc(OPAQUE_BYTES);
c.attributesInit(attributes);
c.setFlags(attributes, SETSIGDEF | SETSIGMASK);
c.setSignalDefaults(attributes, Buffer.alloc(SIGSET_BYTES, 0xff));
c.setSignalMask(attributes, Buffer.alloc(SIGSET_BYTES));

let nullDescriptor = -1;
/** /dev/null for reading and writing, open for as long as this process lives. */
export function devNull(): number {
  if (nullDescriptor < 0) nullDescriptor = openSync('/dev/null', 'r+');
  return nullDescriptor;
}

/** A pipe whose ends no other child inherits. @throws SyscallError */
export function openPipe(): { read: number; write: number } {
  const ends = Buffer.alloc(8);
  if (c.pipe2(ends, O_CLOEXEC) < 0) throw new SyscallError('pipe2', koffi.errno());
  return { read: ends.readInt32LE(0), write: ends.readInt32LE(4) };
}

export interface Exit {
  /** The exit code; 128 + the signal of a process that was killed, as shells have it. */
  code: number;
  /** 0: it ended by itself. */
  signal: number;
}

/** Takes a child's status from the kernel, which forgets it then (wait(2)). */
function reap(pid: number): Exit {
  const status = Buffer.alloc(4);
  c.waitpid(pid, status, WNOHANG);
  const signal = status.readInt32LE(0) & 0x7f;
  return { code: signal === 0 ? (status.readInt32LE(0) >> 8) & 0xff : 128 + signal, signal };
}

export interface SpawnOptions {
  /** The default is this process' own. */
  cwd?: string;
  env: NodeJS.ProcessEnv;
  /** Called once when it has ended. */
  exited?: (exit: Exit) => void;
  /** What the child has open: its descriptor n is a copy of `descriptors[n]`, and it has no other. */
  descriptors: readonly number[];
}

/**
 * Starts `file` (an absolute path) and gives back its PID; the process is reaped when it has ended.
 * @throws SyscallError ENOENT, EACCES…
 */
export function spawnProcess(file: string, args: readonly string[], options: SpawnOptions): number {
  const actions = Buffer.alloc(OPAQUE_BYTES);
  c.actionsInit(actions);
  const lifted: number[] = [];
  try {
    // Copied to numbers above the child's first, so that no dup2 overwrites what a later one copies.
    for (const [wanted, own] of options.descriptors.entries()) {
      const high = c.fcntl(own, F_DUPFD_CLOEXEC, options.descriptors.length) as number;
      if (high < 0) throw new SyscallError(`dup ${own}`, koffi.errno());
      lifted.push(high);
      c.addDup2(actions, high, wanted);
    }
    if (options.cwd !== undefined) c.addChdir(actions, options.cwd);
    const pid = Buffer.alloc(4);
    const env = Object.entries(options.env).map(([key, value]) => `${key}=${value ?? ''}`);
    // posix_spawn gives the error number back instead of setting errno.
    const errno = c.spawn(pid, file, actions, attributes, [file, ...args, null], [...env, null]) as number;
    if (errno !== 0) throw new SyscallError(`spawn ${file}`, errno);
    const child = pid.readInt32LE(0);
    watchPidfd(child, () => {
      const exit = reap(child);
      options.exited?.(exit);
    });
    return child;
  } finally {
    for (const fd of lifted) closeDescriptor(fd);
    c.actionsDestroy(actions);
  }
}
