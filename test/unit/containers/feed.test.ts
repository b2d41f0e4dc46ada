import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ClientFeed, QUEUE_LIMIT } from '../../../daemon/containers/client-feed.ts';
import { StreamHub } from '../../../daemon/containers/hub.ts';
import type { ClientStream } from '../../../daemon/containers/index.ts';
import type { TaskStream } from '../../../daemon/runtime/types.ts';
import { createLog } from '../../../daemon/system/log.ts';

function sink(gate: () => Promise<void>): ClientStream & { out: { 1: string; 2: string }; closed: boolean } {
  const closes: (() => void)[] = [];
  const me = {
    out: { 1: '', 2: '' },
    closed: false,
    async send(stream: 1 | 2, data: Buffer) {
      await gate();
      me.out[stream] += data.toString();
    },
    onInput() {},
    onInputEnd() {},
    onClose: (listener: () => void) => closes.push(listener),
    close() {
      if (me.closed) return;
      me.closed = true;
      for (const listener of closes) listener();
    },
  };
  return me;
}

function task(): TaskStream & { emit(stream: 1 | 2, text: string): void; end(): void } {
  const listeners: ((stream: 1 | 2, data: Buffer) => void)[] = [];
  const ends: (() => void)[] = [];
  return {
    onData: (listener) => listeners.push(listener),
    onEnd: (listener) => ends.push(listener),
    pause() {},
    resume() {},
    write: async () => {},
    endInput() {},
    close() {},
    emit: (stream, text) => {
      for (const listener of listeners) listener(stream, Buffer.from(text));
    },
    end: () => {
      for (const listener of ends) listener();
    },
  };
}

test('a client that stops and goes gets every byte of both streams, from the log where it fell behind', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'galley-feed-'));
  const logPath = path.join(folder, 'ctr.log');
  writeFileSync(logPath, '2026-01-01T00:00:00Z stdout F of a former run\n');
  const source = task();
  const hub = new StreamHub({ attach: async () => source, logPath, keepOpen: false, log: createLog('error') });
  let stuck: PromiseWithResolvers<void> | null = Promise.withResolvers<void>();
  const slow = sink(async () => stuck?.promise);
  const quick = sink(async () => {});
  await hub.join(new ClientFeed(slow, { stdout: true, stderr: true }));
  await hub.join(new ClientFeed(quick, { stdout: true, stderr: false }));
  await hub.beginRun();
  const expected = { 1: '', 2: '' };
  for (let n = 0; n < 6000; n += 1) {
    const stream = n % 3 === 0 ? 2 : 1;
    const text = `${n}:${'x'.repeat(n % 700)}\n`;
    expected[stream] += text;
    appendFileSync(logPath, `2026-01-01T00:00:00Z ${stream === 1 ? 'stdout' : 'stderr'} F ${text}`); // conmon logs first
    source.emit(stream, text);
    if (n === 4500) {
      stuck?.resolve();
      stuck = null;
    }
    if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(expected[1].length).toBeGreaterThan(QUEUE_LIMIT);
  source.end();
  await hub.endRun();
  await expect.poll(() => slow.closed, { timeout: 10_000 }).toBe(true);
  expect(slow.out).toEqual(expected);
  expect(quick.out).toEqual({ 1: expected[1], 2: '' });
  rmSync(folder, { recursive: true });
});

test('without a log a client that takes nothing is dropped, and the others go on', async () => {
  const source = task();
  const hub = new StreamHub({ attach: async () => source, logPath: null, keepOpen: false, log: createLog('error') });
  const open = Promise.withResolvers<void>();
  const slow = sink(() => open.promise);
  const quick = sink(async () => {});
  let dropped = 0;
  await hub.join(new ClientFeed(slow, { stdout: true, stderr: true }, { onDrop: () => (dropped += 1) }));
  await hub.join(new ClientFeed(quick, { stdout: true, stderr: true }));
  await hub.beginRun();
  const piece = 'y'.repeat(64 * 1024);
  for (let n = 0; n < 40; n += 1) {
    source.emit(1, piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  open.resolve();
  await expect.poll(() => slow.closed).toBe(true);
  expect(dropped).toBe(1);
  source.end();
  await hub.endRun();
  expect(quick.out[1].length).toBe(40 * piece.length);
});

test('a source that can be stalled is, and nothing is dropped', async () => {
  const open = Promise.withResolvers<void>();
  const slow = sink(() => open.promise);
  const calls: string[] = [];
  const feed = new ClientFeed(
    slow,
    { stdout: true, stderr: true },
    { flow: { pause: () => calls.push('pause'), resume: () => calls.push('resume') } },
  );
  const piece = Buffer.alloc(QUEUE_LIMIT / 2, 'z');
  for (let n = 0; n < 4; n += 1) feed.push(1, piece, n * piece.length);
  expect(calls[0]).toBe('pause');
  open.resolve();
  feed.end();
  await feed.done;
  expect(calls.at(-1)).toBe('resume');
  expect(slow.out[1].length).toBe(4 * piece.length);
});
