/** The main job through the real docker CLI and the real entry point of the daemon: issue 2, paragraphs 3 and 4. */
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { freePort, tool, waitFor } from '../fixtures/exec.ts';
import { nginxPage } from '../fixtures/images.ts';
import { useEngine } from '../fixtures/use-engine.ts';

describe.skipIf(!isRoot)('docker CLI on galleyd (needs root)', () => {
  const kitchen = useEngine();
  let docker: DockerCli;
  beforeAll(async () => {
    if (isRoot) docker = await dockerCli(kitchen.engine.host);
  });

  const page = (port: number, host = '127.0.0.1') =>
    new Promise<string>((resolve, reject) => {
      const outgoing = http.get({ host, port, agent: false, timeout: 3000 }, (response) => {
        let text = '';
        response.on('data', (piece) => {
          text += piece;
        });
        response.on('end', () => resolve(text));
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 3 s')));
      outgoing.on('error', reject);
    });
  /** What is on disk of containers, for "nothing left behind". */
  const traces = () => ({
    roots: readdirSync(path.join(kitchen.engine.dataRoot, 'roots')).length,
    bundles: readdirSync(path.join(kitchen.engine.execRoot, 'b')).length,
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${kitchen.engine.folder}/data/roots`)).length,
  });

  it('runs nginx with nothing local, pulled through the mirror, and serves its page', async () => {
    const port = await freePort();
    const started = await docker.run(['run', '-d', '-p', `${port}:80`, '--name', 'web', 'nginx']);
    expect(started.code).toBe(0);
    expect(started.stdout.trim()).toMatch(/^[0-9a-f]{64}$/);
    expect(started.stderr).toContain('Status: Downloaded newer image for nginx:latest');
    expect(await waitFor('the page', () => page(port))).toBe(nginxPage);
    const listed = await docker.run(['ps', '--format', '{{.Names}} {{.Image}} {{.Ports}} {{.State}}']);
    expect(listed.stdout.trim()).toBe(`web nginx 0.0.0.0:${port}->80/tcp running`);
    expect((await docker.run(['logs', 'web'])).stdout).toContain('GET / HTTP/1.1');
    expect((await docker.run(['exec', 'web', 'cat', '/etc/hostname'])).stdout).toBe(`${started.stdout.slice(0, 12)}\n`);

    const second = await docker.run(['run', '-d', '-p', `${port}:80`, '--name', 'other', 'nginx']);
    expect(second.code).toBe(125);
    expect(second.stderr).toContain(`Bind for 0.0.0.0:${port} failed: port is already allocated`);
    expect(second.stderr).toContain('container web');
    expect((await docker.run(['rm', 'other'])).code).toBe(0);

    const gateway = (
      await docker.run(['network', 'inspect', 'bridge', '-f', '{{(index .IPAM.Config 0).Gateway}}'])
    ).stdout.trim();
    // From another container and from the container itself (hairpin), through the host's address: their network, the host's bash.
    expect((await docker.run(['run', '-d', '--name', 'neighbour', 'busybox', 'sleep', '100'])).code).toBe(0);
    for (const from of ['neighbour', 'web']) {
      const netns = (await docker.run(['inspect', '-f', '{{.NetworkSettings.SandboxKey}}', from])).stdout.trim();
      const ask = `exec 3<>/dev/tcp/${gateway}/${port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; timeout 5 cat <&3`;
      expect((await tool('nsenter', [`--net=${netns}`, 'bash', '-c', ask])).stdout).toContain(nginxPage);
      // The host's own services on 127.0.0.1 are out of reach, though route_localnet is on (field/network.md).
      const loopback = `timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${new URL(kitchen.registry.url).port}'`;
      expect((await tool('nsenter', [`--net=${netns}`, 'bash', '-c', loopback])).code).not.toBe(0);
    }
    expect((await docker.run(['rm', '-f', 'neighbour'])).code).toBe(0);

    expect((await docker.run(['stop', 'web'])).stdout).toBe('web\n');
    expect((await docker.run(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'web'])).stdout).toBe(
      'exited 0\n',
    );
    expect((await docker.run(['rm', 'web'])).stdout).toBe('web\n');
    await expect(page(port)).rejects.toThrow();
    expect(traces()).toEqual({ roots: 0, bundles: 0, mounts: 0 });
  });

  it.each([
    [['busybox', 'sh', '-c', 'exit 42'], 42, ''],
    [['busybox', 'nosuch'], 127, 'executable file not found in $PATH'],
    [['busybox', '/etc/passwd'], 126, 'permission denied'],
    [['busybox', 'sh', '-c', 'sleep 100 & kill -9 $!; wait $!'], 137, ''],
    [['REGISTRY/no/such:image'], 125, 'manifest'],
    [['--nosuchflag', 'busybox'], 125, 'unknown flag: --nosuchflag'],
    [['-v', 'a:b:c:d', 'busybox', 'true'], 125, 'invalid'],
    [['--user', 'nobodyhere', 'busybox', 'true'], 125, 'unable to find user nobodyhere'],
  ])('run %j exits %i and leaves nothing behind', async (args, code, words) => {
    const registry = new URL(kitchen.registry.url).host;
    const result = await docker.run(['run', '--rm', ...args.map((arg) => arg.replace('REGISTRY', registry))]);
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(words)]);
    await waitFor('the removal', async () => traces().roots === 0);
    expect(traces()).toEqual({ roots: 0, bundles: 0, mounts: 0 });
  });

  it('passes stdin, keeps stdout and stderr apart', async () => {
    const data = 'x'.repeat(3_000_000);
    const echoed = await docker.run(['run', '-i', '--rm', 'busybox', 'cat'], { input: data });
    expect(echoed.stdout.length).toBe(data.length);
    expect(echoed.stdout === data).toBe(true);
    const both = await docker.run(['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2']);
    expect([both.stdout, both.stderr]).toEqual(['out\n', 'err\n']);
  });

  it('keeps containers, logs and exit codes over a kill -9 of galleyd', async () => {
    const script = 'i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i+1)); sleep 0.1; done; exit 7';
    expect((await docker.run(['run', '-d', '--name', 'ticker', 'busybox', 'sh', '-c', script])).code).toBe(0);
    expect((await docker.run(['run', '-d', '--name', 'stays', 'busybox', 'sleep', '1000'])).code).toBe(0);
    await kitchen.engine.kill9();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await kitchen.engine.start();
    const state = async (name: string) =>
      (await docker.run(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name])).stdout.trim();
    await waitFor('the exit code', async () => (await state('ticker')) === 'exited 7');
    expect((await docker.run(['logs', 'ticker'])).stdout).toBe(
      Array.from({ length: 30 }, (_, i) => `line ${i}\n`).join(''),
    );
    expect(await state('stays')).toBe('running 0');
    expect((await docker.run(['exec', 'stays', 'echo', 'alive'])).stdout).toBe('alive\n');
    expect((await docker.run(['rm', '-f', 'stays', 'ticker'])).code).toBe(0);
    expect(traces()).toEqual({ roots: 0, bundles: 0, mounts: 0 });
  });

  it('limits, volumes with copy-up, and init reach the container', async () => {
    const limited = await docker.run([
      'run',
      '--rm',
      '-m',
      '64m',
      '--cpus',
      '0.5',
      '--pids-limit',
      '50',
      '--init',
      'busybox',
      'sh',
      '-c',
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/pids/pids.max; ps | grep -c docker-init',
    ]);
    expect(limited.stdout.split('\n').slice(0, 3)).toEqual(['67108864', '50000', '50']);
    expect((await docker.run(['volume', 'create', 'data'])).stdout).toBe('data\n');
    expect(
      (await docker.run(['run', '--rm', '-v', 'data:/etc', 'busybox', 'sh', '-c', 'echo kept > /etc/mine'])).code,
    ).toBe(0);
    const again = await docker.run([
      'run',
      '--rm',
      '-v',
      'data:/d',
      'busybox',
      'sh',
      '-c',
      'cat /d/mine; grep -c root /d/passwd',
    ]);
    expect(again.stdout).toBe('kept\n1\n');
    expect((await docker.run(['volume', 'rm', 'data'])).stdout).toBe('data\n');
  });

  it('a port published on 127.0.0.1 is no port of the other addresses', async () => {
    const port = await freePort();
    expect((await docker.run(['run', '-d', '--name', 'local', '-p', `127.0.0.1:${port}:80`, 'nginx'])).code).toBe(0);
    expect(await waitFor('the page', () => page(port))).toBe(nginxPage);
    const gateway = (
      await docker.run(['network', 'inspect', 'bridge', '-f', '{{(index .IPAM.Config 0).Gateway}}'])
    ).stdout.trim();
    await expect(page(port, gateway)).rejects.toThrow();
    expect((await docker.run(['rm', '-f', 'local'])).code).toBe(0);
  });

  it('answers a malformed body with 400 and a taken name with 409', async () => {
    const answer = await kitchen.engine.request('POST', '/containers/create?name=x', { Image: 5 });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('field Image')]);
    expect((await docker.run(['create', '--name', 'taken', 'busybox'])).code).toBe(0);
    const conflict = await kitchen.engine.request('POST', '/containers/create?name=taken', { Image: 'busybox' });
    expect([conflict.status, conflict.json<{ message: string }>().message]).toEqual([
      409,
      expect.stringContaining('"/taken" is already in use'),
    ]);
    expect((await docker.run(['rm', 'taken'])).code).toBe(0);
  });
});
