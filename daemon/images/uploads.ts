/** One blob to a registry (OCI distribution-spec, "Pushing blobs"): is it there, can it be mounted from a neighbour, else it is sent. */
import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { imageErrors } from '../errors/images.ts';
import { type RegistryAnswer, TransientError } from './http.ts';
import type { Descriptor } from './manifest.ts';
import type { Repository } from './registry.ts';

/** Bytes that can be read again and again, from any place. */
export interface UploadSource {
  size: number;
  open(start: number, end: number): Readable;
}
export type UploadResult = { kind: 'exists' } | { kind: 'mounted'; from: string } | { kind: 'sent' };

const MAX_MOUNTS = 4;
const CHUNK = 8 << 20;
/** What registries answer that take no blob in one piece. */
const NOT_MONOLITHIC = new Set([404, 405, 411, 413, 415, 501]);

const drop = (answer: RegistryAnswer) => void answer.body.on('error', () => {}).resume();

/** @param mountFrom repositories of the same registry that may have the blob. @throws EngineError */
export async function uploadBlob(
  repository: Repository,
  blob: Descriptor,
  mountFrom: readonly string[],
  source: UploadSource,
  onProgress: (current: number) => void,
  signal: AbortSignal,
): Promise<UploadResult> {
  const head = await repository.request(repository.target(`/blobs/${blob.digest}`), {
    method: 'HEAD',
    headers: {},
    signal,
  });
  drop(head);
  if (head.status === 200) return { kind: 'exists' };
  let location: string | undefined;
  for (const from of mountFrom.slice(0, MAX_MOUNTS)) {
    const query = new URLSearchParams({ mount: blob.digest, from });
    const answer = await begin(repository, blob, `/blobs/uploads/?${query}`, signal);
    if (answer.status === 201) return { kind: 'mounted', from };
    // It opened an ordinary upload instead; a refused neighbour is no failure either.
    if (answer.status === 202) location = answer.location;
    if (location) break;
  }
  location ??= (await begin(repository, blob, '/blobs/uploads/', signal)).location;
  if (!location) throw imageErrors.uploadFailed(blob.digest, 'the registry names no place to send it to');
  await send(repository, blob, location, source, onProgress, signal);
  return { kind: 'sent' };
}

async function begin(
  repository: Repository,
  blob: Descriptor,
  rest: string,
  signal: AbortSignal,
): Promise<{ status: number; location: string | undefined }> {
  const answer = await repository.request(repository.target(rest), {
    method: 'POST',
    headers: { 'content-length': '0' },
    signal,
  });
  const mounting = rest.includes('mount=');
  if (answer.status === 201 && mounting) {
    drop(answer);
    return { status: 201, location: undefined };
  }
  if (answer.status === 202) {
    drop(answer);
    return { status: 202, location: placeOf(answer) };
  }
  if (!mounting) throw await repository.failure(answer, blob.digest);
  drop(answer);
  return { status: answer.status, location: undefined };
}

/** Upload addresses may be relative, and carry state that must come back. */
function placeOf(answer: RegistryAnswer): string | undefined {
  const { location } = answer.headers;
  return location ? new URL(location, answer.url).href : undefined;
}

function withDigest(location: string, digest: string): string {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  return url.href;
}

/** Counts what goes out. */
function counted(source: Readable, from: number, onProgress: (current: number) => void): Readable {
  let sent = from;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      onProgress(sent);
      done(null, chunk);
    },
  });
  source.on('error', (error) => meter.destroy(error));
  return source.pipe(meter);
}

async function send(
  repository: Repository,
  blob: Descriptor,
  location: string,
  source: UploadSource,
  onProgress: (current: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const put = await repository.request(withDigest(location, blob.digest), {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(source.size) },
    body: () => counted(source.open(0, source.size), 0, onProgress),
    signal,
  });
  if (put.status === 201 || put.status === 204) return drop(put);
  if (!NOT_MONOLITHIC.has(put.status)) throw await repository.failure(put, blob.digest);
  drop(put);
  await sendInPieces(repository, blob, source, onProgress, signal);
}

async function sendInPieces(
  repository: Repository,
  blob: Descriptor,
  source: UploadSource,
  onProgress: (current: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let { location } = await begin(repository, blob, '/blobs/uploads/', signal);
  for (let at = 0; at < source.size; at += CHUNK) {
    if (!location) break;
    const end = Math.min(at + CHUNK, source.size);
    const start = at;
    const patch: RegistryAnswer = await repository.request(location, {
      method: 'PATCH',
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(end - start),
        'content-range': `${start}-${end - 1}`,
      },
      body: () => counted(source.open(start, end), start, onProgress),
      signal,
    });
    if (patch.status !== 202) throw await repository.failure(patch, blob.digest);
    drop(patch);
    location = placeOf(patch) ?? location;
  }
  if (!location) throw imageErrors.uploadFailed(blob.digest, 'the registry names no place to send it to');
  const closing = await repository.request(withDigest(location, blob.digest), {
    method: 'PUT',
    headers: { 'content-length': '0' },
    signal,
  });
  if (closing.status !== 201 && closing.status !== 204) throw await repository.failure(closing, blob.digest);
  drop(closing);
}

/** A line that broke in the middle of an upload is worth another try: the blob is sent anew. */
export const isTransient = (error: unknown): error is TransientError => error instanceof TransientError;
