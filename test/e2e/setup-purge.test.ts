/** `galley daemon uninstall --purge`: whatever ran before it, nothing of galley is on the host after it. And `install` without a systemd. */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../fixtures/cache.ts';
import { isRoot } from '../fixtures/engine.ts';
import { freePort, mustRun, type ToolResult, tool, waitFor } from '../fixtures/exec.ts';
import { nginxImage, pushImage } from '../fixtures/images.ts';
import { leftovers, sweep } from '../fixtures/leftovers.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';

/** Whether a port of the host can be bound: nothing holds it any more. */
const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });

describe.skipIf(!isRoot)('purge (needs root)', () => {
  const name = `gp${process.pid % 100_000}`;
  let registry: Registry;
  let folder: string;
  let flags: string[];
  let ports: number[];

  beforeAll(async () => {
    registry = await startRegistry();
    await pushImage(registry, 'library/nginx:latest', await nginxImage());
  });
  afterAll(() => registry?.stop());

  const galley = (...args: string[]): Promise<ToolResult> =>
    tool(process.execPath, ['--', path.join(repositoryRoot, 'src/main.ts'), ...args], {
      env: { PATH: process.env['PATH'], HOME: folder, GALLEY_HOST: `unix://${folder}/exec/galley.sock` },
    });
  const must = async (...args: string[]): Promise<string> => {
    const result = await galley(...args);
    if (result.code !== 0) throw new Error(`galley ${args.join(' ')}: ${result.stderr}`);
    return result.stdout.trimEnd();
  };

  /** A host with everything on it that galley makes: published ports, a user network, named volumes, a paused container, one that restarts. */
  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'galley-purge-'));
    flags = ['--data-root', `${folder}/data`, '--exec-root', `${folder}/exec`, '--name', name];
    ports = [await freePort(), await freePort()];
    await must('daemon', 'start', ...flags, '--registry-mirror', registry.url);
    await must('network', 'create', 'own');
    await must('volume', 'create', 'kept');
    await must(
      'run',
      '-d',
      '--name',
      'web',
      '-p',
      `${ports[0]}:80`,
      '-v',
      'kept:/kept',
      '--restart',
      'always',
      'nginx',
    );
    await must('run', '-d', '--name', 'other', '--network', 'own', '-p', `${ports[1]}:80`, '-v', '/anonymous', 'nginx');
    await must('run', '-d', '--name', 'frozen', 'nginx');
    await must('pause', 'frozen');
    await must('run', '--name', 'ended', 'nginx', 'true');
    for (const port of ports)
      await waitFor(`nginx at ${port}`, async () => (await fetch(`http://127.0.0.1:${port}/`)).ok);
    expect((await leftovers({ name, folder })).length).toBeGreaterThan(10);
  });
  afterEach(async () => {
    await sweep({ name, folder });
    fs.rmSync(folder, { recursive: true, force: true });
  });

  async function purge(): Promise<ToolResult> {
    const purged = await galley('daemon', 'uninstall', '--purge', '--force', ...flags);
    expect(purged.code, purged.stderr).toBe(0);
    expect(purged.stdout).toContain('nothing of galleyd is left on this host');
    expect(await leftovers({ name, folder })).toEqual([]);
    expect(fs.readdirSync(folder)).toEqual([]);
    for (const port of ports) expect(await isFree(port)).toBe(true);
    return purged;
  }

  it('with a running galleyd; a second purge finds nothing and says the same', async () => {
    await purge();
    await purge();
  });

  it('after galleyd was killed with -9 and its database was ruined: takes away what still runs', async () => {
    const pid = Number(/pid (\d+)/.exec(await must('daemon', 'status', ...flags))?.[1]);
    process.kill(pid, 'SIGKILL');
    await waitFor('its end', async () => (await galley('daemon', 'status', ...flags)).code === 3);
    for (const file of fs.readdirSync(`${folder}/data`))
      if (file.startsWith('galley.db')) fs.rmSync(path.join(folder, 'data', file));
    fs.writeFileSync(`${folder}/data/galley.db`, 'ruined '.repeat(1000));
    const purged = await purge();
    expect(purged.stderr).toContain('going on without the database');
  });
});

describe.skipIf(!isRoot || fs.existsSync('/run/systemd/system'))('on a host without systemd (needs root)', () => {
  it('install says that there is nothing to install into, and what to do instead', async () => {
    const program = path.join(repositoryRoot, 'src/main.ts');
    const result = await tool(process.execPath, ['--', program, 'daemon', 'install']);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('systemd does not run on this host');
    expect(result.stderr).toContain('galley daemon start');
    expect(fs.existsSync('/etc/systemd/system/galleyd.service')).toBe(false);
    expect(await mustRun(process.execPath, ['--', program, 'daemon', 'uninstall'])).toBe(
      'galleyd is not installed as a service\n',
    );
  });
});
