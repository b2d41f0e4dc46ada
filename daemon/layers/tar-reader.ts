/**
 * A streaming reader of layer tars: ustar, GNU long names, PAX (names, sizes, times, xattrs), base-256 numbers.
 * Names are kept as latin1 strings, one character a byte, so that any file name survives (POSIX.1-2001 pax; GNU tar manual).
 */
export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo';

export interface TarEntry {
  /** As the tar says it, latin1. */
  name: string;
  /** Target of a symlink or hard link, latin1. */
  link: string;
  type: TarEntryType;
  /** Permission bits with setuid, setgid and sticky. */
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** Unix seconds, with a fraction where the tar has one. */
  mtime: number;
  major: number;
  minor: number;
  xattrs: ReadonlyMap<string, Buffer>;
}

/** What becomes of the entries. All synchronous: the reader sits between a stream and the disk of a worker thread. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** Content of the file announced last. */
  data(chunk: Buffer): void;
  /** The file announced last is complete. */
  endFile(): void;
}

export class TarError extends Error {}

const BLOCK = 512;
const MAX_META = 1 << 20;
const TYPES: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

function readNumber(header: Buffer, at: number, length: number): number {
  const first = header[at] as number;
  if (first & 0x80) {
    let value = BigInt(first & 0x7f);
    for (let i = 1; i < length; i += 1) value = (value << 8n) | BigInt(header[at + i] as number);
    if (first & 0x40) value -= 1n << BigInt(8 * length - 1);
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new TarError('a number in a header is out of range');
    return number;
  }
  const text = header
    .toString('latin1', at, at + length)
    .replace(/\0.*$/s, '')
    .trim();
  if (text === '') return 0;
  if (!/^[0-7]+$/.test(text))
    throw new TarError(`a header holds ${JSON.stringify(text)} where an octal number belongs`);
  return Number.parseInt(text, 8);
}

function readText(header: Buffer, at: number, length: number): string {
  const end = header.indexOf(0, at);
  return header.toString('latin1', at, end < 0 || end > at + length ? at + length : end);
}

function checksumHolds(header: Buffer): boolean {
  let sum = 0;
  for (let i = 0; i < BLOCK; i += 1) sum += i >= 148 && i < 156 ? 32 : (header[i] as number);
  return sum === readNumber(header, 148, 8);
}

function parsePax(data: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(data.toString('latin1', at, space));
    const equals = data.indexOf(0x3d, space);
    if (!Number.isInteger(length) || length <= 0 || at + length > data.length || equals < 0 || equals >= at + length)
      throw new TarError('a pax record is malformed');
    records.set(data.toString('latin1', space + 1, equals), Buffer.from(data.subarray(equals + 1, at + length - 1)));
    at += length;
  }
  return records;
}

type Pax = ReadonlyMap<string, Buffer>;

function paxNumber(pax: Pax, key: string, fallback: () => number): number {
  const value = pax.get(key);
  if (value === undefined) return fallback();
  const number = Number(value.toString('latin1'));
  if (!Number.isFinite(number)) throw new TarError(`pax ${key} is ${JSON.stringify(value.toString())}`);
  return number;
}

