/**
 * One epoll descriptor for what Node cannot poll: SOCK_SEQPACKET sockets and pidfds. One asynchronous epoll_wait without a
 * deadline serves them all, so nothing runs while nothing happens; an eventfd wakes it when the last descriptor goes, so it
 * does not keep an idle process alive.
 */
import koffi from 'koffi';
import { SyscallError } from './syscalls.ts';

export const EPOLLIN = 1;
export const EPOLLOUT = 4;
export const EPOLLERR = 8;
export const EPOLLHUP = 16;
const CTL = { add: 1, remove: 2, change: 3 } as const;
const CLOEXEC = 0o2000000;
const NONBLOCK = 0o4000;
/** struct epoll_event is packed on x86-64 only: events at 0, data at 4 there, at 8 elsewhere. */
const PACKED = process.arch === 'x64' || process.arch === 'ia32';
const EVENT_SIZE = PACKED ? 12 : 16;
const DATA_AT = PACKED ? 4 : 8;
const BATCH = 64;

const libc = koffi.load('libc.so.6');
const c = {
  epoll_create1: libc.func('int epoll_create1(int)'),
  epoll_ctl: libc.func('int epoll_ctl(int, int, int, const void*)'),
  epoll_wait: libc.func('int epoll_wait(int, void*, int, int)'),
  eventfd: libc.func('int eventfd(unsigned int, int)'),
  write: libc.func('int64_t write(int, const void*, size_t)'),
  read: libc.func('int64_t read(int, void*, size_t)'),
};

interface Poller {
  fd: number;
  wakeFd: number;
  events: Buffer;
}
let poller: Poller | null = null;
let waiting = false;
/** Each registration has a number of its own: a descriptor closed and reused within one batch must not get the other's event. */
const listeners = new Map<number, (events: number) => void>();
const tokens = new Map<number, number>();
let nextToken = 1;

function check(call: string, result: number): number {
  if (result < 0) throw new SyscallError(call, koffi.errno());
  return result;
}

function control(epollFd: number, operation: number, fd: number, events: number, token: number): void {
  const event = Buffer.alloc(EVENT_SIZE);
  event.writeUInt32LE(events, 0);
  event.writeUInt32LE(token, DATA_AT);
  check('epoll_ctl', c.epoll_ctl(epollFd, operation, fd, event));
}

function open(): Poller {
  if (poller) return poller;
  const fd = check('epoll_create1', c.epoll_create1(CLOEXEC));
  const wakeFd = check('eventfd', c.eventfd(0, CLOEXEC | NONBLOCK));
  control(fd, CTL.add, wakeFd, EPOLLIN, 0);
  poller = { fd, wakeFd, events: Buffer.alloc(EVENT_SIZE * BATCH) };
  // Node joins its threads at the end: one that sleeps in epoll_wait would hold process.exit up.
  process.once('exit', wake);
  return poller;
}

function wake(): void {
  if (!poller || !waiting) return;
  const one = Buffer.alloc(8);
  one.writeBigUInt64LE(1n);
  c.write(poller.wakeFd, one, 8);
}

function wait(): void {
  if (waiting || listeners.size === 0) return;
  const { fd, events, wakeFd } = open();
  waiting = true;
  c.epoll_wait.async(fd, events, BATCH, -1, (error: Error | null, count: number) => {
    waiting = false;
    try {
      for (let i = 0; !error && i < count; i += 1) {
        const token = events.readUInt32LE(i * EVENT_SIZE + DATA_AT);
        if (token === 0) c.read(wakeFd, Buffer.alloc(8), 8);
        else listeners.get(token)?.(events.readUInt32LE(i * EVENT_SIZE));
      }
    } finally {
      wait(); // a listener that throws is its own trouble, not that of the others
    }
  });
}

/** Calls `listener` with the ready events of `fd`, level-triggered, until `unwatch`. @throws SyscallError */
export function watch(fd: number, events: number, listener: (events: number) => void): void {
  const token = nextToken;
  nextToken = nextToken === 0xffff_ffff ? 1 : nextToken + 1;
  control(open().fd, CTL.add, fd, events, token);
  tokens.set(fd, token);
  listeners.set(token, listener);
  wait();
}

/** Changes what is waited for. @throws SyscallError */
export function rewatch(fd: number, events: number): void {
  const token = tokens.get(fd);
  if (token !== undefined) control(open().fd, CTL.change, fd, events, token);
}

/** Forgets `fd`; call it before the descriptor is closed. @throws SyscallError */
export function unwatch(fd: number): void {
  const token = tokens.get(fd);
  if (token === undefined) return;
  tokens.delete(fd);
  listeners.delete(token);
  control(open().fd, CTL.remove, fd, 0, 0);
  if (listeners.size === 0) wake();
}
