/** Netlink's wire format (netlink(7), linux/netlink.h): little-endian headers, attributes padded to four bytes. Pure. */

export const FLAG = {
  request: 1,
  ack: 4,
  echo: 8,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
} as const;

const HEADER = 16;
const ATTRIBUTE_HEADER = 4;
const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

const pad = (length: number): number => (length + 3) & ~3;

/** One attribute: its type and bytes. */
export function attribute(type: number, value: Buffer): Buffer {
  const buffer = Buffer.alloc(pad(ATTRIBUTE_HEADER + value.length));
  buffer.writeUInt16LE(ATTRIBUTE_HEADER + value.length, 0);
  buffer.writeUInt16LE(type, 2);
  value.copy(buffer, ATTRIBUTE_HEADER);
  return buffer;
}

export const nested = (type: number, ...parts: Buffer[]): Buffer => attribute(type | NESTED, Buffer.concat(parts));
export const text = (type: number, value: string): Buffer => attribute(type, Buffer.from(`${value}\0`));
export const u8 = (type: number, value: number): Buffer => attribute(type, Buffer.from([value]));
export function u32(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return attribute(type, bytes);
}
/** As netfilter's tables want their numbers. */
export function u32be(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return attribute(type, bytes);
}

export interface Request {
  type: number;
  flags: number;
  /** The family's own header and the attributes. */
  body: Buffer;
}

/** A request with its header; `sequence` ties the answers to it. */
export function encode({ type, flags, body }: Request, sequence: number): Buffer {
  const buffer = Buffer.alloc(pad(HEADER + body.length));
  buffer.writeUInt32LE(HEADER + body.length, 0);
  buffer.writeUInt16LE(type, 4);
  buffer.writeUInt16LE(flags | FLAG.request, 6);
  buffer.writeUInt32LE(sequence, 8);
  body.copy(buffer, HEADER);
  return buffer;
}

export interface Message {
  type: number;
  sequence: number;
  body: Buffer;
}

/** The messages of one datagram. */
export function decode(datagram: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at + HEADER <= datagram.length; ) {
    const length = datagram.readUInt32LE(at);
    if (length < HEADER || at + length > datagram.length) break;
    messages.push({
      type: datagram.readUInt16LE(at + 4),
      sequence: datagram.readUInt32LE(at + 8),
      body: datagram.subarray(at + HEADER, at + length),
    });
    at += pad(length);
  }
  return messages;
}

/** The attributes from `offset` on, the last of each type. */
export function attributes(body: Buffer, offset = 0): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = offset; at + ATTRIBUTE_HEADER <= body.length; ) {
    const length = body.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER || at + length > body.length) break;
    found.set(body.readUInt16LE(at + 2) & TYPE_MASK, body.subarray(at + ATTRIBUTE_HEADER, at + length));
    at += pad(length);
  }
  return found;
}

/** The values of a list attribute, in order. */
export function elements(body: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at + ATTRIBUTE_HEADER <= body.length; ) {
    const length = body.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER || at + length > body.length) break;
    found.push(body.subarray(at + ATTRIBUTE_HEADER, at + length));
    at += pad(length);
  }
  return found;
}

export const stringOf = (value: Buffer | undefined): string => value?.toString('utf8').replace(/\0.*$/s, '') ?? '';
