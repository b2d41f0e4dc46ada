/** igzip (isa-l) as a child process: it decompresses about three times as fast as zlib (field/measurements.md). */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { TarError } from './tar-fields.ts';

/** Takes a piece of the tar; `position` tells how far the blob has been read. */
type Take = (chunk: Buffer, position: () => number) => void;

const CHUNK = 1 << 20;
/** How long to wait for more when igzip is slower than we are. */
const PAUSE_MS = 1;

/** Its path; empty when it is not installed. */
export function findIgzip(searchPath = process.env.PATH ?? ''): string {
  const folders = [...searchPath.split(':').filter(Boolean), '/usr/bin'];
  return folders.map((folder) => path.join(folder, 'igzip')).find((file) => existsSync(file)) ?? '';
}

interface Running {
  child: ChildProcess;
  /** Rejects when it failed: NoSpace, TarError. */
  ended: Promise<void>;
  over: () => boolean;
  position: () => number;
  kill: () => void;
}

/** Starts `igzip -dc` with the blob as its stdin; how far it has read stands in /proc. */
function start(igzip: string, file: string, stdout: 'pipe' | number, signal: AbortSignal): Running {
  const input = openSync(file, 'r');
  const child = spawn(igzip, ['-dc'], { stdio: [input, stdout, 'pipe'] });
  closeSync(input);
  let complaint = '';
  let over = false;
  child.stderr?.on('data', (data: Buffer) => {
    complaint = (complaint + data.toString()).slice(0, 2000);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      over = true;
      if (code === 0) return resolve();
      const words = complaint.trim() || `igzip exit ${code}`;
      if (/no space left|quota exceeded|writ/i.test(words))
        reject(Object.assign(new Error(`igzip: ${words}`), { code: 'ENOSPC' }));
      else reject(new TarError(`the gzip data cannot be read: ${words}`));
    });
  });
  ended.catch(() => {}); // awaited by whoever runs it; it must not surface as unhandled meanwhile
  const kill = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const position = () => {
    try {
      return Number(/^pos:\s*(\d+)/m.exec(readFileSync(`/proc/${child.pid}/fdinfo/0`, 'utf8'))?.[1] ?? 0);
    } catch {
      return 0; // it has just ended
    }
  };
  return { child, ended, over: () => over, position, kill };
}

/** Decompresses a blob and hands out the tar. @throws TarError; the signal's reason. */
export async function igzipOut(igzip: string, file: string, signal: AbortSignal, take: Take): Promise<void> {
  const { child, ended, position, kill } = start(igzip, file, 'pipe', signal);
  try {
    for await (const chunk of child.stdout as Readable) take(chunk as Buffer, position);
  } catch (error) {
    kill();
    await ended.catch(() => {});
    throw error;
  }
  signal.throwIfAborted();
  await ended;
}

/** Lets igzip write the tar into a file itself and follows it, reading what it wrote. @throws TarError; the signal's reason. */
export async function igzipInto(
  igzip: string,
  file: string,
  into: { fd: number; readMore(buffer: Buffer): number },
  signal: AbortSignal,
  take: Take,
): Promise<void> {
  const { ended, over, position, kill } = start(igzip, file, into.fd, signal);
  const buffer = Buffer.allocUnsafe(CHUNK);
  try {
    for (;;) {
      const last = over();
      const n = into.readMore(buffer);
      if (n > 0) take(buffer.subarray(0, n), position);
      else if (last) break;
      // Only between two turns do messages and the child's end come through.
      if (n < buffer.length && !last) await sleep(PAUSE_MS);
      else await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    }
  } catch (error) {
    kill();
    await ended.catch(() => {});
    throw error;
  }
  await ended;
}
