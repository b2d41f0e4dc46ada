/** Processes started behind Node's back: what they inherit, how their end is heard, that none stays a zombie. */
import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openPipe, spawnProcess } from '../../../daemon/system/posix-spawn.ts';
import { CommandError, run } from '../../../daemon/system/spawn.ts';

const sh = (script: string, more = {}) => run('sh', ['-c', script], more);
const children = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(process.pid);
      } catch {
        return false; // it ended while we looked
      }
    });

describe('run', () => {
  it('gives output, errors and the code, and feeds a large input', async () => {
    expect(await sh('cat; echo no >&2; exit 3', { input: 'x'.repeat(500_000), allowFailure: true })).toEqual({
      code: 3,
      stdout: 'x'.repeat(500_000),
      stderr: 'no\n',
    });
    await expect(sh('echo why >&2; exit 2')).rejects.toThrow(CommandError);
    await expect(sh('echo why >&2; exit 2')).rejects.toThrow('sh -c echo why >&2; exit 2 failed (exit 2): why');
  });

  it('names the signal that killed a tool, a tool that is missing, and one that takes too long', async () => {
    expect(await sh('kill -9 $$', { allowFailure: true })).toEqual({
      code: 137,
      stdout: '',
      stderr: 'killed by signal 9',
    });
    await expect(run('no-such-tool', [])).rejects.toThrow('cannot run no-such-tool: no-such-tool: no such program');
    await expect(run('sleep', ['60'], { timeoutMs: 20 })).rejects.toThrow('sleep 60 did not end within 20 ms');
  });

  it('does not mind a tool that ends without reading its input', async () => {
    expect((await sh('exit 0', { input: 'x'.repeat(500_000) })).code).toBe(0);
  });

  it('leaves no zombie and no descriptor behind', async () => {
    const open = () => readdirSync('/proc/self/fd').length;
    await sh('true');
    const before = open();
    await Promise.all(Array.from({ length: 30 }, () => sh('true', { input: 'x' })));
    expect(children()).toEqual([]);
    expect(open()).toBe(before);
  });
});

describe('spawnProcess', () => {
  it('gives a child the named descriptors in their order, no other, and no ignored signal', async () => {
    const [a, b, c] = [openPipe(), openPipe(), openPipe()];
    const ended = Promise.withResolvers<number>();
    // Crossed on purpose: the parent's numbers are the child's numbers of others.
    const descriptors = [a.read, b.write, c.write, c.write, a.read, b.write];
    spawnProcess('/bin/sh', ['-c', 'ls -l /proc/self/fd; grep SigIgn /proc/self/status'], {
      env: { PATH: process.env['PATH'], ONLY: 'this' },
      cwd: '/tmp',
      descriptors,
      exited: ({ code }) => ended.resolve(code),
    });
    for (const fd of [a.read, b.write, c.write]) closeSync(fd);
    expect(await ended.promise).toBe(0);
    const { Socket } = await import('node:net');
    const text = await new Promise<string>((resolve) => {
      let all = '';
      new Socket({ fd: b.read, readable: true, writable: false })
        .on('data', (piece) => (all += piece.toString()))
        .on('close', () => resolve(all));
    });
    const pipeOf = (fd: number) => new RegExp(` ${fd} -> (pipe:\\[\\d+\\])`).exec(text)?.[1];
    expect(pipeOf(0)).toBe(pipeOf(4));
    expect(pipeOf(1)).toBe(pipeOf(5));
    expect(pipeOf(2)).toBe(pipeOf(3));
    expect(new Set([pipeOf(0), pipeOf(1), pipeOf(2)]).size).toBe(3);
    expect(text).not.toMatch(/ (?:[7-9]|\d\d) -> /); // 6 is the folder that ls reads
    expect(text).toMatch(/SigIgn:\s+0{16}/);
    closeSync(a.write);
    closeSync(c.read);
  });

  it('says why a program cannot be started', () => {
    const start = () => spawnProcess('/nowhere/x', [], { env: {}, descriptors: [] });
    expect(start).toThrow('spawn /nowhere/x: no such file or directory (ENOENT)');
  });
});
