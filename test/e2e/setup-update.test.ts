/**
 * What `git pull` brings: a changed lock and source are noticed, npm packages and dist/ made anew, and a galleyd of the older build is put
 * out of service, while a container serves all along. And `npm start` in a shell with job control.
 */
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot, requestUnix } from '../fixtures/engine.ts';
import { freePort, mustRun, type ToolResult, tool, waitFor } from '../fixtures/exec.ts';
import { nginxImage, pushImage } from '../fixtures/images.ts';
import { leftovers, sweep } from '../fixtures/leftovers.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';
import { openTerminal } from '../fixtures/terminal.ts';
import { type Clone, hostEnv, makeClone } from './setup-kit.ts';

/** Asks for /?n=1, /?n=2, … until told to stop; every answer that is not nginx' page is kept. */
function customer(port: number): { asked(): number; failures: string[]; stop(): Promise<void> } {
  const failures: string[] = [];
  let asked = 0;
  let open = true;
  const ask = (n: number) =>
    new Promise<void>((resolve) => {
      const request = http.get({ port, host: '127.0.0.1', path: `/?n=${n}`, agent: false, timeout: 5000 }, (answer) => {
        if (answer.statusCode !== 200) failures.push(`${n}: ${answer.statusCode}`);
        answer.resume();
        answer.on('end', resolve);
      });
      request.on('timeout', () => request.destroy(new Error('no answer for 5 s')));
      request.on('error', (error) => {
        failures.push(`${n}: ${error.message}`);
        resolve();
      });
    });
  const work = (async () => {
    while (open) {
      asked += 1;
      await ask(asked);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    asked: () => asked,
    failures,
    stop: () => {
      open = false;
      return work;
    },
  };
}

describe.skipIf(!isRoot)('after git pull (needs root)', () => {
  const name = `gu${process.pid % 100_000}`;
  let clone: Clone;
  let registry: Registry;
  let socket: string;
  let env: NodeJS.ProcessEnv;
  let flags: string[];

  beforeAll(async () => {
    clone = await makeClone({ installed: true });
    socket = path.join(clone.folder, 'exec/galley.sock');
    env = { ...hostEnv, GALLEY_HOST: `unix://${socket}`, HOME: clone.folder };
    registry = await startRegistry();
    await pushImage(registry, 'library/nginx:latest', await nginxImage());
    flags = ['--name', name, '--data-root', `${clone.folder}/data`, '--exec-root', `${clone.folder}/exec`];
    await mustRun('npm', ['run', 'setup', '--', '--no-packages', '--no-daemon', '--no-link'], { cwd: clone.path, env });
    await galley('daemon', 'start', ...flags, '--registry-mirror', registry.url);
  });
  afterAll(async () => {
    await galley('daemon', 'uninstall', '--purge', '--force', ...flags);
    const left = await leftovers({ name, folder: clone.folder });
    await sweep({ name, folder: clone.folder });
    await registry?.stop();
    clone?.remove();
    expect(left).toEqual([]);
  });
  const galley = (...args: string[]) => mustRun(path.join(clone.path, 'bin/galley'), args, { env, cwd: '/' });
  const setup = (): Promise<ToolResult> =>
    tool('npm', ['run', '--silent', 'setup', '--', '--no-packages', '--no-group', '--no-link'], {
      cwd: clone.path,
      env,
      timeoutMs: 400_000,
    });
  interface Build {
    BuildHash: string;
    Pid: string;
  }
  const running = async (): Promise<Build> => {
    const version = (await requestUnix(socket, 'GET', '/version')).json<{
      Components: { Name: string; Details: Build }[];
    }>();
    return version.Components.find((component) => component.Name === 'galley')!.Details;
  };
  const built = () => JSON.parse(fs.readFileSync(path.join(clone.path, 'dist/build.json'), 'utf8')) as { hash: string };

  it('reinstalls, rebuilds and restarts galleyd with the flags it had, while nginx answers and its log has no hole', {
    timeout: 900_000,
  }, async () => {
    const port = await freePort();
    await galley('run', '-d', '--name', 'web', '-p', `${port}:80`, 'nginx');
    const before = await running();
    expect(before.BuildHash).toBe(built().hash);
    const pid = await galley('inspect', '-f', '{{.State.Pid}}', 'web');
    await waitFor('nginx', async () => (await fetch(`http://127.0.0.1:${port}/`)).ok);

    await clone.push('package-lock.json', (text) => `${text}\n`);
    await clone.push('daemon/main.ts', (text) => `${text}// changed\n`);
    const visits = customer(port);
    await waitFor('first visits', () => visits.asked() > 5);
    await mustRun('git', ['pull', '-q'], { cwd: clone.path });
    const result = await setup();
    const at = visits.asked();
    await waitFor('visits after it', () => visits.asked() > at + 5);
    await visits.stop();

    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(/npm packages: done[\s\S]*build: done[\s\S]*restart galleyd[^\n]*: done/);
    const after = await running();
    expect(after.Pid).not.toBe(before.Pid);
    expect(after.BuildHash).not.toBe(before.BuildHash);
    expect(after.BuildHash).toBe(built().hash);
    expect(visits.failures).toEqual([]);
    expect(await galley('inspect', '-f', '{{.State.Pid}}', 'web')).toBe(pid);
    const seen = [...(await galley('logs', 'web')).matchAll(/GET \/\?n=(\d+) /g)].map((match) => Number(match[1]));
    expect(seen).toEqual(Array.from({ length: visits.asked() }, (_, i) => i + 1));
    // The flags are still its own: it pulls through the mirror it was told about.
    await galley('rm', '-f', 'web');
    await galley('rmi', 'nginx');
    await galley('pull', 'nginx');

    expect(await setup()).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await running()).Pid).toBe(after.Pid);
  });

  it('npm start in a shell: Ctrl-Z stops it and gives the terminal back, fg goes on, q quits', async () => {
    const terminal = openTerminal('bash', ['--norc', '-i'], {
      columns: 120,
      rows: 30,
      cwd: clone.path,
      env: { PATH: hostEnv.PATH ?? '', HOME: clone.folder, GALLEY_HOST: `unix://${socket}`, PS1: 'ready> ' },
    });
    try {
      await terminal.shows('ready>');
      terminal.write('npm start -- --no-packages --no-group --no-link\r');
      await terminal.shows(/containers/i, 30_000);
      expect(terminal.emulator.buffer.active.type).toBe('alternate');
      for (let round = 1; round <= 2; round += 1) {
        terminal.write('\u001a');
        await terminal.shows(/Stopped +npm start/);
        await waitFor('the main screen', () => terminal.emulator.buffer.active.type === 'normal');
        // A command typed now is echoed once and runs: the terminal is in its usual mode.
        terminal.write(`echo it-is-$((40 + ${round}))\r`);
        await terminal.shows(`it-is-${40 + round}`);
        terminal.write('fg\r');
        await waitFor('the dashboard', () => terminal.emulator.buffer.active.type === 'alternate');
        await terminal.shows(/containers/i);
      }
      terminal.write('q');
      await waitFor('the shell', () => terminal.emulator.buffer.active.type === 'normal');
      terminal.write('echo status-$?\r');
      await terminal.shows('status-0');
      terminal.write('exit\r');
      expect(await terminal.exited).toBe(0);
    } finally {
      terminal.close();
    }
  });
});
