import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { logFiles, rotateLog } from '../../../daemon/containers/log-files.ts';
import { formatTime, LineSplitter, parseLogLine, parseTime } from '../../../daemon/containers/log-format.ts';
import { readLogs } from '../../../daemon/containers/log-reader.ts';
import { linesBackwards, sincePosition } from '../../../daemon/containers/log-search.ts';
import type { LogOptions } from '../../../daemon/containers/types.ts';

let folder: string;
let log: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'galley-logs-'));
  log = path.join(folder, 'ctr.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state % below;
  };
}

const ALL: LogOptions = {
  stdout: true,
  stderr: true,
  follow: false,
  since: 0n,
  until: 0n,
  timestamps: false,
  details: false,
  tail: -1,
};
const stamp = (n: number) => `2026-01-01T00:00:${String(n % 60).padStart(2, '0')}.${String(n).padStart(9, '0')}+00:00`;

async function read(options: Partial<LogOptions> = {}): Promise<{ 1: string; 2: string; all: string }> {
  const out = { 1: '', 2: '', all: '' };
  await readLogs(
    { logPath: log, isWritten: () => false, ended: AbortSignal.abort() },
    { ...ALL, ...options },
    async (stream, data) => {
      out[stream] += data.toString();
      out.all += data.toString();
    },
    new AbortController().signal,
  );
  return out;
}

test('lines cut at random come back whole, whatever the chunk', () => {
  const next = random(1);
  for (let round = 0; round < 50; round += 1) {
    const lines = Array.from({ length: next(20) }, () => 'x'.repeat(next(200)));
    const bytes = Buffer.from(lines.map((l) => `${l}\n`).join(''));
    const splitter = new LineSplitter();
    const got: string[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + next(64);
      for (const line of splitter.push(bytes.subarray(at, at + size))) got.push(line.toString());
      at += size;
    }
    expect(got).toEqual(lines);
    expect(splitter.take()).toBeUndefined();
  }
});

test('backwards reading gives the same lines in reverse with their places', async () => {
  const next = random(2);
  for (let round = 0; round < 30; round += 1) {
    const lines = Array.from({ length: 1 + next(30) }, () => 'y'.repeat(next(50)));
    const text = lines.map((l) => `${l}\n`).join('');
    writeFileSync(log, text + (next(2) ? 'unfinished' : ''));
    const got: string[] = [];
    for await (const { line, offset } of linesBackwards(log, 1 + next(40))) {
      got.unshift(line.toString());
      expect(text.slice(offset, offset + line.length)).toBe(line.toString());
    }
    expect(got).toEqual(lines);
  }
});

test('partial pieces join, streams stay apart, and any tail over rotated files is the end of the whole', async () => {
  const next = random(3);
  for (let round = 0; round < 25; round += 1) {
    const expected: { stream: 1 | 2; text: string }[] = [];
    let file = '';
    const count = 1 + next(40);
    for (let n = 0; n < count; n += 1) {
      const stream = (1 + next(2)) as 1 | 2;
      const text = `${n}:${'z'.repeat(next(100))}`;
      let rest = text;
      while (rest.length > 5 && next(2)) {
        const cut = 1 + next(rest.length - 1);
        file += `${stamp(n)} ${stream === 1 ? 'stdout' : 'stderr'} P ${rest.slice(0, cut)}\n`;
        rest = rest.slice(cut);
      }
      file += `${stamp(n)} ${stream === 1 ? 'stdout' : 'stderr'} F ${rest}\n`;
      expected.push({ stream, text: `${text}\n` });
      if (next(10) === 0) {
        appendFileSync(log, file);
        file = '';
        await rotateLog(log, 20);
      }
    }
    appendFileSync(log, file);
    const whole = expected.map((e) => e.text).join('');
    expect((await read()).all).toBe(whole);
    for (const tail of [0, 1, 2, count - 1, count, count + 5])
      expect((await read({ tail })).all).toBe(
        expected
          .slice(Math.max(0, count - tail))
          .map((e) => e.text)
          .join(''),
      );
    const ofOne = expected.filter((e) => e.stream === 1).map((e) => e.text);
    expect((await read({ stderr: false, tail: 3 }))[1]).toBe(ofOne.slice(-3).join(''));
    for (const f of await logFiles(log)) rmSync(f);
  }
});

test('a line that has no newline yet is shown and counts as one', async () => {
  writeFileSync(log, `${stamp(1)} stdout F one\n${stamp(2)} stdout P two\n${stamp(3)} stdout P -and\n`);
  expect((await read()).all).toBe('one\ntwo-and');
  expect((await read({ tail: 1 })).all).toBe('two-and');
  expect((await read({ tail: 1, timestamps: true })).all).toBe('2026-01-01T00:00:02.000000002Z two-and');
});

