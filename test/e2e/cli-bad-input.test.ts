/** Bad input through galley as a process (issue 2): each error is shown, has Docker's exit code, and leaves nothing behind. */
import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, isRoot, startEngine } from '../fixtures/engine.ts';
import { freePort, mustRun, tool, waitFor } from '../fixtures/exec.ts';
import { type Front, startFront } from '../fixtures/front.ts';
import { nginxImage, pushImage } from '../fixtures/images.ts';
import { useEngine } from '../fixtures/use-engine.ts';
import { galleyProgram } from './cli-target.ts';

const galleyOn = (engine: Engine) => (args: readonly string[]) =>
  tool(process.execPath, [...galleyProgram, ...args], {
    env: { PATH: process.env['PATH'], HOME: engine.folder, DOCKER_HOST: engine.host },
  });

/** What an engine has on the host because of containers and pulls, as text. */
async function residue(engine: Engine): Promise<string> {
  const inside = (...parts: string[]) => {
    const folder = path.join(...parts);
    return fs.existsSync(folder) ? `${folder}: ${fs.readdirSync(folder).sort().join(' ')}` : '';
  };
  const { dataRoot, execRoot } = engine;
  const mounts = fs
    .readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${engine.folder}/`) && !point.startsWith(path.join(execRoot, 'netns')));
  const tables = (await mustRun('nft', ['list', 'tables']))
    .split('\n')
    .filter((line) => line.split(' ')[2]?.startsWith(engine.name));
  const rules = await Promise.all(tables.map((line) => mustRun('nft', ['list', ...line.split(' ')])));
  return [
    ...['containers', 'roots', 'volumes', 'layers', 'content/tmp'].map((name) => inside(dataRoot, name)),
    ...['b', 'x', 's/runc', 'exits'].map((name) => inside(execRoot, name)),
    ...mounts.sort(),
    // Counters of packets move by themselves.
    ...rules.map((text) => text.replace(/counter packets \d+ bytes \d+/g, 'counter')),
    `namespaces ${fs.readdirSync(path.join(execRoot, 'netns')).length}`,
  ].join('\n');
}

/** `work` changes nothing that `residue` sees; the pool of namespaces is given time to fill up again. */
async function leavesNothing<T>(engine: Engine, work: () => Promise<T>): Promise<T> {
  // A container that has just started left a place in the pool, which is about to be filled.
  let before = '';
  for (let now = await residue(engine); now !== before; now = await residue(engine)) {
    before = now;
    await sleep(500);
  }
  const result = await work();
  await waitFor('everything to be taken back', async () => (await residue(engine)) === before).catch(async () => {
    expect(await residue(engine)).toBe(before);
  });
  return result;
}

describe.skipIf(!isRoot)('bad input (needs root)', () => {
  const kitchen = useEngine();
  let front: Front;
  let galley: ReturnType<typeof galleyOn>;
  beforeAll(async () => {
    galley = galleyOn(kitchen.engine);
    front = await startFront(kitchen.registry);
    expect((await galley(['pull', '-q', 'busybox'])).code).toBe(0);
    // The pool of namespaces is full before anything is compared.
    expect((await galley(['run', '--rm', 'busybox', 'true'])).code).toBe(0);
    await waitFor('the pool', () => fs.readdirSync(path.join(kitchen.engine.execRoot, 'netns')).length === 3);
  });
  afterAll(() => front?.stop());

  it.each([
    [['run', '--rm', 'REGISTRY/no/such:image'], 125, /manifest for \S+\/no\/such:image not found: manifest unknown/],
    [['pull', 'REGISTRY/no/such'], 1, /manifest for \S+\/no\/such:latest not found: manifest unknown/],
    [
      ['run', '--rm', 'busybox', 'no-such-command'],
      127,
      /exec: "no-such-command": executable file not found in \$PATH/,
    ],
    [['run', '--rm', 'busybox', '/no/such'], 127, /stat \/no\/such: no such file or directory/],
    [['run', '--rm', 'busybox', '/etc/passwd'], 126, /permission denied/],
    [['run', '--rm', '--no-such-flag', 'busybox'], 125, /^unknown flag: --no-such-flag\n/],
    [['run', '--rm', '-z', 'busybox'], 125, /^unknown shorthand flag: 'z' in -z\n/],
    [['run', '--rm', '-v', '/a:/b:/c:/d', 'busybox'], 125, /too many colons/],
    [['run', '--rm', '--network', 'nope', 'busybox'], 125, /network nope not found/],
    [['run', '--rm', '-u', 'nobody-here', 'busybox'], 125, /unable to find user nobody-here/],
    [
      ['run', '--rm', '--mount', 'type=bind,src=/no/such,dst=/x', 'busybox'],
      125,
      /bind source path does not exist: \/no\/such/,
    ],
    [['run', '--rm', '--cidfile', '/no/such/file', 'busybox'], 127, /failed to create the container ID file/],
    [['exec', 'nobody', 'true'], 1, /No such container: nobody/],
  ] as [string[], number, RegExp][])('%j exits with %d', async (args, code, words) => {
    const line = args.map((word) => word.replace('REGISTRY', kitchen.registry.host));
    const result = await leavesNothing(kitchen.engine, () => galley(line));
    expect(result.stderr).toMatch(words);
    expect(result.code).toBe(code);
    expect(result.stdout).toBe('');
    expect((await galley(['ps', '-aq'])).stdout).toBe('');
  });

  it('a name in use, with and without --rm, and the container that has it lives on', async () => {
    expect((await galley(['run', '-d', '--name', 'taken', 'busybox', 'sleep', '600'])).code).toBe(0);
    const id = (await galley(['ps', '-q', '--no-trunc'])).stdout.trim();
    for (const args of [['run', '--rm'], ['run', '-d'], ['create']]) {
      const result = await leavesNothing(kitchen.engine, () => galley([...args, '--name', 'taken', 'busybox', 'true']));
      expect(result.stderr).toContain(
        `Conflict. The container name "/taken" is already in use by container "${id}". You have to remove (or rename) that container`,
      );
      expect(result.code).toBe(args[0] === 'run' ? 125 : 1);
    }
    expect((await galley(['ps', '--format', '{{.Names}}'])).stdout).toBe('taken\n');
    await galley(['rm', '-f', 'taken']);
  });

  it('a port in use names who holds it, be it a container or a program of the host', async () => {
    const port = await freePort();
    expect((await galley(['run', '-d', '--name', 'holder', '-p', `${port}:80`, 'busybox', 'sleep', '600'])).code).toBe(
      0,
    );
    const second = await leavesNothing(kitchen.engine, () => galley(['run', '--rm', '-p', `${port}:80`, 'busybox']));
    expect(second.stderr).toMatch(
      new RegExp(`Bind for 0\\.0\\.0\\.0:${port} failed: port is already allocated.*holder`),
    );
    expect(second.code).toBe(125);
    await galley(['rm', '-f', 'holder']);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const taken = (server.address() as { port: number }).port;
      const third = await leavesNothing(kitchen.engine, () =>
        galley(['run', '--rm', '-p', `127.0.0.1:${taken}:80`, 'busybox']),
      );
      expect(third.stderr).toContain(String(taken));
      expect(third.stderr).toMatch(new RegExp(`\\b${process.pid}\\b`));
      expect(third.code).toBe(125);
    } finally {
      server.close();
    }
  });

  it('a container that cannot start without --rm stays as created, as with docker, and can be removed', async () => {
    const result = await galley(['run', '--name', 'stuck', 'busybox', 'no-such-command']);
    expect(result.code).toBe(127);
    expect((await galley(['ps', '-a', '--format', '{{.Names}} {{.State}}'])).stdout).toBe('stuck created\n');
    expect((await galley(['rm', 'stuck'])).stdout).toBe('stuck\n');
  });

  it('a registry that answers other bytes than it promised', async () => {
    front.intercept = (request, response) => {
      if (!request.url?.includes('/blobs/') || request.method !== 'GET') return false;
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': '4' });
      response.end('lies');
      return true;
    };
    const result = await leavesNothing(kitchen.engine, () => galley(['run', '--rm', `${front.host}/library/nginx`]));
    expect(result.stderr).toMatch(/digest|unexpected|size/i);
    expect(result.code).toBe(125);
    expect((await galley(['images', '-q', `${front.host}/library/nginx`])).stdout).toBe('');
  });

  it('a registry that cuts the line half-way, again and again; once it is whole the pull goes on', async () => {
    front.intercept = (request, response) => {
      if (!request.url?.includes('/blobs/') || request.method !== 'GET') return false;
      response.writeHead(200, { 'content-length': '1000000' });
      response.write('x'.repeat(1000), () => response.destroy());
      return true;
    };
    const result = await leavesNothing(kitchen.engine, () => galley(['pull', `${front.host}/library/nginx`]));
    expect(result.stderr).toMatch(/unexpected EOF|connection|closed|terminated|cut/i);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(result.code).toBe(1);
    expect((await galley(['images', '-q', `${front.host}/library/nginx`])).stdout).toBe('');
    front.intercept = () => false;
    expect((await galley(['pull', '-q', `${front.host}/library/nginx`])).code).toBe(0);
    expect((await galley(['rmi', `${front.host}/library/nginx`])).code).toBe(0);
    // The pauses between its attempts are real ones.
  }, 180_000);

  it('a body that is no JSON is 400 with the engine`s words, and makes nothing', async () => {
    await leavesNothing(kitchen.engine, async () => {
      for (const body of ['{"Image":', '[]', '{} {}', 'nonsense']) {
        const said = await mustRun('curl', [
          '-s',
          ...['--unix-socket', kitchen.engine.socket],
          ...['-H', 'Content-Type: application/json', '-d', body, '-w', '%{http_code}'],
          'http://galley/v1.51/containers/create',
        ]);
        expect(said.slice(-3), body).toBe('400');
        expect(JSON.parse(said.slice(0, -3)), body).toEqual({ message: expect.any(String) });
      }
    });
  });
});

