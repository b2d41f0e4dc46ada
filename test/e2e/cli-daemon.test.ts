/** `galley daemon …`: the background galleyd and what becomes of its containers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../fixtures/cache.ts';
import { isRoot } from '../fixtures/engine.ts';
import { tool } from '../fixtures/exec.ts';
import { busyboxImage, pushImage } from '../fixtures/images.ts';
import { leftovers, sweep } from '../fixtures/leftovers.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';

describe.skipIf(!isRoot)('galley daemon (needs root)', () => {
  const name = `gd${process.pid % 100_000}`;
  let folder: string;
  let registry: Registry;
  let image: string;
  let flags: string[];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'galley-daemon-'));
    flags = ['--data-root', `${folder}/data`, '--exec-root', `${folder}/exec`, '--name', name];
    registry = await startRegistry();
    image = await pushImage(registry, 'library/busybox:latest', await busyboxImage());
  });
  afterAll(async () => {
    await sweep({ name, folder });
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const galley = (...args: string[]) =>
    tool(process.execPath, ['--', path.join(repositoryRoot, 'src/main.ts'), ...args], {
      env: { PATH: process.env['PATH'], HOME: folder, GALLEY_HOST: `unix://${folder}/exec/galley.sock` },
    });
  const must = async (...args: string[]) => {
    const result = await galley(...args);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    return result.stdout.trimEnd();
  };

  it('says that nothing runs', async () => {
    expect(await galley('daemon', 'status', ...flags)).toMatchObject({ code: 3, stdout: 'galleyd is not running\n' });
    expect(await must('daemon', 'stop', ...flags)).toBe('galleyd is not running');
  });

  it('says why galleyd did not come up', async () => {
    const result = await galley('daemon', 'start', ...flags, '--config', `${folder}/missing.json`);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`${folder}/missing.json`);
    const bad = await galley('daemon', ...flags, '--log-level', 'loud');
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain('loud');
  });

  it('starts it once, in a session of its own, and tells how it is', async () => {
    expect(await must('daemon', 'start', ...flags)).toBe(`galleyd started at unix://${folder}/exec/galley.sock`);
    expect(await must('daemon', 'start', ...flags)).toBe(
      `galleyd is already running at unix://${folder}/exec/galley.sock`,
    );
    const status = await must('daemon', 'status', ...flags);
    expect(status).toMatch(
      /^galleyd \S+ is running at unix:.*, pid \d+, up .*\n.*0 of 0 containers running, 0 images$/,
    );
    const pid = /pid (\d+)/.exec(status)?.[1] as string;
    expect((await tool('ps', ['-o', 'sid=', '-p', pid])).stdout.trim()).toBe(pid);
  });

  it('restarts and stops it while containers run on', async () => {
    const started = await galley('run', '-d', '--name', 'one', image, 'sleep', '600');
    expect(started).toMatchObject({ code: 0 });
    const pid = await must('inspect', '-f', '{{.State.Pid}}', 'one');
    expect(await must('daemon', 'restart', ...flags)).toContain('started');
    expect(await must('inspect', '-f', '{{.State.Pid}} {{.State.Status}}', 'one')).toBe(`${pid} running`);
    expect(await must('daemon', 'stop', ...flags)).toBe('galleyd stopped; its containers run on');
    process.kill(Number(pid), 0);
    expect((await galley('ps')).stderr).toContain('galley daemon start');
  });

  it('does not take another process for galleyd because of its number', async () => {
    const pidFile = `${folder}/exec/galleyd.pid`;
    writeFileSync(pidFile, JSON.stringify({ pid: process.pid, startTime: '1', bootId: 'x' }));
    expect(await must('daemon', 'stop', ...flags)).toBe('galleyd is not running');
    rmSync(pidFile);
  });

  it('uninstall --purge wants a word, then leaves nothing', async () => {
    await must('daemon', 'start', ...flags);
    const refused = await galley('daemon', 'uninstall', '--purge', ...flags);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('--force');
    const purged = await galley('daemon', 'uninstall', '--purge', '--force', ...flags);
    expect(purged.stderr).not.toContain('rror');
    expect(purged.stdout).toContain('nothing of galleyd is left');
    expect(await leftovers({ name, folder })).toEqual([]);
  });
});
