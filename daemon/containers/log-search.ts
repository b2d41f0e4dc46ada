/** Places in a log, found without reading all of it: the last lines, and the first line of a time. */
import { open, stat } from 'node:fs/promises';
import { logFiles } from './log-files.ts';
import { type LogEntry, parseLogLine, parseTime } from './log-format.ts';

const CHUNK = 64 * 1024;
const NEWLINE = 10;

export interface LogPlace {
  file: string;
  offset: number;
}

/** The first whole line at or behind `from`: where it begins and when it was written; undefined when there is none before `to`. */
async function lineBehind(
  handle: Awaited<ReturnType<typeof open>>,
  from: number,
  to: number,
): Promise<{ offset: number; time: bigint } | undefined> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  const { bytesRead } = await handle.read(buffer, 0, CHUNK, from);
  const block = buffer.subarray(0, bytesRead);
  let begin = from === 0 ? 0 : block.indexOf(NEWLINE) + 1;
  if (from > 0 && begin === 0) return undefined;
  while (from + begin < to) {
    const end = block.indexOf(NEWLINE, begin);
    if (end < 0) return undefined;
    const time = parseTime(parseLogLine(block.subarray(begin, end))?.time ?? '');
    if (time !== undefined) return { offset: from + begin, time };
    begin = end + 1;
  }
  return undefined;
}

/**
 * A place before which everything is older than `since` (Unix nanoseconds): the lines are in the order of their times, so a search by
 * halves reads a few pieces of the file. undefined: there is no log.
 */
export async function sincePosition(logPath: string, since: bigint): Promise<LogPlace | undefined> {
  let place: LogPlace | undefined;
  for (const file of await logFiles(logPath)) {
    await using handle = await open(file, 'r');
    const { size } = await handle.stat();
    const first = await lineBehind(handle, 0, size);
    if (place && first && first.time >= since) return place; // the file before holds the beginning
    place = { file, offset: 0 };
    let [low, high] = [0, size];
    while (high - low > CHUNK) {
      const middle = Math.trunc((low + high) / 2);
      const line = await lineBehind(handle, middle, high);
      if (line && line.time < since) low = line.offset;
      else high = middle;
    }
    place = { file, offset: low };
  }
  return place;
}

export interface TailQuery {
  /** How many whole entries from the end. */
  count: number;
  accepts(entry: LogEntry): boolean;
}

/**
 * Where the last `count` accepted lines begin, read backwards in chunks over the rotated files: the cost is that of the
 * lines asked for, not of the log.
 */
export async function tailPosition(logPath: string, query: TailQuery): Promise<LogPlace | undefined> {
  const files = await logFiles(logPath);
  const newest = files.at(-1);
  if (newest === undefined) return undefined;
  if (query.count <= 0) return { file: newest, offset: (await stat(newest)).size };
  // A line counts where it ends: by its F, or by a trailing P that nothing follows.
  const open12 = { 1: false, 2: false };
  let left = query.count;
  let position = { file: newest, offset: (await stat(newest)).size };
  for (const file of files.toReversed()) {
    for await (const { line, offset } of linesBackwards(file)) {
      const entry = parseLogLine(line);
      if (!entry || !query.accepts(entry)) continue;
      const ends = !entry.partial || !open12[entry.stream];
      if (ends) {
        if (left === 0) return position;
        left -= 1;
      }
      open12[entry.stream] = true;
      position = { file, offset };
    }
  }
  return position;
}

/** The lines of a file from its end, each with where it begins. A last line without a newline is skipped: it is still being written. */
export async function* linesBackwards(
  file: string,
  chunkSize = CHUNK,
): AsyncGenerator<{ line: Buffer; offset: number }> {
  await using handle = await open(file, 'r');
  let end = (await handle.stat()).size;
  let carry = Buffer.alloc(0); // the beginning of what was read, whose own beginning lies further up
  let started = false;
  while (end > 0) {
    const from = Math.max(0, end - chunkSize);
    const chunk = Buffer.alloc(end - from);
    await handle.read(chunk, 0, chunk.length, from);
    let block = carry.length > 0 ? Buffer.concat([chunk, carry]) : chunk;
    if (!started) {
      const last = block.lastIndexOf(NEWLINE);
      if (last < 0) {
        carry = block;
        end = from;
        continue;
      }
      block = block.subarray(0, last + 1);
      started = true;
    }
    let stop = block.length; // just after a newline
    for (;;) {
      const previous = stop < 2 ? -1 : block.lastIndexOf(NEWLINE, stop - 2);
      if (previous < 0) break;
      yield { line: block.subarray(previous + 1, stop - 1), offset: from + previous + 1 };
      stop = previous + 1;
    }
    carry = Buffer.from(block.subarray(0, stop));
    end = from;
  }
  if (started && carry.length > 0) yield { line: carry.subarray(0, carry.length - 1), offset: 0 };
}