test('since, until and timestamps', async () => {
  writeFileSync(log, [1, 2, 3, 4].map((n) => `${stamp(n)} stdout F ${n}\n`).join(''));
  const at = (n: number) => parseTime(stamp(n)) as bigint;
  expect((await read({ since: at(2), until: at(3) })).all).toBe('2\n3\n');
  expect((await read({ since: at(2), tail: 1 })).all).toBe('4\n');
  expect((await read({ tail: 1, timestamps: true })).all).toBe('2026-01-01T00:00:04.000000004Z 4\n');
  expect(formatTime('2026-11-24T10:00:00.123+02:00')).toBe('2026-11-24T08:00:00.123000000Z');
  expect(parseTime('yesterday')).toBeUndefined();
});

test('tty lines keep their carriage return; lines that are none are left out', async () => {
  writeFileSync(log, `${stamp(1)} stdout F a\r\ngarbage\n${stamp(2)} stdout F b\r\n`);
  expect((await read()).all).toBe('a\r\nb\r\n');
  expect(parseLogLine(Buffer.from('x'))).toBeUndefined();
});

test('follow goes through rotations without losing or repeating a line, and ends with the container', async () => {
  writeFileSync(log, '');
  const over = new AbortController();
  let written = true;
  let got = '';
  const reading = readLogs(
    { logPath: log, isWritten: () => written, ended: over.signal },
    { ...ALL, follow: true },
    async (_stream, data) => {
      got += data.toString();
    },
    new AbortController().signal,
  );
  let expected = '';
  for (let n = 0; n < 400; n += 1) {
    appendFileSync(log, `${stamp(n)} stdout F ${n}\n`);
    expected += `${n}\n`;
    if (n % 90 === 89) {
      await rotateLog(log, 5);
      appendFileSync(`${log}.1`, `${stamp(n)} stdout F late ${n}\n`); // the writer has not reopened yet
      expected += `late ${n}\n`;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    if (n % 37 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  written = false;
  over.abort();
  await reading;
  expect(got).toBe(expected);
});

test('rotation keeps so many files', async () => {
  for (let n = 0; n < 6; n += 1) {
    writeFileSync(log, String(n));
    await rotateLog(log, 3);
  }
  expect(existsSync(`${log}.3`)).toBe(false);
  expect(readFileSync(`${log}.1`, 'utf8')).toBe('5');
  expect(readFileSync(`${log}.2`, 'utf8')).toBe('4');
});

/** One line a millisecond from the year's beginning on. */
const lineAt = (n: number, width: number) =>
  `${new Date(Date.UTC(2026, 0, 1) + n).toISOString().replace('Z', '000000+00:00')} stdout F ${String(n).padEnd(width, 'x')}\n`;
const timeOf = (n: number) => BigInt(Date.UTC(2026, 0, 1) + n) * 1_000_000n;

test('since finds its line in any log, over rotations, as a reading of everything would', async () => {
  const next = random(7);
  for (let round = 0; round < 12; round += 1) {
    const count = 1 + next(4000);
    const width = 1 + next(120);
    let file = '';
    for (let n = 0; n < count; n += 1) {
      file += lineAt(n, width);
      if (next(1500) === 0) {
        appendFileSync(log, file);
        file = '';
        await rotateLog(log, 50);
      }
    }
    appendFileSync(log, file);
    for (const from of [0, 1, next(count), next(count), count - 1, count, count + 10]) {
      const got = (await read({ since: timeOf(from) })).all.split('\n').filter(Boolean);
      expect([from, got[0]?.replace(/x*$/, ''), got.length]).toEqual([
        from,
        from < count ? String(from) : undefined,
        Math.max(0, count - from),
      ]);
    }
    for (const f of await logFiles(log)) rmSync(f);
  }
});

test('the last lines, and the lines of a time, of a large log cost a few pieces of it', async () => {
  const piece = (start: number) => Array.from({ length: 10_000 }, (_, n) => lineAt(start + n, 400)).join('');
  const lines = 100_000; // 45 MB
  for (let at = 0; at < lines; at += 10_000) appendFileSync(log, piece(at));
  const bytesRead = () => Number(/^rchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  const before = bytesRead();
  expect((await read({ tail: 10 })).all.split('\n').filter(Boolean)).toHaveLength(10);
  expect((await read({ since: timeOf(lines - 5) })).all.split('\n').filter(Boolean)).toHaveLength(5);
  expect(bytesRead() - before).toBeLessThan(3_000_000);
  expect(await sincePosition(path.join(folder, 'nosuch'), 1n)).toBeUndefined();
});
