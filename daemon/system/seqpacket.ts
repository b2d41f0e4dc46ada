/**
 * SOCK_SEQPACKET clients, which node:net cannot open: conmon's attach socket is one (field/conmon.md). One epoll descriptor and one
 * asynchronous epoll_wait serve all of them; while none is open nothing runs.
 */
import koffi from 'koffi';
import { SyscallError } from './syscalls.ts';

const libc = koffi.load('libc.so.6');
const epollEvent = koffi.pack('galley_epoll_event', { events: 'uint32_t', fd: 'int32_t', pad: 'uint32_t' });
const c = {
  socket: libc.func('int socket(int, int, int)'),
  connect: libc.func('int connect(int, void*, uint32_t)'),
  close: libc.func('int close(int)'),
  shutdown: libc.func('int shutdown(int, int)'),
  send: libc.func('int64_t send(int, void*, size_t, int)'),
  recv: libc.func('int64_t recv(int, void*, size_t, int)'),
  epollCreate: libc.func('int epoll_create1(int)'),
  epollCtl: libc.func('int epoll_ctl(int, int, int, galley_epoll_event*)'),
  epollWait: libc.func('int epoll_wait(int, void*, int, int)'),
};
void epollEvent;
const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const EAGAIN = 11;
const EPOLLIN = 1;
const EPOLLOUT = 4;
const CTL = { add: 1, modify: 3 };
const MAX_EVENTS = 64;
const EVENT_BYTES = 12;
/** conmon cuts longer messages silently; 8 KiB arrive whole (field/conmon.md). */
const MESSAGE = 8192;

let epoll = -1;
let waiting = false;
const events = Buffer.alloc(EVENT_BYTES * MAX_EVENTS);
const receiveBuffer = Buffer.alloc(65536);
const open = new Map<number, SeqpacketSocket>();

function pump(): void {
  if (waiting || open.size === 0) return;
  waiting = true;
  c.epollWait.async(epoll, events, MAX_EVENTS, 500, (_error: unknown, count: number) => {
    waiting = false;
    for (let i = 0; i < count; i += 1)
      open.get(events.readInt32LE(i * EVENT_BYTES + 4))?.onReady(events.readUInt32LE(i * EVENT_BYTES));
    pump();
  });
}

export class SeqpacketSocket {
  readonly #fd: number;
  #interest = EPOLLIN;
  #queue: { data: Buffer; done: () => void }[] = [];
  #ending = false;
  #closed = false;
  #early: Buffer[] = [];
  #onMessage: ((message: Buffer) => void) | null = null;
  #onEnd: (() => void) | null = null;

  /** Connects at once (a unix socket does not wait). @throws SyscallError, e.g. ENOENT, ECONNREFUSED. */
  constructor(path: string) {
    if (epoll < 0) epoll = c.epollCreate(SOCK_CLOEXEC);
    this.#fd = c.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (this.#fd < 0) throw new SyscallError('socket', koffi.errno());
    const address = Buffer.alloc(110);
    address.writeUInt16LE(AF_UNIX, 0);
    const length = address.write(path, 2, 107);
    if (c.connect(this.#fd, address, 2 + length + 1) < 0) {
      const errno = koffi.errno();
      c.close(this.#fd);
      throw new SyscallError(`connect ${path}`, errno);
    }
    open.set(this.#fd, this);
    c.epollCtl(epoll, CTL.add, this.#fd, { events: this.#interest, fd: this.#fd, pad: 0 });
    pump();
  }

  /** What came before the listener is handed over first. */
  onMessage(listener: (message: Buffer) => void): void {
    this.#onMessage = listener;
    for (const message of this.#early.splice(0)) listener(message);
  }

  /** Called once, at once when the peer has gone already. */
  onEnd(listener: () => void): void {
    this.#onEnd = listener;
    if (this.#closed) listener();
  }

  /** Resolves when the kernel has taken everything, or the socket is closed. */
  write(data: Buffer): Promise<void> {
    if (this.#closed || data.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      for (let at = 0; at < data.length; at += MESSAGE) {
        const last = at + MESSAGE >= data.length;
        this.#queue.push({ data: Buffer.from(data.subarray(at, at + MESSAGE)), done: last ? resolve : () => {} });
      }
      this.#flush();
    });
  }

  /** Closes the sending side once everything is sent. */
  endInput(): void {
    this.#ending = true;
    if (!this.#closed) this.#flush();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    open.delete(this.#fd);
    c.close(this.#fd);
    for (const { done } of this.#queue.splice(0)) done();
    this.#onEnd?.();
  }

  /** For the pump alone. */
  onReady(ready: number): void {
    if (ready & EPOLLOUT) this.#flush();
    if (!(ready & ~EPOLLOUT)) return;
    for (let i = 0; i < 64 && !this.#closed; i += 1) {
      const n = Number(c.recv(this.#fd, receiveBuffer, receiveBuffer.length, 0));
      if (n > 0) {
        const message = Buffer.from(receiveBuffer.subarray(0, n));
        if (this.#onMessage) this.#onMessage(message);
        else this.#early.push(message);
      } else if (n < 0 && koffi.errno() === EAGAIN) return;
      else this.close();
    }
  }

  #watch(interest: number): void {
    if (interest === this.#interest) return;
    this.#interest = interest;
    c.epollCtl(epoll, CTL.modify, this.#fd, { events: interest, fd: this.#fd, pad: 0 });
  }

  #flush(): void {
    while (this.#queue.length > 0) {
      const head = this.#queue[0] as { data: Buffer; done: () => void };
      if (Number(c.send(this.#fd, head.data, head.data.length, MSG_NOSIGNAL)) < 0) {
        if (koffi.errno() === EAGAIN) this.#watch(EPOLLIN | EPOLLOUT);
        else this.close();
        return;
      }
      this.#queue.shift();
      setImmediate(head.done);
    }
    this.#watch(EPOLLIN);
    if (this.#ending) c.shutdown(this.#fd, 1);
  }
}
