/** Worker thread of one copy: enters the container's root, does its job with synchronous calls, and ends (design section 3). */
import { lstatSync, readSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { TarReader } from '../../layers/tar-reader.ts';
import { enterRoot } from '../../system/private-root.ts';
import { Extractor } from './extract.ts';
import { Packer } from './pack.ts';
import { absolute, statPath } from './stat.ts';
import type { ArchiveAnswer, ArchiveWork, ExtractOptions } from './types.ts';

if (!parentPort) throw new Error('archive-worker runs as a worker thread only');
const port = parentPort;
const answer = (message: ArchiveAnswer) => port.postMessage(message);
const latin1 = (text: string) => Buffer.from(text).toString('latin1');

class Refusal extends Error {}

function pack(asked: string, fd: number): void {
  const file = absolute(asked);
  const stat = statPath(file);
  const packer = new Packer(fd);
  answer({ stat });
  const name = path.posix.basename(file);
  packer.add(
    latin1(file === '/' ? '/' : file.replace(/\/(\.)?$/, '') || '/'),
    file.endsWith('/.') || file === '/' ? '.' : latin1(name),
  );
  packer.finish();
}

/** A path is writable when the mount that it lies in is, or else the root (moby's checkWritablePath). */
function checkWritable(file: string, work: ArchiveWork): void {
  const within = (destination: string) => file === destination || file.startsWith(`${destination}/`);
  const mounted = work.mounts
    .filter(({ destination }) => within(destination))
    .sort((a, b) => b.destination.length - a.destination.length)[0];
  if (mounted?.readOnly) throw new Refusal('mounted volume is marked read-only');
  if (!mounted && work.readOnlyRoot) throw new Refusal('container rootfs is marked read-only');
}

function extract(asked: string, fd: number, options: ExtractOptions, work: ArchiveWork): void {
  const folder = realpathSync(absolute(asked));
  if (!lstatSync(folder).isDirectory()) throw new Refusal('extraction point is not a directory');
  checkWritable(folder, work);
  const extractor = new Extractor(latin1(folder), options);
  const reader = new TarReader(extractor);
  const buffer = Buffer.allocUnsafe(1 << 18);
  try {
    for (;;) {
      const n = readSync(fd, buffer, 0, buffer.length, null);
      if (n === 0) break;
      reader.push(Buffer.from(buffer.subarray(0, n)));
    }
    reader.end();
  } finally {
    extractor.finish();
  }
}

const work = workerData as ArchiveWork;
try {
  enterRoot(work.root, work.mounts);
  const { job } = work;
  if (job.kind === 'stat') answer({ stat: statPath(absolute(job.path)) });
  else if (job.kind === 'pack') pack(job.path, job.fd);
  else if (job.kind === 'extract') extract(job.path, job.fd, job.options, work);
  else {
    const packer = new Packer(job.fd);
    packer.add('/', '');
    packer.finish();
  }
  answer({ done: true });
} catch (error) {
  answer({
    failed: error instanceof Error ? error.message : String(error),
    code: (error as NodeJS.ErrnoException).code ?? '',
  });
}
