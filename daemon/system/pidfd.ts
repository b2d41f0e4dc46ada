import koffi from 'koffi';
import { EPOLLIN, unwatch, watch } from './epoll.ts';
import { isSameProcess, type ProcessIdentity } from './processes.ts';
import { closeDescriptor, SyscallError } from './syscalls.ts';

const ESRCH = 3;
const SYS_PIDFD_OPEN = 434; // glibc has a function for it from 2.36 on
const libc = koffi.load('libc.so.6');
const syscall = libc.func('long syscall(long, int, unsigned int)');

/**
 * Calls `ended` once when the process has ended (soon, when there is none), without polling: a pidfd in the shared epoll
 * (Linux 5.3). Returns the way to stop watching.
 * @throws SyscallError
 */
export function watchPidfd(pid: number, ended: () => void): () => void {
  let over = false;
  let fd = -1;
  const stop = () => {
    over = true;
    if (fd < 0) return;
    unwatch(fd);
    closeDescriptor(fd);
    fd = -1;
  };
  const finish = () => {
    if (over) return;
    stop();
    ended();
  };
  fd = Number(syscall(SYS_PIDFD_OPEN, pid, 0));
  if (fd >= 0) {
    watch(fd, EPOLLIN, finish);
    return stop;
  }
  const errno = koffi.errno();
  if (errno !== ESRCH) throw new SyscallError(`pidfd_open ${pid}`, errno);
  setImmediate(finish);
  return stop;
}

/** The same for a process that is no child, by its identity: another one with its PID does not count. @throws SyscallError */
export function onProcessEnd(identity: ProcessIdentity, ended: () => void): () => void {
  const stop = watchPidfd(identity.pid, ended);
  if (isSameProcess(identity)) return stop;
  // The PID is another process' by now, or this one is about to be reaped.
  stop();
  const immediate = setImmediate(ended);
  return () => clearImmediate(immediate);
}
