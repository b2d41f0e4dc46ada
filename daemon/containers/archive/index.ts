/** docker cp and export: each copy in a thread of its own that lives in the container's root (design section 3, koffi). */
import { closeSync, existsSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { containerErrors } from '../../errors/containers.ts';
import { EngineError, messageOf } from '../../errors/engine-error.ts';
import { openPipe } from '../../system/posix-spawn.ts';
import type { Core } from '../core.ts';
import type { Entry } from '../store.ts';
import { decompressed } from './decompress.ts';
import { type Hold, holdRoot } from './hold.ts';
import type { ArchiveAnswer, ArchiveJob, ArchiveWork, ExtractOptions, Packed, PathStat } from './types.ts';

/** Where the worker's code is: beside this source, or beside the bundle in dist/. */
function workerFile(): URL {
  const source = new URL('./worker.ts', import.meta.url);
  return existsSync(fileURLToPath(source)) ? source : new URL('./archive-worker.mjs', import.meta.url);
}

interface Thread {
  /** What the path is, as soon as that is known. @throws EngineError */
  stat: Promise<PathStat>;
  /** @throws EngineError */
  done: Promise<void>;
}

/** Runs one job. `fd` is the worker's end of a pipe and closed when the thread has ended, however it ended. */
function start(
  work: ArchiveWork,
  fd: number | undefined,
  fail: (answer: { failed: string; code: string }) => EngineError,
): Thread {
  const worker = new Worker(workerFile(), { workerData: work });
  const stat = Promise.withResolvers<PathStat>();
  const done = Promise.withResolvers<void>();
  stat.promise.catch(() => {}); // not everybody asks for both
  done.promise.catch(() => {});
  let outcome: EngineError | 'done' | undefined;
  worker.on('message', (answer: ArchiveAnswer) => {
    if ('stat' in answer) stat.resolve(answer.stat);
    else outcome = 'done' in answer ? 'done' : fail(answer);
  });
  worker.on('error', (error) => {
    outcome = new EngineError('system', messageOf(error), { cause: error });
  });
  worker.on('exit', (code) => {
    if (fd !== undefined) closeSync(fd);
    if (outcome === 'done') {
      done.resolve();
      return;
    }
    const error = outcome ?? new EngineError('system', `the copying thread ended with ${code}`);
    stat.reject(error);
    done.reject(error);
  });
  return { stat: stat.promise, done: done.promise };
}

/** What the worker's words mean to a client that asked for `path`. */
function failure(reference: string, path: string) {
  return ({ failed, code }: { failed: string; code: string }): EngineError => {
    if (code === 'ENOENT') return containerErrors.noSuchFile(path, reference);
    if (code === '' || code === 'ENOTDIR' || code === 'ELOOP') return containerErrors.invalid(failed);
    return new EngineError('system', failed);
  };
}

async function within<T>(core: Core, entry: Entry, work: (hold: Hold) => Promise<T>): Promise<T> {
  const hold = await holdRoot(core, entry);
  try {
    return await work(hold);
  } finally {
    await hold.release();
  }
}

function workOf(entry: Entry, hold: Hold, job: ArchiveJob): ArchiveWork {
  return {
    root: hold.root,
    mounts: job.kind === 'export' ? [] : hold.mounts,
    readOnlyRoot: entry.record.hostConfig.ReadonlyRootfs,
    job,
  };
}

/** HEAD archive. @throws EngineError 400, 404 */
export async function statInContainer(core: Core, entry: Entry, reference: string, path: string): Promise<PathStat> {
  return within(core, entry, async (hold) => {
    const thread = start(workOf(entry, hold, { kind: 'stat', path }), undefined, failure(reference, path));
    return thread.stat;
  });
}

/** GET archive, or the whole root when `path` is null. @throws EngineError 400, 404 */
export async function packFromContainer(
  core: Core,
  entry: Entry,
  reference: string,
  path: string | null,
): Promise<Packed> {
  const hold = await holdRoot(core, entry);
  const pipe = openPipe();
  const job: ArchiveJob = path === null ? { kind: 'export', fd: pipe.write } : { kind: 'pack', path, fd: pipe.write };
  const thread = start(workOf(entry, hold, job), pipe.write, failure(reference, path ?? '/'));
  const tar = new Socket({ fd: pipe.read, readable: true, writable: false });
  const ended = thread.done
    .catch((error: Error) => {
      // Socket.destroy before the last piece was read would lose it: an error may do so.
      if (!tar.destroyed) tar.destroy(error);
    })
    .then(() => hold.release());
  ended.catch((error: unknown) =>
    core.deps.log.warn('root could not be given back', { container: entry.record.id, error: messageOf(error) }),
  );
  try {
    const stat = path === null ? null : await thread.stat;
    core.emit(entry.record, path === null ? 'export' : 'archive-path');
    return { stat, tar };
  } catch (error) {
    tar.destroy();
    throw error;
  }
}

/** PUT archive. The tar may be compressed. @throws EngineError 400, 404 */
export async function extractIntoContainer(
  core: Core,
  entry: Entry,
  reference: string,
  path: string,
  source: Readable,
  options: ExtractOptions,
): Promise<void> {
  const body = await decompressed(source);
  await within(core, entry, async (hold) => {
    const pipe = openPipe();
    const thread = start(
      workOf(entry, hold, { kind: 'extract', path, fd: pipe.read, options }),
      pipe.read,
      failure(reference, path),
    );
    const sink = new Socket({ fd: pipe.write, readable: false, writable: true });
    // The thread's own words tell more than a broken pipe does; a client that broke off tells it by itself.
    const fed = pipeline(body, sink).then(
      () => null,
      (error: NodeJS.ErrnoException) => error,
    );
    try {
      await thread.done;
    } catch (error) {
      sink.destroy();
      body.destroy();
      throw error;
    }
    const broken = await fed;
    if (broken && broken.code !== 'EPIPE') throw new EngineError('invalid', messageOf(broken));
  });
  core.emit(entry.record, 'extract-to-dir');
}
