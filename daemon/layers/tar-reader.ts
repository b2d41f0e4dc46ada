/**
 * A streaming reader of layer tars: ustar, GNU long names, PAX (names, sizes, times, xattrs), base-256 numbers, sparse files.
 * Names are kept as latin1 strings, one character a byte, so that any file name survives (POSIX.1-2001 pax; GNU tar manual).
 */
import {
  BLOCK,
  checksumHolds,
  type Pax,
  parsePax,
  paxNumber,
  paxTime,
  readNumber,
  readText,
  TarError,
} from './tar-fields.ts';
import { FileContent, SparseMap, type SparsePart } from './tar-sparse.ts';

export { TarError } from './tar-fields.ts';

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
  /** Of the file as it is read; a sparse one stores less. */
  size: number;
  /** Whole Unix seconds, and the nanoseconds behind them. */
  mtime: number;
  mtimeNs: number;
  major: number;
  minor: number;
  xattrs: ReadonlyMap<string, Buffer>;
  /** Where the content begins, in bytes from the start of the tar. */
  dataAt: number;
  /** The parts of a sparse file that are stored, in order; the rest is holes. */
  sparse?: readonly SparsePart[];
}

/** What becomes of the entries. All synchronous: the reader sits between a stream and the disk of a worker thread. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** Content of the file announced last, and where in it that belongs. */
  data(chunk: Buffer, at: number): void;
  /** The file announced last is complete. */
  endFile(): void;
}

const MAX_META = 1 << 20;
const ZERO_BLOCK = Buffer.alloc(BLOCK);
const TYPES: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

function ownerOf(name: string, id: number): number {
  if (id < 0 || id > 0xfffffffe) throw new TarError(`entry ${JSON.stringify(name)} has the owner ${id}`);
  return id;
}

/** Reads a tar that comes in pieces of any size and tells the sink what it holds. */
export class TarReader {
  readonly #sink: TarSink;
  readonly #header = Buffer.alloc(BLOCK);
  #fill = 0;
  /** Bytes of the present file still to come, then padding. */
  #left = 0;
  #padding = 0;
  #file: FileContent | null = null;
  #meta: { kind: string; pieces: Buffer[] } | null = null;
  /** A sparse file whose map is still coming, block by block. */
  #pendingMap: { map: SparseMap; done: (parts: SparsePart[]) => void } | null = null;
  #globalPax = new Map<string, Buffer>();
  #pax: Map<string, Buffer> | null = null;
  #longName: string | null = null;
  #longLink: string | null = null;
  #zeroBlocks = 0;
  /** Bytes taken so far. */
  #position = 0;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** @throws TarError */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      let n: number;
      if (this.#left > 0) {
        n = Math.min(this.#left, chunk.length - at);
        const piece = chunk.subarray(at, at + n);
        if (this.#meta) this.#meta.pieces.push(Buffer.from(piece));
        else this.#file?.take(piece, this.#sink);
        this.#left -= n;
        if (this.#left === 0) this.#contentEnds();
      } else if (this.#padding > 0) {
        n = Math.min(this.#padding, chunk.length - at);
        this.#padding -= n;
      } else if (this.#zeroBlocks >= 2) {
        n = chunk.length - at; // what follows the end of the archive is padding
      } else {
        n = Math.min(BLOCK - this.#fill, chunk.length - at);
        chunk.copy(this.#header, this.#fill, at, at + n);
        this.#fill += n;
        if (this.#fill === BLOCK) {
          this.#fill = 0;
          this.#position += n;
          at += n;
          this.#onBlock();
          continue;
        }
      }
      this.#position += n;
      at += n;
    }
  }

  /** @throws TarError when the tar stops inside an entry. */
  end(): void {
    if (this.#fill > 0 || this.#left > 0 || this.#meta || this.#pendingMap)
      throw new TarError('the tar ends in the middle of an entry');
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
    } else if (this.#file) {
      this.#file = null;
      this.#sink.endFile();
    }
  }

  #onBlock(): void {
    const header = this.#header;
    if (this.#pendingMap) {
      const { map, done } = this.#pendingMap;
      if (!map.block(header)) return;
      this.#pendingMap = null;
      done(map.parts);
      return;
    }
    if (header.equals(ZERO_BLOCK)) {
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
    const name =
      (pax.get('GNU.sparse.name') ?? pax.get('path'))?.toString('latin1') ??
      this.#longName ??
      (prefix ? `${prefix}/${short}` : short);
    const link = pax.get('linkpath')?.toString('latin1') ?? this.#longLink ?? readText(header, 157, 100);
    this.#pax = null;
    this.#longName = null;
    this.#longLink = null;
    // Tars older than ustar mark a folder by the slash alone.
    const type = (flag === '0' || flag === '\0') && name.endsWith('/') ? 'directory' : TYPES[flag];
    const size = paxNumber(pax, 'size', () => headerSize);
    const content = type === undefined || type === 'file' ? size : 0;
    if (type === undefined) {
      this.#begin(content); // unknown kinds are passed over, as tar does
      return;
    }
    if (name.includes('\0') || link.includes('\0'))
      throw new TarError(`entry ${JSON.stringify(name)} has a zero byte in its name`);
    const xattrs = new Map<string, Buffer>();
    for (const [key, value] of pax)
      if (key.startsWith('SCHILY.xattr.')) xattrs.set(key.slice('SCHILY.xattr.'.length), value);
    const paxMtime = pax.get('mtime');
    const entry: TarEntry = {
      name,
      link,
      type,
      mode: readNumber(header, 100, 8) & 0o7777,
      uid: ownerOf(
        name,
        paxNumber(pax, 'uid', () => readNumber(header, 108, 8)),
      ),
      gid: ownerOf(
        name,
        paxNumber(pax, 'gid', () => readNumber(header, 116, 8)),
      ),
      size: content,
      ...(paxMtime ? paxTime(paxMtime) : { mtime: readNumber(header, 136, 12), mtimeNs: 0 }),
      major: Math.max(0, readNumber(header, 329, 8)),
      minor: Math.max(0, readNumber(header, 337, 8)),
      xattrs,
      dataAt: this.#position,
    };
    const map = type === 'file' ? SparseMap.of(name, flag, header, pax) : undefined;
    if (!map) {
      this.#announce(entry, content);
      return;
    }
    const stored = () => {
      if (content < map.blockBytes) throw new TarError(`entry ${JSON.stringify(name)} is shorter than its sparse map`);
      return content - map.blockBytes;
    };
    const done = (parts: SparsePart[]) =>
      this.#announce({ ...entry, size: map.checked(stored()), dataAt: this.#position, sparse: parts }, stored());
    if (map.complete) done(map.parts);
    else this.#pendingMap = { map, done };
  }

  #announce(entry: TarEntry, stored: number): void {
    this.#begin(stored);
    this.#sink.entry(entry);
    if (entry.type !== 'file') return;
    this.#file = new FileContent(entry.sparse);
    if (stored === 0) this.#contentEnds();
  }
}
