import { watch } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LogCursor } from './log-files.ts';
import { formatTime, type LogEntry, parseTime } from './log-format.ts';
import { sincePosition, tailPosition } from './log-search.ts';
import type { LogOptions } from './types.ts';

/** inotify tells at once; the timer is for what it misses (a dropped queue, a network file system). */
const POLL_MS = 1000;

export interface LogSource {
  logPath: string;
  /** `--details`: `k=v,k=v`, from the labels and variables that the log options name. */
  details?: string;
  /** False once the writer has ended: then everything is in the file. */
  isWritten(): boolean;
  /** Aborts when the writer ends, so that a follower need not wait for a poll. */
  ended: AbortSignal;
}

type Send = (stream: 1 | 2, data: Buffer) => Promise<void>;

/**
 * `docker logs`: entries of the chosen streams in order, partial lines joined (a piece without its newline is handed on
 * as it is, so that a line of any length needs no memory), then new ones until the container or the client ends.
 */
export async function readLogs(source: LogSource, options: LogOptions, send: Send, signal: AbortSignal): Promise<void> {
  const inBounds = (entry: LogEntry) => {
    if (options.since === 0n && options.until === 0n) return true;
    const time = parseTime(entry.time) ?? 0n;
    return time >= options.since && (options.until === 0n || time <= options.until);
  };
  const accepts = (entry: LogEntry) => (entry.stream === 1 ? options.stdout : options.stderr) && inBounds(entry);
  await using cursor = await openCursor(source.logPath, options, accepts);
  const prefix = (entry: LogEntry) =>
    (options.timestamps ? `${formatTime(entry.time)} ` : '') + (options.details ? `${source.details ?? ''} ` : '');
  const continued = { 1: false, 2: false };
  const past = () => options.until !== 0n && BigInt(Date.now()) * 1_000_000n > options.until;
  using changes = options.follow ? watchFolder(path.dirname(source.logPath)) : undefined;
  while (!signal.aborted) {
    // Asked before reading: what the container wrote last is in the file once it has ended.
    const last = !options.follow || !source.isWritten() || past();
    const entries = await cursor.read(last);
    if (entries.length === 0) {
      if (last) return;
      await changes?.next(AbortSignal.any([signal, source.ended]));
      continue;
    }
    for (const [stream, piece] of batches(entries.filter(accepts), prefix, continued)) {
      if (signal.aborted) return;
      await send(stream, piece);
    }
  }
}

async function openCursor(
  logPath: string,
  options: LogOptions,
  accepts: (entry: LogEntry) => boolean,
): Promise<LogCursor> {
  if (options.tail < 0 && options.since === 0n) return LogCursor.atStart(logPath);
  const position =
    options.tail < 0
      ? await sincePosition(logPath, options.since)
      : await tailPosition(logPath, { count: options.tail, accepts });
  return position ? LogCursor.at(logPath, position.file, position.offset) : LogCursor.atStart(logPath);
}

/** Neighbours of one stream go out together; the order between the streams stays. */
function* batches(
  entries: LogEntry[],
  prefix: (entry: LogEntry) => string,
  continued: { 1: boolean; 2: boolean },
): Generator<[1 | 2, Buffer]> {
  let run: Buffer[] = [];
  let stream: 1 | 2 = 1;
  for (const entry of entries) {
    if (entry.stream !== stream && run.length > 0) {
      yield [stream, Buffer.concat(run)];
      run = [];
    }
    stream = entry.stream;
    if (!continued[stream]) run.push(Buffer.from(prefix(entry)));
    run.push(entry.data);
    continued[stream] = entry.partial;
  }
  if (run.length > 0) yield [stream, Buffer.concat(run)];
}

interface Changes extends Disposable {
  /** Resolves at the next change since the last call, after a while, or when `signal` aborts. */
  next(signal: AbortSignal): Promise<void>;
}

/** Watches the folder, not the file: rotation makes new files in it. */
export function watchFolder(folder: string): Changes {
  let dirty = false;
  let wake: (() => void) | undefined;
  const mark = () => {
    dirty = true;
    wake?.();
  };
  const watcher = watch(folder, { persistent: false }, mark);
  watcher.on('error', mark); // the folder was removed: the reader finds out by reading
  return {
    async next(signal) {
      if (!dirty && !signal.aborted) {
        const changed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const timer = new AbortController();
        const stop = () => wake?.();
        signal.addEventListener('abort', stop, { once: true });
        await Promise.race([changed, sleep(POLL_MS, undefined, { signal: timer.signal, ref: false }).catch(() => {})]);
        timer.abort();
        signal.removeEventListener('abort', stop);
      }
      // A signal that stays aborted (the container ended) must not spin the reader.
      if (signal.aborted && !dirty) await sleep(5);
      dirty = false;
      wake = undefined;
    },
    [Symbol.dispose]: () => watcher.close(),
  };
}
