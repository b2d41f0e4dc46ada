/** The old iptables of the kernel, which nft does not show (linux/netfilter_ipv4/ip_tables.h). */
import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import { closeDescriptor, SyscallError } from './syscalls.ts';

const libc = koffi.load('libc.so.6');
const c = {
  socket: libc.func('int socket(int, int, int)'),
  getsockopt: libc.func('int getsockopt(int, int, int, void*, void*)'),
};
const AF_INET = 2;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const IPPROTO_RAW = 255;
const IPPROTO_IP = 0;
const GET_INFO = 64;
const GET_ENTRIES = 65;
const NAME_BYTES = 32;
const INFO_BYTES = 84;
const FORWARD = 2;
const ENTRY_TARGET_OFFSET = 88;
const TARGET_BYTES = 32;
const VERDICT_DROP = -1;

export interface OldFilterTable {
  /** The forward chain ends by dropping. */
  forwardDrops: boolean;
  /** True when this text stands in it: a chain's name, a comment. */
  mentions(text: string): boolean;
}

function option(fd: number, name: number, buffer: Buffer): void {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(buffer.length);
  if (c.getsockopt(fd, IPPROTO_IP, name, buffer, length) < 0)
    throw new SyscallError('read the iptables filter table', koffi.errno());
}

/** The filter table of this namespace; undefined when nobody uses it (asking would bring it into being). @throws SyscallError */
export function readOldFilterTable(): OldFilterTable | undefined {
  let names: string;
  try {
    names = readFileSync('/proc/thread-self/net/ip_tables_names', 'utf8');
  } catch {
    return undefined; // a kernel without it
  }
  if (!names.split('\n').includes('filter')) return undefined;
  const fd = c.socket(AF_INET, SOCK_RAW_CLOEXEC, IPPROTO_RAW);
  if (fd < 0) throw new SyscallError('socket', koffi.errno());
  try {
    const info = Buffer.alloc(INFO_BYTES);
    info.write('filter');
    option(fd, GET_INFO, info);
    const underflow = info.readUInt32LE(NAME_BYTES + 4 + 5 * 4 + FORWARD * 4);
    const size = info.readUInt32LE(NAME_BYTES + 4 + 10 * 4 + 4);
    const entries = Buffer.alloc(NAME_BYTES + 8 + size);
    entries.write('filter');
    entries.writeUInt32LE(size, NAME_BYTES);
    option(fd, GET_ENTRIES, entries);
    const rules = entries.subarray(NAME_BYTES + 8);
    const target = underflow + rules.readUInt16LE(underflow + ENTRY_TARGET_OFFSET);
    return {
      forwardDrops: rules.readInt32LE(target + TARGET_BYTES) === VERDICT_DROP,
      mentions: (text) => rules.includes(`${text}\0`),
    };
  } finally {
    closeDescriptor(fd);
  }
}
