/**
 * A netlink socket through koffi: a request costs microseconds where a spawned `ip` or `nft` costs 3 ms and more. The kernel works
 * off a request within send(2), waiting for its lock there (a dying namespace holds it for 20 ms and more), so that send runs on a
 * thread of the pool; when it returns the answer is there and is read at once. One socket serves one caller at a time.
 */
import koffi from 'koffi';
import { SyscallError } from '../syscalls.ts';
import { decode, encode, FLAG, type Message, type Request } from './messages.ts';

const libc = koffi.load('libc.so.6');
const c = {
  socket: libc.func('int socket(int, int, int)'),
  setsockopt: libc.func('int setsockopt(int, int, int, const void*, uint32_t)'),
  close: libc.func('int close(int)'),
  send: libc.func('int64_t send(int, const void*, size_t, int)'),
  recv: libc.func('int64_t recv(int, void*, size_t, int)'),
};
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const SO_RCVBUFFORCE = 33;
const SO_SNDBUFFORCE = 32;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const RECEIVE_BUFFER = Buffer.alloc(1 << 20);
/** The kernel fills at most 32 KiB at a time. */
const DUMP_BUFFER = 1 << 16;

export const NETLINK = { route: 0, netfilter: 12 } as const;

export class NetlinkSocket {
  readonly #fd: number;
  #sequence = 0;

  /** A socket of the network namespace that the thread is in now; it stays there. @throws SyscallError */
  constructor(protocol: number) {
    this.#fd = c.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (this.#fd < 0) throw new SyscallError('socket netlink', koffi.errno());
    // An answer that never comes must not stop the daemon.
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(5n, 0);
    c.setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
    const size = Buffer.alloc(4);
    size.writeInt32LE(4 << 20);
    // 10,000 ports in one transaction are 600 KB.
    for (const option of [SO_RCVBUF, SO_RCVBUFFORCE, SO_SNDBUFFORCE])
      c.setsockopt(this.#fd, SOL_SOCKET, option, size, size.length);
  }

  /**
   * Sends the requests in one datagram and waits for every acknowledgement.
   * @param what for the message of an error
   * @throws SyscallError with the code of the first request that was refused; the others have been worked off all the same
   */
  async send(what: string, requests: readonly Request[]): Promise<Message[]> {
    const first = this.#sequence + 1;
    await this.#write(
      what,
      requests.map((request) => ({ ...request, flags: request.flags | FLAG.ack })),
    );
    return this.#collect(what, first, requests.length);
  }

  /** Everything that a dump request lists; the kernel makes a long list piece by piece while it is read. @throws SyscallError */
  async dump(what: string, request: Request): Promise<Message[]> {
    const first = this.#sequence + 1;
    await this.#write(what, [{ ...request, flags: request.flags | FLAG.dump }]);
    return this.#collect(what, first, 1, true);
  }

  /** A netfilter batch: `begin`, the requests, `end`; one transaction, which is all or nothing. @throws SyscallError */
  async batch(what: string, begin: Request, requests: readonly Request[], end: Request): Promise<void> {
    const first = this.#sequence + 2;
    await this.#write(what, [
      begin,
      ...requests.map((request) => ({ ...request, flags: request.flags | FLAG.ack })),
      end,
    ]);
    await this.#collect(what, first, requests.length);
  }

  [Symbol.dispose](): void {
    // On a thread: after a deletion nftables cleans up within close(2), which takes 5 to 40 ms.
    c.close.async(this.#fd, () => {});
  }

  #read(buffer: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      c.recv.async(this.#fd, buffer, buffer.length, 0, (error: unknown, length: number | bigint) => {
        if (error) reject(error);
        else resolve(Number(length));
      });
    });
  }

  #write(what: string, requests: readonly Request[]): Promise<void> {
    const data = Buffer.concat(
      requests.map((request) => {
        this.#sequence += 1;
        return encode(request, this.#sequence);
      }),
    );
    return new Promise((resolve, reject) => {
      c.send.async(this.#fd, data, data.length, 0, (error: unknown, sent: number | bigint) => {
        if (error) reject(error);
        else if (Number(sent) < 0) reject(new SyscallError(what, koffi.errno()));
        else resolve();
      });
    });
  }

  /** `slow`: reading waits for the kernel's work, which is not to stop the main thread. */
  async #collect(what: string, first: number, count: number, slow = false): Promise<Message[]> {
    const found: Message[] = [];
    let errno = 0;
    const buffer = slow ? Buffer.alloc(DUMP_BUFFER) : RECEIVE_BUFFER;
    for (let answered = 0; answered < count; ) {
      const length = slow ? await this.#read(buffer) : Number(c.recv(this.#fd, buffer, buffer.length, 0));
      if (length < 0) throw new SyscallError(what, koffi.errno());
      for (const message of decode(buffer.subarray(0, length))) {
        const mine = message.sequence >= first && message.sequence < first + count;
        if (message.type === NLMSG_ERROR) {
          const code = -message.body.readInt32LE(0);
          // A batch that is refused as a whole answers for its begin or end.
          if (!mine && code === 0) continue;
          if (code !== 0) errno ||= code;
          answered += mine ? 1 : count;
        } else if (message.type === NLMSG_DONE) answered += mine ? 1 : 0;
        else if (mine) found.push({ ...message, body: Buffer.from(message.body) });
      }
    }
    if (errno !== 0) throw new SyscallError(what, errno);
    return found;
  }
}
