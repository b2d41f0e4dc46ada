/** DNS on the wire (RFC 1035, EDNS of RFC 6891): as much as a name server needs that answers a few types itself and forwards the rest. Pure. */

export const TYPE = { A: 1, SOA: 6, PTR: 12, AAAA: 28, OPT: 41 } as const;
export const RCODE = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3 } as const;
const CLASS_IN = 1;
const HEADER = 12;
const FLAG = {
  response: 0x8000,
  opcode: 0x7800,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursion: 0x0100,
  available: 0x0080,
};
const MAX_NAME = 255;
/** Without EDNS a datagram carries no more. */
const PLAIN_UDP = 512;
const OUR_UDP = 1232;

export interface Question {
  /** Lower case, without the last dot. */
  name: string;
  type: number;
  /** Where the question ends in its message. */
  end: number;
  /** What the client takes in one datagram. */
  udpSize: number;
  edns: boolean;
}

export interface Answer {
  type: number;
  data: Buffer;
}

/** A name at `at`, following pointers; undefined when it is broken. `end`: behind it, where it stands. */
function readName(message: Buffer, at: number): { name: string; end: number } | undefined {
  const labels: string[] = [];
  let end = -1;
  let length = 0;
  for (let jumps = 0; ; ) {
    const size = message[at];
    if (size === undefined) return undefined;
    if ((size & 0xc0) === 0xc0) {
      const low = message[at + 1];
      if (low === undefined || (jumps += 1) > 32) return undefined;
      if (end < 0) end = at + 2;
      at = ((size & 0x3f) << 8) | low;
      continue;
    }
    if (size > 63 || (length += size + 1) > MAX_NAME || at + 1 + size > message.length) return undefined;
    if (size === 0) return { name: labels.join('.'), end: end < 0 ? at + 1 : end };
    labels.push(message.toString('latin1', at + 1, at + 1 + size));
    at += size + 1;
  }
}

/** Behind the record at `at`, with what a cache wants to know of it. */
function readRecord(message: Buffer, at: number) {
  const owner = readName(message, at);
  if (!owner || owner.end + 10 > message.length) return undefined;
  const { end: head } = owner;
  const length = message.readUInt16BE(head + 8);
  if (head + 10 + length > message.length) return undefined;
  return {
    type: message.readUInt16BE(head),
    classOrSize: message.readUInt16BE(head + 2),
    ttlAt: head + 4,
    ttl: message.readUInt32BE(head + 4),
    dataAt: head + 10,
    end: head + 10 + length,
  };
}

/** The one question of a query; undefined for what is none. */
export function readQuestion(message: Buffer): Question | undefined {
  if (message.length < HEADER) return undefined;
  const flags = message.readUInt16BE(2);
  if (flags & (FLAG.response | FLAG.opcode) || message.readUInt16BE(4) !== 1) return undefined;
  const found = readName(message, HEADER);
  if (!found || found.end + 4 > message.length) return undefined;
  const question = {
    name: found.name.toLowerCase(),
    type: message.readUInt16BE(found.end),
    end: found.end + 4,
    udpSize: PLAIN_UDP,
    edns: false,
  };
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  for (let at = question.end, i = 0; i < records; i += 1) {
    const record = readRecord(message, at);
    if (!record) return undefined;
    if (record.type === TYPE.OPT) {
      question.edns = true;
      question.udpSize = Math.max(PLAIN_UDP, record.classOrSize);
    }
    at = record.end;
  }
  return question;
}

