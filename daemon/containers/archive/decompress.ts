import { PassThrough, type Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { containerErrors } from '../../errors/containers.ts';

const MAGIC: readonly (readonly [bytes: Buffer, make: (() => Transform) | string])[] = [
  [Buffer.from([0x1f, 0x8b]), createGunzip],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), createZstdDecompress],
  [Buffer.from('BZh'), 'bzip2'],
  [Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]), 'xz'],
];

/** A tar whatever it is packed with; what the first bytes say counts, not a header. @throws EngineError 400 */
export async function decompressed(source: Readable): Promise<Readable> {
  const head = await firstBytes(source);
  const [, make] = MAGIC.find(([bytes]) => head.subarray(0, bytes.length).equals(bytes)) ?? [];
  if (typeof make === 'string')
    throw containerErrors.invalid(
      `an archive packed with ${make} cannot be copied in: unpack it first, or use gzip or zstd`,
    );
  const target = make?.() ?? new PassThrough();
  if (head.length > 0) target.write(head);
  source.on('error', (error) => target.destroy(error));
  // A client that breaks off must not look like the end of a tar.
  source.on('close', () => {
    if (!source.readableEnded) target.destroy(new Error('the client ended the connection before the archive did'));
  });
  source.pipe(target);
  return target;
}

async function firstBytes(source: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  while (size < 6) {
    const piece = source.read() as Buffer | null;
    if (piece) {
      pieces.push(piece);
      size += piece.length;
      continue;
    }
    if (source.readableEnded || source.destroyed) break;
    const more = await new Promise<boolean>((resolve) => {
      const done = (value: boolean) => {
        source.off('readable', onReadable);
        source.off('end', onEnd);
        source.off('close', onEnd);
        resolve(value);
      };
      const onReadable = () => done(true);
      const onEnd = () => done(false);
      source.on('readable', onReadable);
      source.on('end', onEnd);
      source.on('close', onEnd);
    });
    if (!more) break;
  }
  return Buffer.concat(pieces);
}
