/** Sparse files in tars: GNU tar's own header, and its pax formats 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files"). */
import { BLOCK, type Pax, paxNumber, readNumber, TarError } from './tar-fields.ts';

/** A stored part of a sparse file. */
export interface SparsePart {
  offset: number;
  length: number;
}

/** A map of more parts than this is an attack, not a file. */
const MAX_PARTS = 1 << 17;
const MAX_NUMBER_TEXT = 20;

/** The map of one sparse file: in the header, or in blocks that follow it. */
export class SparseMap {
  readonly #name: string;
  readonly #size: number;
  readonly #kind: 'header' | 'text';
  readonly parts: SparsePart[] = [];
  /** No block of the map is missing. */
  complete = true;
  /** Bytes of the map that the entry's own size includes. */
  blockBytes = 0;
  #numbers: number[] = [];
  #text = '';

  private constructor(name: string, size: number, kind: 'header' | 'text') {
    this.#name = name;
    this.#size = size;
    this.#kind = kind;
  }

  /** undefined for a file that is not sparse. @throws TarError */
  static of(name: string, flag: string, header: Buffer, pax: Pax): SparseMap | undefined {
    if (flag === 'S') {
      const map = new SparseMap(name, readNumber(header, 483, 12), 'header');
      map.#headerParts(header, 386, 4);
      map.complete = header[482] === 0;
      return map;
    }
    if (pax.get('GNU.sparse.major')?.toString('latin1') === '1') {
      const map = new SparseMap(
        name,
        paxNumber(pax, 'GNU.sparse.realsize', () => 0),
        'text',
      );
      map.complete = false;
      return map;
    }
    const text = pax.get('GNU.sparse.map')?.toString('latin1');
    if (text === undefined && !pax.has('GNU.sparse.size')) return undefined;
    const map = new SparseMap(
      name,
      paxNumber(pax, 'GNU.sparse.size', () => 0),
      'text',
    );
    const numbers = text ? text.split(',').map(Number) : [];
    if (numbers.length % 2 || numbers.some((number) => !Number.isSafeInteger(number) || number < 0)) map.#refuse();
    for (let i = 0; i < numbers.length; i += 2) map.#add(numbers[i] as number, numbers[i + 1] as number);
    return map;
  }

  /** Takes a block of the map that follows the header; true when it was the last. @throws TarError */
  block(block: Buffer): boolean {
    if (this.#kind === 'header') {
      this.#headerParts(block, 0, 21);
      this.complete = block[504] === 0;
      return this.complete;
    }
    this.blockBytes += BLOCK;
    this.#text += block.toString('latin1');
    for (;;) {
      const end = this.#text.indexOf('\n');
      if (end < 0) break;
      const number = this.#text.slice(0, end);
      if (!/^\d{1,16}$/.test(number)) this.#refuse();
      this.#numbers.push(Number(number));
      this.#text = this.#text.slice(end + 1);
      const count = this.#numbers[0] as number;
      if (count > MAX_PARTS) this.#refuse();
      if (this.#numbers.length < 1 + 2 * count) continue;
      for (let i = 1; i < this.#numbers.length; i += 2)
        this.#add(this.#numbers[i] as number, this.#numbers[i + 1] as number);
      this.complete = true;
      return true;
    }
    if (this.#text.length > MAX_NUMBER_TEXT) this.#refuse();
    return false;
  }

  /** The file's size, once the parts are known to fit it and `stored` bytes. @throws TarError */
  checked(stored: number): number {
    let end = 0;
    let sum = 0;
    for (const { offset, length } of this.parts) {
      if (offset < end) this.#refuse();
      end = offset + length;
      sum += length;
    }
    if (end > this.#size || sum !== stored || !Number.isSafeInteger(this.#size)) this.#refuse();
    return this.#size;
  }

  #headerParts(block: Buffer, at: number, count: number): void {
    for (let i = 0; i < count; i += 1) {
      const from = at + i * 24;
      if (block[from] === 0) return;
      this.#add(readNumber(block, from, 12), readNumber(block, from + 12, 12));
    }
  }

  #add(offset: number, length: number): void {
    if (this.parts.length >= MAX_PARTS) this.#refuse();
    this.parts.push({ offset, length });
  }

  #refuse(): never {
    throw new TarError(`entry ${JSON.stringify(this.#name)} has a sparse map that does not fit its data`);
  }
}

/** Where the bytes of the present file belong. */
export class FileContent {
  readonly #parts: readonly SparsePart[] | undefined;
  #index = 0;
  /** Bytes taken, of the whole file or of the present part. */
  #taken = 0;

  constructor(parts: readonly SparsePart[] | undefined) {
    this.#parts = parts?.filter((part) => part.length > 0);
  }

  take(piece: Buffer, sink: { data(chunk: Buffer, at: number): void }): void {
    if (!this.#parts) {
      sink.data(piece, this.#taken);
      this.#taken += piece.length;
      return;
    }
    for (let at = 0; at < piece.length; ) {
      const part = this.#parts[this.#index];
      if (!part) throw new TarError('a sparse file has more data than its map');
      const n = Math.min(part.length - this.#taken, piece.length - at);
      sink.data(piece.subarray(at, at + n), part.offset + this.#taken);
      this.#taken += n;
      at += n;
      if (this.#taken < part.length) continue;
      this.#index += 1;
      this.#taken = 0;
    }
  }
}