/** A reply of our own. What does not fit into `limit` bytes is left out and the reply says that it was cut. */
export function reply(
  query: Buffer,
  question: Question | undefined,
  rcode: number,
  answers: readonly Answer[],
  options: { ttl: number; limit: number },
): Buffer {
  const head = Buffer.alloc(HEADER);
  query.copy(head, 0, 0, 2);
  const asked = query.length >= 4 ? query.readUInt16BE(2) & (FLAG.recursion | FLAG.opcode) : 0;
  const parts = [head, question ? query.subarray(HEADER, question.end) : Buffer.alloc(0)];
  const opt = question?.edns ? [Buffer.from([0, 0, TYPE.OPT, OUR_UDP >> 8, OUR_UDP & 0xff, 0, 0, 0, 0, 0, 0])] : [];
  let room = options.limit - parts.reduce((sum, part) => sum + part.length, 0) - (opt[0]?.length ?? 0);
  let count = 0;
  for (const { type, data } of answers) {
    const record = Buffer.alloc(12 + data.length);
    record.writeUInt16BE(0xc000 | HEADER, 0); // the name of the question
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(CLASS_IN, 4);
    record.writeUInt32BE(options.ttl, 6);
    record.writeUInt16BE(data.length, 10);
    data.copy(record, 12);
    if ((room -= record.length) < 0) break;
    parts.push(record);
    count += 1;
  }
  const cut = count < answers.length ? FLAG.truncated : 0;
  head.writeUInt16BE(FLAG.response | FLAG.available | asked | cut | rcode, 2);
  head.writeUInt16BE(question ? 1 : 0, 4);
  head.writeUInt16BE(count, 6);
  head.writeUInt16BE(opt.length, 10);
  return Buffer.concat([...parts, ...opt]);
}

/** The same reply for a client that takes less: only its head, marked as cut, so that it asks again over TCP. */
export function cutTo(message: Buffer, question: Question, limit: number): Buffer {
  if (message.length <= limit) return message;
  const cut = Buffer.from(message.subarray(0, question.end));
  cut.writeUInt16BE(cut.readUInt16BE(2) | FLAG.truncated, 2);
  cut.fill(0, 6, HEADER);
  return cut;
}

export const isTruncated = (message: Buffer): boolean => (message.readUInt16BE(2) & FLAG.truncated) !== 0;
export const rcodeOf = (message: Buffer): number => message.readUInt16BE(2) & 0xf;

/** True when this is the reply to that query: same id, same question. */
export function isReplyTo(message: Buffer, query: Buffer, question: Question): boolean {
  return (
    message.length >= question.end &&
    message.readUInt16BE(0) === query.readUInt16BE(0) &&
    (message.readUInt16BE(2) & FLAG.response) !== 0 &&
    message.toString('latin1', HEADER, question.end).toLowerCase() ===
      query.toString('latin1', HEADER, question.end).toLowerCase()
  );
}

/**
 * How long a reply may be kept, in seconds, and where its times to live stand; undefined for one that may not: cut, failed, or broken.
 * A "no such name" lives as long as its SOA record says (RFC 2308).
 */
export function lifetime(message: Buffer, question: Question): { seconds: number; ttlOffsets: number[] } | undefined {
  const rcode = rcodeOf(message);
  if (isTruncated(message) || (rcode !== RCODE.ok && rcode !== RCODE.noSuchName)) return undefined;
  const answers = message.readUInt16BE(6);
  const records = answers + message.readUInt16BE(8) + message.readUInt16BE(10);
  const ttlOffsets: number[] = [];
  let seconds = Number.POSITIVE_INFINITY;
  for (let at = question.end, i = 0; i < records; i += 1) {
    const record = readRecord(message, at);
    if (!record) return undefined;
    if (record.type !== TYPE.OPT) {
      ttlOffsets.push(record.ttlAt);
      const isSoa = record.type === TYPE.SOA && i >= answers;
      const minimum = isSoa ? message.readUInt32BE(record.end - 4) : Number.POSITIVE_INFINITY;
      if (i < answers || isSoa) seconds = Math.min(seconds, record.ttl, minimum);
    }
    at = record.end;
  }
  return Number.isFinite(seconds) ? { seconds, ttlOffsets } : undefined;
}

/** A name as record data. */
export function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

/** `2.0.17.172.in-addr.arpa` as 172.17.0.2; undefined for what is no IPv4 reverse name. */
export function reverseAddress(name: string): string | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  return match ? match.slice(1).reverse().join('.') : undefined;
}
