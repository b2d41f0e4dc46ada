/** Unpacks what clients send: archives and layers in gzip, zstd, xz or bzip2, told apart by their first bytes. */
import { spawn } from 'node:child_process';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { messageOf } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';

export type Packing = 'gzip' | 'zstd' | 'xz' | 'bzip2' | 'none';

const MAGIC: readonly (readonly [Packing, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['bzip2', Buffer.from('BZh')],
];
const LONGEST = 6;

export function packingOf(start: Buffer): Packing {
  return MAGIC.find(([, magic]) => start.subarray(0, magic.length).equals(magic))?.[0] ?? 'none';
}

/** Reads until `wanted` bytes are there (or the end), and gives the stream back whole. */
async function peek(source: Readable, wanted: number): Promise<{ start: Buffer; whole: AsyncIterable<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let start = Buffer.alloc(0);
  let ended = false;
  while (start.length < wanted && !ended) {
    const next = await iterator.next();
    if (next.done) ended = true;
    else start = Buffer.concat([start, next.value]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    if (start.length > 0) yield start;
    for (let next = ended ? undefined : await iterator.next(); next && !next.done; next = await iterator.next())
      yield next.value;
  }
  return { start, whole: whole() };
}

/** A child that unpacks from stdin to stdout. Its failure, or its absence, is the stream's error. */
function throughProgram(program: string, format: string, source: AsyncIterable<Buffer>, signal: AbortSignal): Readable {
  const out = new PassThrough();
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'], signal });
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => {
    complaint = (complaint + data.toString()).slice(0, 1000);
  });
  child.on('error', (error: NodeJS.ErrnoException) =>
    out.destroy(error.code === 'ENOENT' ? imageErrors.noDecompressor(program, format) : error),
  );
  pipeline(source, child.stdin).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') out.destroy(error); // it ended early: its own words say why
  });
  child.stdout.pipe(out, { end: false });
  child.on('close', (code) => {
    if (code === 0) out.end();
    else out.destroy(imageErrors.badArchive(`${program}: ${complaint.trim() || `exit ${code}`}`));
  });
  return out;
}

/** The unpacked stream, and how it was packed. Errors of the packing are EngineErrors of the stream. */
export async function decompressed(
  source: Readable,
  signal: AbortSignal,
): Promise<{ packing: Packing; stream: AsyncIterable<Buffer> }> {
  const { start, whole } = await peek(source, LONGEST);
  const packing = packingOf(start);
  if (packing === 'none') return { packing, stream: whole };
  if (packing === 'xz' || packing === 'bzip2')
    return { packing, stream: throughProgram(packing, packing, whole, signal) };
  const inflate = packing === 'gzip' ? createGunzip() : createZstdDecompress();
  const feeding = pipeline(whole, inflate, { signal });
  feeding.catch(() => {}); // the reader below meets the same error
  async function* stream(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of inflate) yield chunk as Buffer;
    } catch (error) {
      signal.throwIfAborted();
      throw imageErrors.badArchive(`${packing}: ${messageOf(error)}`);
    }
  }
  return { packing, stream: stream() };
}
