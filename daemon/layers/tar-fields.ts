/** The fields of tar headers and pax records (POSIX.1-2001 pax; GNU tar manual, "Basic Tar Format"). */

/** The tar is not one, or asks for what no layer may have. */
export class TarError extends Error {}

export const BLOCK = 512;

/** An octal or base-256 number. @throws TarError */
export function readNumber(header: Buffer, at: number, length: number): number {
  const first = header[at] as number;
  if (first & 0x80) {
    let value = BigInt(first & 0x7f);
    for (let i = 1; i < length; i += 1) value = (value << 8n) | BigInt(header[at + i] as number);
    if (first & 0x40) value -= 1n << BigInt(8 * length - 1);
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new TarError('a number in a header is out of range');
    return number;
  }
  let place = at;
  const end = at + length;
  while (place < end && header[place] === 0x20) place += 1;
  let value = 0;
  for (; place < end; place += 1) {
    const digit = header[place] as number;
    if (digit === 0 || digit === 0x20) break;
    if (digit < 0x30 || digit > 0x37)
      throw new TarError(
        `a header holds ${JSON.stringify(readText(header, at, length))} where an octal number belongs`,
      );
    value = value * 8 + digit - 0x30;
  }
  return value;
}

/** Text up to the first NUL, latin1. */
export function readText(header: Buffer, at: number, length: number): string {
  const end = header.indexOf(0, at);
  return header.toString('latin1', at, end < 0 || end > at + length ? at + length : end);
}

/** Whether a header's checksum is that of its bytes. */
export function checksumHolds(header: Buffer): boolean {
  let sum = 0;
  for (let i = 0; i < BLOCK; i += 1) sum += i >= 148 && i < 156 ? 32 : (header[i] as number);
  return sum === readNumber(header, 148, 8);
}

/** The records of a pax header. GNU's oldest sparse format repeats its keys: those come back as one `GNU.sparse.map`. */
export function parsePax(data: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  const map: string[] = [];
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(data.toString('latin1', at, space));
    const equals = data.indexOf(0x3d, space);
    if (!Number.isInteger(length) || length <= 0 || at + length > data.length || equals < 0 || equals >= at + length)
      throw new TarError('a pax record is malformed');
    const key = data.toString('latin1', space + 1, equals);
    const value = Buffer.from(data.subarray(equals + 1, at + length - 1));
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') map.push(value.toString('latin1'));
    else records.set(key, value);
    at += length;
  }
  if (map.length > 0) records.set('GNU.sparse.map', Buffer.from(map.join(',')));
  return records;
}

export type Pax = ReadonlyMap<string, Buffer>;

/** A number of a pax record, else `fallback`. @throws TarError */
export function paxNumber(pax: Pax, key: string, fallback: () => number): number {
  const value = pax.get(key);
  if (value === undefined) return fallback();
  const number = Number(value.toString('latin1'));
  if (!Number.isSafeInteger(number)) throw new TarError(`pax ${key} is ${JSON.stringify(value.toString())}`);
  return number;
}

/** A pax time: decimal seconds with any number of digits behind the point, negative before 1970. */
export function paxTime(value: Buffer): { mtime: number; mtimeNs: number } {
  const text = value.toString('latin1');
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (!match) throw new TarError(`pax mtime is ${JSON.stringify(text)}`);
  const seconds = Number(match[2]);
  const nanos = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match[1] !== '-') return { mtime: seconds, mtimeNs: nanos };
  return nanos === 0 ? { mtime: -seconds, mtimeNs: 0 } : { mtime: -seconds - 1, mtimeNs: 1e9 - nanos };
}
