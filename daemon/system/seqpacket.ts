/**
 * SOCK_SEQPACKET client sockets, which Node's net cannot open (field/conmon.md): message boundaries kept, writes in pieces that
 * conmon takes whole. Nothing is read before the first `resume`.
 */
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import koffi from 'koffi';
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, rewatch, unwatch, watch } from './epoll.ts';
import { closeDescriptor, SyscallError } from './syscalls.ts';

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const NONBLOCK = 0o4000;
const CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;
const EAGAIN = 11;
const EINTR = 4;
const EPIPE = 32;
const ECONNRESET = 104;
/** conmon truncates longer messages silently (field/conmon.md). */
const MAX_MESSAGE = 8192;
/** Messages read from one socket before the others have their turn. */
const READ_BURST = 64;
/** struct sockaddr_un holds 108 bytes with the closing zero. */
const MAX_SOCKET_PATH = 107;

const libc = koffi.load('libc.so.6');
const c = {
  socket: libc.func('int socket(int, int, int)'),
  connect: libc.func('int connect(int, const void*, uint32_t)'),
  shutdown: libc.func('int shutdown(int, int)'),
  send: libc.func('int64_t send(int, const void*, size_t, int)'),
  recv: libc.func('int64_t recv(int, void*, size_t, int)'),
};
const scratch = Buffer.alloc(65536);

export interface SeqpacketHandlers {
  /** One message. */
  message(data: Buffer): void;
  /** The other side closed, or `close` was called. Once. */
  end(): void;
}

interface Pending {
  data: Buffer;
  done(error?: Error): void;
}

function connectTo(fd: number, address: string): void {
  const bytes = Buffer.alloc(2 + Buffer.byteLength(address) + 1);
  bytes.writeUInt16LE(AF_UNIX, 0);
  bytes.write(address, 2);
  if (c.connect(fd, bytes, bytes.length) < 0) throw new SyscallError(`connect ${address}`, koffi.errno());
}

/** A longer path is reached through its folder's descriptor. */
function connectAnywhere(fd: number, socketPath: string): void {
  if (Buffer.byteLength(socketPath) <= MAX_SOCKET_PATH) {
    connectTo(fd, socketPath);
    return;
  }
  const folder = openSync(path.dirname(socketPath), 'r');
  try {
    connectTo(fd, `/proc/self/fd/${folder}/${path.basename(socketPath)}`);
  } finally {
    closeSync(folder);
  }
}

export class SeqpacketSocket {
  #fd: number;
  readonly #handlers: SeqpacketHandlers;
  readonly #queue: Pending[] = [];
  #reading = false;
  #writing = false;
  /** What epoll waits for; undefined: it does not know the socket. */
  #watched: number | undefined;
  #ending = false;

  /**
   * Connects at once: a unix socket keeps nobody waiting unless its backlog is full.
   * @throws SyscallError ENOENT, ECONNREFUSED, EAGAIN
   */
  constructor(socketPath: string, handlers: SeqpacketHandlers) {
    this.#handlers = handlers;
    const fd = c.socket(AF_UNIX, SOCK_SEQPACKET | CLOEXEC | NONBLOCK, 0);
    if (fd < 0) throw new SyscallError('socket', koffi.errno());
    this.#fd = fd;
    try {
      connectAnywhere(fd, socketPath);
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
  }

  /** Reads on, and from here on notices that the other side has closed. */
  resume(): void {
    this.#reading = true;
    this.#arm();
  }

  /** Reads no more: the kernel's buffer fills, then the sender waits. */
  pause(): void {
    this.#reading = false;
    this.#arm();
  }

  #arm(): void {
    if (this.#fd < 0) return;
    const wanted = (this.#reading ? EPOLLIN : 0) | (this.#writing ? EPOLLOUT : 0);
    if (wanted === (this.#watched ?? 0)) return;
    // The kernel reports a hang-up whether it is asked for or not, again and again: a socket that waits for nothing is not in epoll.
    if (wanted === 0) unwatch(this.#fd);
    else if (this.#watched === undefined) watch(this.#fd, wanted, (events) => this.#ready(events));
    else rewatch(this.#fd, wanted);
    this.#watched = wanted === 0 ? undefined : wanted;
  }

  #ready(events: number): void {
    if (events & EPOLLOUT) this.#flush();
    if (!this.#reading) {
      if (events & (EPOLLHUP | EPOLLERR)) this.#fail(new SyscallError('send', EPIPE));
      return;
    }
    if ((events & ~EPOLLOUT) === 0) return;
    for (let i = 0; i < READ_BURST && this.#reading && this.#fd >= 0; i += 1) {
      const n = Number(c.recv(this.#fd, scratch, scratch.length, 0));
      if (n > 0) {
        this.#handlers.message(Buffer.from(scratch.subarray(0, n)));
        continue;
      }
      const errno = n < 0 ? koffi.errno() : 0;
      // A sender that closed without having read all it got: the kernel tells that once, before the messages that still wait here.
      if (errno === EINTR || errno === ECONNRESET) continue;
      if (errno !== EAGAIN) this.close();
      return;
    }
  }

  /** Resolves when the kernel has all of it; keeps the order of calls. Rejects when the other side is gone. */
  write(data: Buffer): Promise<void> {
    if (this.#fd < 0 || this.#ending) return Promise.reject(new SyscallError('send', EPIPE));
    if (data.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      for (let at = 0; at < data.length; at += MAX_MESSAGE) {
        const last = at + MAX_MESSAGE >= data.length;
        this.#queue.push({
          data: data.subarray(at, at + MAX_MESSAGE),
          done: (error) => (error ? reject(error) : last ? resolve() : undefined),
        });
      }
      if (!this.#writing) this.#flush();
    });
  }

  #flush(): void {
    let blocked = false;
    while (this.#queue[0] && this.#fd >= 0) {
      const { data, done } = this.#queue[0];
      if (Number(c.send(this.#fd, data, data.length, MSG_NOSIGNAL)) < 0) {
        const errno = koffi.errno();
        if (errno === EINTR) continue;
        blocked = errno === EAGAIN;
        if (!blocked) this.#fail(new SyscallError('send', errno));
        break;
      }
      this.#queue.shift();
      done();
    }
    this.#writing = blocked;
    this.#arm();
    if (this.#ending && !blocked && this.#fd >= 0) c.shutdown(this.#fd, SHUT_WR);
  }

  /** Nothing that waits can be sent any more. */
  #fail(error: Error): void {
    this.#writing = false;
    this.#arm();
    for (const { done } of this.#queue.splice(0)) done(error);
  }

  /** Closes the writing half after what is queued. */
  endInput(): void {
    if (this.#fd < 0 || this.#ending) return;
    this.#ending = true;
    if (this.#queue.length === 0) c.shutdown(this.#fd, SHUT_WR);
  }

  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#reading = false;
    this.#fail(new SyscallError('send', EPIPE));
    this.#fd = -1;
    closeDescriptor(fd);
    this.#handlers.end();
  }
}
