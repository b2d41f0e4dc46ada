/** Volumes in containers, through the docker CLI: what their options, modes and life promise. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { useEngine } from '../fixtures/use-engine.ts';

describe.skipIf(!isRoot)('volumes of containers (needs root)', () => {
  const kitchen = useEngine();
  let docker: DockerCli;
  let folder: string;
  beforeAll(async () => {
    docker = await dockerCli(kitchen.engine.host);
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gve-'));
    await docker.must(['pull', '-q', 'busybox']);
  });
  afterAll(() => {
    docker.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const run = (...args: string[]) => docker.must(['run', '--rm', ...args]);
  const mounts = () => fs.readFileSync('/proc/self/mountinfo', 'utf8');

  it('tmpfs and bind options: mounted while a container uses them, seen by all, gone after', async () => {
    await docker.must(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m,uid=7', 'ram']);
    const holder = await docker.must(['run', '-d', '-v', 'ram:/r', 'busybox', 'sleep', '100']);
    expect(
      await run('-v', 'ram:/r', 'busybox', 'sh', '-c', 'echo one > /r/f; stat -c %u /r; df -m /r | tail -1'),
    ).toMatch(/^7\ntmpfs +1 /);
    expect(await docker.must(['exec', holder, 'cat', '/r/f'])).toBe('one');
    await docker.must(['rm', '-f', holder]);
    expect(mounts()).not.toContain('volumes/ram/_data');
    expect(await run('-v', 'ram:/r', 'busybox', 'ls', '/r')).toBe('');

    fs.writeFileSync(path.join(folder, 'here'), 'bound');
    await docker.must(['volume', 'create', '-o', 'type=none', '-o', `device=${folder}`, '-o', 'o=bind', 'bound']);
    expect(await run('-v', 'bound:/b:ro', 'busybox', 'cat', '/b/here')).toBe('bound');
    const readOnly = await docker.run(['run', '--rm', '-v', 'bound:/b:ro', 'busybox', 'touch', '/b/x']);
    expect(readOnly.stderr).toContain('Read-only file system');
    const broken = await docker.must(['volume', 'create', '-o', 'type=none', '-o', 'device=/nonexist', '-o', 'o=bind']);
    const failed = await docker.run(['run', '--rm', '-v', `${broken}:/b`, 'busybox', 'true']);
    expect([failed.code, failed.stderr]).toEqual([125, expect.stringContaining(`error while mounting volume`)]);
    expect(await docker.must(['ps', '-aq'])).toBe('');
    await docker.must(['volume', 'rm', 'ram', 'bound', broken]);
    expect(fs.readdirSync(folder)).toEqual(['here']);
  });

  it('copies up, or not with nocopy; sub-paths stay inside the volume', async () => {
    expect(Number(await run('-v', 'full:/etc', 'busybox', 'sh', '-c', 'ls /etc | wc -l'))).toBeGreaterThan(0);
    expect(await run('--mount', 'type=volume,src=empty,dst=/etc,volume-nocopy', 'busybox', 'ls', '/etc')).toMatch(
      /^(hostname|hosts|resolv\.conf|mtab|\n)*$/,
    );
    await run('-v', 'full:/v', 'busybox', 'sh', '-c', 'mkdir -p /v/sub/deep; echo in > /v/sub/f; ln -s /etc /v/out');
    const sub = (Subpath: string) => ({
      Image: 'busybox',
      Cmd: ['cat', '/s/f'],
      HostConfig: { Mounts: [{ Type: 'volume', Source: 'full', Target: '/s', VolumeOptions: { Subpath } }] },
    });
    const outcome = async (subpath: string) => {
      const made = await kitchen.engine.request('POST', '/containers/create', sub(subpath));
      if (made.status !== 201) return `${made.status} ${made.text}`;
      const { Id } = made.json<{ Id: string }>();
      const started = await kitchen.engine.request('POST', `/containers/${Id}/start`);
      await kitchen.engine.request('POST', `/containers/${Id}/wait`);
      const logs = await docker.run(['logs', Id]);
      await docker.must(['rm', '-f', Id]);
      return started.status === 204 ? logs.stdout : `${started.status} ${started.text}`;
    };
    expect(await outcome('sub')).toBe('in\n');
    expect(await outcome('../x')).toContain('400');
    expect(await outcome('absent')).toContain('no such file or directory');
    expect(await outcome('out')).not.toContain('in\n');
    await docker.must(['volume', 'rm', 'full', 'empty']);
  });

  it('volumes-from takes the mounts with their modes; anonymous ones go with --rm and rm -v, named ones stay', async () => {
    const names = async () => (await docker.must(['volume', 'ls', '-q'])).split('\n').filter(Boolean);
    const giver = await docker.must(['create', '-v', 'kept:/k', '-v', '/anon', 'busybox', 'true']);
    expect(await names()).toHaveLength(2);
    await run('--volumes-from', giver, 'busybox', 'sh', '-c', 'echo k > /k/f; echo a > /anon/f');
    expect(
      await run('--volumes-from', `${giver}:ro`, 'busybox', 'sh', '-c', 'cat /k/f /anon/f; touch /k/x 2>&1; true'),
    ).toContain('k\na\ntouch: /k/x: Read-only file system');
    const taker = await docker.must(['create', '--volumes-from', giver, 'busybox', 'true']);
    await docker.must(['rm', '-v', giver]);
    expect(await names()).toHaveLength(2); // the taker still refers to both
    expect((await docker.run(['volume', 'rm', 'kept'])).stderr).toContain('volume is in use');
    await docker.must(['rm', '-v', taker]);
    expect(await names()).toEqual(['kept']);
    await run('-v', '/anon', 'busybox', 'true');
    expect(await names()).toEqual(['kept']);
    await docker.must(['volume', 'rm', 'kept']);
    // Who calls an anonymous volume by its name wants it back afterwards.
    const rescued = await docker.must(['volume', 'create']);
    await run('-v', `${rescued}:/r`, 'busybox', 'touch', '/r/f');
    expect(await run('-v', `${rescued}:/r`, 'busybox', 'ls', '/r')).toBe('f');
    await docker.must(['volume', 'rm', rescued]);
  });

  it('propagation: a shared bind sees later mounts of the host, a private one does not', async () => {
    const shared = path.join(folder, 'shared');
    fs.mkdirSync(path.join(shared, 'in'), { recursive: true });
    const { mount, unmount } = await import('../../daemon/system/syscalls.ts');
    mount('shared', shared, 'tmpfs', 0);
    mount('', shared, '', 1 << 20); // make-shared
    fs.mkdirSync(path.join(shared, 'in'));
    try {
      const start = (mode: string) =>
        docker.must(['run', '-d', '-v', `${shared}:/s${mode}`, 'busybox', 'sleep', '100']);
      const [follows, own] = [await start(':rslave'), await start('')];
      mount('late', path.join(shared, 'in'), 'tmpfs', 0);
      fs.writeFileSync(path.join(shared, 'in/f'), 'late');
      expect(await docker.must(['exec', follows, 'cat', '/s/in/f'])).toBe('late');
      expect((await docker.run(['exec', own, 'cat', '/s/in/f'])).code).toBe(1);
      await docker.must(['rm', '-f', follows, own]);
    } finally {
      unmount(path.join(shared, 'in'), 2);
      unmount(shared, 2);
    }
  });
});
