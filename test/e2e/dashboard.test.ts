/** The dashboard in a real pty with a terminal emulator, over the real engine (issue 2, paragraph 2). */
import path from 'node:path';
import { spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../fixtures/cache.ts';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { mustRun } from '../fixtures/exec.ts';
import { useEngine } from '../fixtures/use-engine.ts';

describe.skipIf(!isRoot)('the dashboard (needs root)', () => {
  const kitchen = useEngine();
  let docker: DockerCli;
  beforeAll(async () => {
    if (!isRoot) return;
    docker = await dockerCli(kitchen.engine.host);
    await mustRun(process.execPath, [path.join(repositoryRoot, 'scripts/build.mjs')]);
  });

  function open(columns: number, rows: number) {
    const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    const pty = spawn(process.execPath, [path.join(repositoryRoot, 'dist/galley.mjs'), '-H', kitchen.engine.host], {
      cols: columns,
      rows,
      env: { PATH: process.env.PATH ?? '', HOME: kitchen.engine.folder, TERM: 'xterm-256color', CI: 'true' },
    });
    pty.onData((data) => terminal.write(data));
    const exited = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    const screen = () =>
      Array.from(
        { length: rows },
        (_, i) => terminal.buffer.active.getLine(terminal.buffer.active.viewportY + i)?.translateToString(true) ?? '',
      ).join('\n');
    return { pty, exited, screen, terminal };
  }

  it('shows a container that is started elsewhere, its logs; stops and removes it by keys; gives the terminal back', async () => {
    const { pty, exited, screen, terminal } = open(100, 30);
    await expect.poll(screen, { timeout: 15_000 }).toContain('no containers yet');
    expect(screen()).toContain(kitchen.engine.host.slice(0, 20));
    expect(terminal.buffer.active.type).toBe('alternate');

    await docker.must([
      'run',
      '-d',
      '--name',
      'seen',
      '--stop-timeout',
      '1',
      'busybox',
      'sh',
      '-c',
      'echo first words; sleep 1000',
    ]);
    await expect.poll(screen, { timeout: 10_000 }).toMatch(/● seen/);
    await expect.poll(screen, { timeout: 10_000 }).toContain('first words');
    pty.write('s');
    await expect.poll(screen, { timeout: 20_000 }).toMatch(/○ seen .*Exited/);
    pty.write('d');
    await expect.poll(screen, { timeout: 5000 }).toContain('remove seen?');
    pty.write('n');
    await expect.poll(screen, { timeout: 5000 }).not.toContain('remove seen?');
    expect((await docker.must(['ps', '-aq'])).length).toBe(12);
    pty.write('d');
    await expect.poll(screen, { timeout: 5000 }).toContain('remove seen?');
    pty.write('y');
    await expect.poll(screen, { timeout: 10_000 }).toContain('no containers yet');
    expect(await docker.must(['ps', '-aq'])).toBe('');

    pty.resize(80, 24);
    terminal.resize(80, 24);
    await expect.poll(screen, { timeout: 5000 }).toContain('q quit');
    pty.write('q');
    expect(await exited).toBe(0);
    await expect.poll(() => terminal.buffer.active.type).toBe('normal');
  });

  it('says that the engine died, and comes back with it', async () => {
    const { pty, exited, screen } = open(120, 30);
    await expect.poll(screen, { timeout: 15_000 }).toContain('galley 0.1.0');
    await kitchen.engine.kill9();
    await expect.poll(screen, { timeout: 10_000 }).toContain('not connected');
    await kitchen.engine.start();
    await expect.poll(screen, { timeout: 15_000 }).not.toContain('not connected');
    pty.kill('SIGTERM');
    expect(await exited).toBe(143);
  });

  it('prints one frame as text', async () => {
    const frame = await mustRun(process.execPath, [
      path.join(repositoryRoot, 'dist/galley.mjs'),
      '-H',
      kitchen.engine.host,
      '--snapshot',
      '--size',
      '100x30',
    ]);
    expect(frame).toContain('[1 containers]');
    expect(frame).toContain('galley 0.1.0');
  });
});