describe.skipIf(!isRoot)('no space on the data root (needs root)', () => {
  const kitchen = useEngine();
  let small: string;
  let engine: Engine;
  beforeAll(async () => {
    small = fs.mkdtempSync(path.join(os.tmpdir(), 'galley-small-'));
    await mustRun('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'galley-small', small]);
    engine = await startEngine({ dataRoot: path.join(small, 'data'), mirrors: [kitchen.registry.url] });
    await pushImage(kitchen.registry, 'library/nginx:latest', await nginxImage());
  });
  afterAll(async () => {
    try {
      await engine?.purge();
    } finally {
      await tool('umount', [small]);
      fs.rmSync(small, { recursive: true, force: true });
    }
  });

  it('a pull that does not fit says so, leaves no half image, and what fits still runs', async () => {
    const galley = galleyOn(engine);
    const result = await galley(['run', '--rm', 'nginx', 'true']);
    expect(result.stderr).toContain('no space left on device');
    expect(result.stderr).not.toMatch(/\n\s+at /);
    expect(result.code).toBe(125);
    expect((await galley(['images', '-q'])).stdout).toBe('');
    expect((await galley(['ps', '-aq'])).stdout).toBe('');
    // Whole blobs are kept for the next try; nothing half-written is.
    for (const folder of ['roots', 'content/tmp', 'content/ingest'])
      expect(fs.readdirSync(path.join(engine.dataRoot, folder)), folder).toEqual([]);
    expect(await galley(['run', '--rm', 'busybox', 'echo', 'fits'])).toMatchObject({ code: 0, stdout: 'fits\n' });
    const full = await galley(['run', '--rm', 'busybox', 'sh', '-c', 'dd if=/dev/zero of=/big bs=1M count=64']);
    expect(full.stderr).toContain('No space left on device');
    expect(full.code).toBe(1);
    expect((await galley(['ps', '-aq'])).stdout).toBe('');
  });
});
