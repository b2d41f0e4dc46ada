/** Writes tars: ustar headers, with pax records for what does not fit them (POSIX.1-2001 pax). Names are latin1, one character a byte. */
import { BLOCK } from './tar-fields.ts';
import type { TarEntryType } from './tar-reader.ts';

export interface TarHeader {
  /** Of a folder without the slash, which is added. */
  name: string;
  type: TarEntryType;
  /** Permission bits with setuid, setgid and sticky. */
  mode: number;
  uid?: number;
  gid?: number;
  /** Of a file's content, which must follow, padded with `padding`. */
  size?: number;
  /** Whole Unix seconds. */
  mtime?: number;
  link?: string;
  major?: number;
  minor?: number;
  xattrs?: ReadonlyMap<string, Buffer>;
}

const FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};
const isPlain = (text: string) => /^[\x20-\x7e]*$/.test(text);

function paxRecord(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3; // space, equals sign, line break
  let length = rest + 1;
  while (String(length).length + rest > length) length += 1;
  return Buffer.concat([Buffer.from(`${length} ${key}=`, 'latin1'), value, Buffer.from('\n')]);
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}
const fits = (value: number, width: number) => value >= 0 && value < 8 ** (width - 1);

/** Splits a name at a slash so that 155 + 100 bytes hold it; undefined: they cannot. */
function splitName(name: string): { prefix: string; rest: string } | undefined {
  if (name.length <= 100) return { prefix: '', rest: name };
  for (let at = name.indexOf('/', name.length - 101); at > 0; at = name.indexOf('/', at + 1))
    if (at <= 155 && at < name.length - 1) return { prefix: name.slice(0, at), rest: name.slice(at + 1) };
  return undefined;
}

function ustar(header: TarHeader, name: { prefix: string; rest: string }, flag: string): Buffer {
  const { mode, uid = 0, gid = 0, size = 0, mtime = 0, link = '', major = 0, minor = 0 } = header;
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, at: number) => block.write(text, at, 'latin1');
  put(name.rest.slice(0, 100), 0);
  put(octal(mode & 0o7777, 8), 100);
  put(octal(fits(uid, 8) ? uid : 0, 8), 108);
  put(octal(fits(gid, 8) ? gid : 0, 8), 116);
  put(octal(fits(size, 12) ? size : 0, 12), 124);
  put(octal(fits(mtime, 12) ? mtime : 0, 12), 136);
  put(' '.repeat(8), 148);
  put(flag, 156);
  put(link.slice(0, 100), 157);
  put('ustar\x0000', 257);
  put(octal(fits(major, 8) ? major : 0, 8), 329);
  put(octal(fits(minor, 8) ? minor : 0, 8), 337);
  put(name.prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** The header blocks of an entry. */
export function tarHeader(header: TarHeader): Buffer {
  const name = header.type === 'directory' ? `${header.name}/` : header.name;
  const { uid = 0, gid = 0, size = 0, mtime = 0, link = '' } = header;
  const split = isPlain(name) ? splitName(name) : undefined;
  const records: Buffer[] = [];
  const record = (key: string, value: Buffer | string) =>
    records.push(paxRecord(key, typeof value === 'string' ? Buffer.from(value, 'latin1') : value));
  if (!split) record('path', name);
  if (link.length > 100 || !isPlain(link)) record('linkpath', link);
  if (!fits(uid, 8)) record('uid', String(uid));
  if (!fits(gid, 8)) record('gid', String(gid));
  if (!fits(size, 12)) record('size', String(size));
  if (!fits(mtime, 12)) record('mtime', String(mtime));
  for (const [key, value] of [...(header.xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)))
    record(`SCHILY.xattr.${key}`, value);
  const main = ustar(header, split ?? { prefix: '', rest: name }, FLAGS[header.type]);
  if (records.length === 0) return main;
  const data = Buffer.concat(records);
  const base = name.replace(/\/$/, '').split('/').at(-1) ?? '';
  const extra = { name: '', type: 'file', mode: 0o644, size: data.length, mtime } as const;
  const paxName = { prefix: '', rest: `PaxHeaders.0/${base}`.replace(/[^\x20-\x7e]/g, '_') };
  return Buffer.concat([ustar(extra, paxName, 'x'), data, padding(data.length), main]);
}

/** What fills a file's content up to whole blocks. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** The two empty blocks that end a tar. */
export const TAR_END = Buffer.alloc(2 * BLOCK);
