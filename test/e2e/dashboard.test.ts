/** The dashboard in a real pty with a terminal emulator, over the real engine (issue 2, paragraph 2). */
import { beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { mustRun } from '../fixtures/exec.ts';
import { useEngine } from '../fixtures/use-engine.ts';
import { buildOnce, galleyBundle, openDashboard } from './dashboard-kit.ts';

describe.skipIf(!isRoot)('the dashboard (needs root)', () => {
  const kitchen = useEngine();
  let docker: DockerCli;
  beforeAll(async () => {
    if (!isRoot) return;
    await buildOnce();
    docker = await dockerCli(kitchen.engine.host);
  });

  it('shows a container that is started elsewhere, its logs; stops and removes it by keys; gives the terminal back', async () => {
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows('No containers yet');
    expect(terminal.screen()).toContain(kitchen.engine.host);
    expect(terminal.emulator.buffer.active.type).toBe('alternate');

    const script = 'echo first words; sleep 1000';
    await docker.must(['run', '-d', '--name', 'seen', '--stop-timeout', '1', 'busybox', 'sh', '-c', script]);
    await terminal.shows(/● running +seen/);
    await terminal.shows('first words');
    terminal.write('s');
    await terminal.shows('Stop this container?');
    terminal.write('y');
    await terminal.shows(/■ exited 137 +seen/);
    terminal.write('d');
    await terminal.shows('Remove this container?');
    // Enter alone is Cancel.
    terminal.write('\r');
    await terminal.hides('Remove this container?');
    expect((await docker.must(['ps', '-aq'])).length).toBe(12);
    terminal.write('d');
    await terminal.shows('Remove this container?');
    terminal.write('y');
    await terminal.shows('No containers yet');
    expect(await docker.must(['ps', '-aq'])).toBe('');

    terminal.resize(80, 24);
    await terminal.shows('q quit');
    terminal.write('q');
    expect(await terminal.exited).toBe(0);
    await expect.poll(() => terminal.emulator.buffer.active.type).toBe('normal');
    await terminal.shows('The engine keeps running');
  });

  it('says that the engine died, keeps what it knew, and comes back with it', async () => {
    await docker.must(['run', '-d', '--name', 'kept', 'busybox', 'sleep', '1000']);
    using terminal = openDashboard(kitchen, 120, 30);
    await terminal.shows('● live');
    await kitchen.engine.kill9();
    await terminal.shows('The engine went away');
    await terminal.shows(/● running +kept/);
    await kitchen.engine.start();
    await terminal.shows('● live');
    await terminal.hides('The engine went away');
    await docker.must(['rm', '-f', 'kept']);
    await terminal.hides(/● running +kept/);
    terminal.pty.kill('SIGTERM');
    expect(await terminal.exited).toBe(143);
  });

  it('prints one frame as text', async () => {
    const frame = await mustRun(process.execPath, [
      galleyBundle,
      '-H',
      kitchen.engine.host,
      '--snapshot',
      '--size',
      '100x30',
    ]);
    expect(frame).toContain('1 containers 0');
    expect(frame).toContain('galleyd 0.1.0');
  });
});
