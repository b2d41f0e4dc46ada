/** Docker's multiplexed stream: an 8-byte header [type, 0, 0, 0, length as 32-bit big endian] before each piece. */
export const STREAM = { stdin: 0, stdout: 1, stderr: 2, systemError: 3 } as const;
export type StreamType = (typeof STREAM)[keyof typeof STREAM];
export const MULTIPLEXED = 'application/vnd.docker.multiplexed-stream';
export const RAW_STREAM = 'application/vnd.docker.raw-stream';
const HEADER = 8;

/** Readers buffer whole frames, so a frame stays at 32 KiB or less. */
export const MAX_FRAME = 32 * 1024;

/** Frames `data`, cut into pieces of at most MAX_FRAME bytes. */
export function encodeFrames(type: StreamType, data: Uint8Array): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < data.length || at === 0; at += MAX_FRAME) {
    const piece = data.subarray(at, at + MAX_FRAME);
    const header = Buffer.alloc(HEADER);
    header[0] = type;
    header.writeUInt32BE(piece.length, 4);
    pieces.push(header, Buffer.from(piece.buffer, piece.byteOffset, piece.length));
  }
  return Buffer.concat(pieces);
}

/** Takes a multiplexed stream in pieces of any size and hands out each frame's payload as it arrives (never buffers a whole frame). */
export class FrameDecoder {
  readonly #onData: (type: StreamType, data: Buffer) => void;
  readonly #header = Buffer.alloc(HEADER);
  #headerFill = 0;
  #left = 0;
  #type: StreamType = STREAM.stdout;

  constructor(onData: (type: StreamType, data: Buffer) => void) {
    this.#onData = onData;
  }

  /** @throws Error when a header names no known stream: then the stream is not multiplexed. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        const n = Math.min(HEADER - this.#headerFill, chunk.length - at);
        chunk.copy(this.#header, this.#headerFill, at, at + n);
        this.#headerFill += n;
        at += n;
        if (this.#headerFill < HEADER) return;
        this.#headerFill = 0;
        const type = this.#header[0] as number;
        if (type > 3) throw new Error(`not a multiplexed stream: frame type ${type}`);
        this.#type = type as StreamType;
        this.#left = this.#header.readUInt32BE(4);
        continue;
      }
      const n = Math.min(this.#left, chunk.length - at);
      this.#left -= n;
      this.#onData(this.#type, chunk.subarray(at, at + n));
      at += n;
    }
  }
}