export class TarReader {
  readonly #sink: TarSink;
  readonly #header = Buffer.alloc(BLOCK);
  #fill = 0;
  /** Bytes of the present file still to come, then padding. */
  #left = 0;
  #padding = 0;
  #inFile = false;
  #meta: { kind: string; pieces: Buffer[] } | null = null;
  #globalPax = new Map<string, Buffer>();
  #pax: Map<string, Buffer> | null = null;
  #longName: string | null = null;
  #longLink: string | null = null;
  #zeroBlocks = 0;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** @throws TarError */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const n = Math.min(this.#left, chunk.length - at);
        const piece = chunk.subarray(at, at + n);
        if (this.#meta) this.#meta.pieces.push(Buffer.from(piece));
        else if (this.#inFile) this.#sink.data(piece);
        this.#left -= n;
        at += n;
        if (this.#left === 0) this.#contentEnds();
      } else if (this.#padding > 0) {
        const n = Math.min(this.#padding, chunk.length - at);
        this.#padding -= n;
        at += n;
      } else {
        const n = Math.min(BLOCK - this.#fill, chunk.length - at);
        chunk.copy(this.#header, this.#fill, at, at + n);
        this.#fill += n;
        at += n;
        if (this.#fill === BLOCK) {
          this.#fill = 0;
          this.#onHeader();
        }
      }
    }
  }

  /** @throws TarError when the tar stops inside an entry. */
  end(): void {
    if (this.#fill > 0 || this.#left > 0 || this.#meta) throw new TarError('the tar ends in the middle of an entry');
  }

  #contentEnds(): void {
    if (this.#meta) {
      const { kind, pieces } = this.#meta;
      this.#meta = null;
      const data = Buffer.concat(pieces);
      if (kind === 'L') this.#longName = readText(data, 0, data.length);
      else if (kind === 'K') this.#longLink = readText(data, 0, data.length);
      else if (kind === 'x') this.#pax = parsePax(data);
      else for (const [key, value] of parsePax(data)) this.#globalPax.set(key, value);
    } else if (this.#inFile) {
      this.#inFile = false;
      this.#sink.endFile();
    }
  }

  #onHeader(): void {
    const header = this.#header;
    if (this.#zeroBlocks >= 2) return; // what follows the end of the archive is padding
    if (header.every((byte) => byte === 0)) {
      this.#zeroBlocks += 1;
      return;
    }
    this.#zeroBlocks = 0;
    if (!checksumHolds(header)) throw new TarError('a header has a wrong checksum');
    const flag = String.fromCharCode(header[156] as number);
    const headerSize = readNumber(header, 124, 12);
    if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K') {
      if (headerSize > MAX_META) throw new TarError(`a ${flag} header of ${headerSize} bytes`);
      this.#begin(headerSize);
      if (headerSize > 0) this.#meta = { kind: flag, pieces: [] };
      return;
    }
    this.#onEntry(header, flag, headerSize);
  }

  #begin(size: number): void {
    if (size < 0 || !Number.isSafeInteger(size)) throw new TarError(`an entry of ${size} bytes`);
    this.#left = size;
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
  }

  #onEntry(header: Buffer, flag: string, headerSize: number): void {
    const pax: Pax = this.#pax ? new Map([...this.#globalPax, ...this.#pax]) : this.#globalPax;
    const prefix =
      header.toString('latin1', 257, 262) === 'ustar' && header[262] === 0 ? readText(header, 345, 155) : '';
    const short = readText(header, 0, 100);
    const name = pax.get('path')?.toString('latin1') ?? this.#longName ?? (prefix ? `${prefix}/${short}` : short);
    const link = pax.get('linkpath')?.toString('latin1') ?? this.#longLink ?? readText(header, 157, 100);
    this.#pax = null;
    this.#longName = null;
    this.#longLink = null;
    // Tars older than ustar mark a folder by the slash alone.
    const type = (flag === '0' || flag === '\0') && name.endsWith('/') ? 'directory' : TYPES[flag];
    const size = paxNumber(pax, 'size', () => headerSize);
    if (flag === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse.')))
      throw new TarError(`entry ${JSON.stringify(name)} is a sparse file, which is not supported yet`);
    const content = type === undefined || type === 'file' ? size : 0;
    this.#begin(content);
    if (type === undefined) return; // unknown kinds are passed over, as tar does
    const xattrs = new Map<string, Buffer>();
    for (const [key, value] of pax)
      if (key.startsWith('SCHILY.xattr.')) xattrs.set(key.slice('SCHILY.xattr.'.length), value);
    this.#sink.entry({
      name,
      link,
      type,
      mode: readNumber(header, 100, 8) & 0o7777,
      uid: paxNumber(pax, 'uid', () => readNumber(header, 108, 8)),
      gid: paxNumber(pax, 'gid', () => readNumber(header, 116, 8)),
      size: content,
      mtime: paxNumber(pax, 'mtime', () => readNumber(header, 136, 12)),
      major: readNumber(header, 329, 8),
      minor: readNumber(header, 337, 8),
      xattrs,
    });
    if (type !== 'file') return;
    this.#inFile = true;
    if (content === 0) this.#contentEnds();
  }
}
