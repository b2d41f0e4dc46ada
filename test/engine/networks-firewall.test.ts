/**
 * Published ports on hosts whose firewall drops forwarded packets: an accept in galley's own table does not overrule another's drop, so
 * that without the accepts that galley adds there everything but host-local access fails (field/network.md).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dockerd, dockerdAvailable, iptablesTools, startDockerd } from '../fixtures/dockerd.ts';
import { isRoot } from '../fixtures/engine.ts';
import { waitFor } from '../fixtures/exec.ts';
import { startUfw, ufwAvailable } from '../fixtures/ufw.ts';
import { type RemoteManager, sandboxRequest, startManager } from './networks-kit.ts';
import { ask, netnsOf, Servers, useWorld, within } from './networks-world.ts';

const web = (id: string, hostPort = '8080', key = '80/tcp') =>
  sandboxRequest(id, { portBindings: { [key]: [{ HostIp: '', HostPort: hostPort }] }, exposedPorts: [key] });
const network = (Name: string) => ({
  Name,
  Driver: 'bridge',
  Internal: false,
  Attachable: false,
  EnableIPv6: false,
  IPAM: { Driver: 'default', Config: [], Options: null },
  Options: {},
  Labels: {},
});

describe.skipIf(!isRoot)('beside iptables with a FORWARD policy of DROP (needs root)', () => {
  const world = useWorld();
  let tools: string;
  beforeAll(async () => {
    tools = mkdtempSync(path.join(os.tmpdir(), 'gnt-'));
  });
  afterAll(() => rmSync(tools, { recursive: true, force: true }));

  /** The tool, in the host's namespace. */
  const iptables = (bin: string, tool: string, ...args: string[]) => world.inHost(path.join(bin, tool), '-w', ...args);

  for (const [tool, only] of [
    ['iptables', ['iptables']],
    ['iptables-legacy', ['iptables-legacy']],
  ] as const)
    it(`${tool}: opens, says so, comes back after a flush, and leaves nothing`, async () => {
      const bin = await iptablesTools(path.join(tools, tool), only);
      await world.manager.destroy();
      iptables(bin, tool, '-P', 'FORWARD', 'DROP');
      iptables(bin, tool, '-A', 'FORWARD', '-s', '192.0.2.1', '-j', 'ACCEPT');
      const before = iptables(bin, tool, '-S');
      world.manager = world.startManager({ PATH: `${bin}:${process.env.PATH}` });
      await world.manager.call('restore', []);
      const a = await world.manager.setUp(web('a'));
      const b = await world.manager.setUp(sandboxRequest('b'));
      await world.servers.serve(a.netnsPath as string, '0.0.0.0', 80, 'who');
      const reaches = () => ask(netnsOf(world.outside), '10.99.0.1', 8080);
      expect(reaches()).toBe('10.99.0.2');
      expect(ask(b.netnsPath as string, '10.99.0.1', 8080)).not.toBe('');
      expect(await world.manager.call('warnings')).toEqual([expect.stringContaining('in FORWARD')]);

      iptables(bin, tool, '-F', 'FORWARD');
      iptables(bin, tool, '-A', 'FORWARD', '-s', '192.0.2.1', '-j', 'ACCEPT');
      await waitFor('the accepts after a reload of the firewall', () => reaches() !== '');

      const { Id } = (await world.manager.call('create', network('two'))) as { Id: string };
      const rules = () =>
        iptables(bin, tool, '-S')
          .split('\n')
          .filter((line) => line.includes(world.name));
      expect(rules()).toHaveLength(4);
      await world.manager.call('remove', Id);
      expect(rules()).toHaveLength(2);

      // Docker's own place is taken as soon as there is one.
      iptables(bin, tool, '-N', 'DOCKER-USER');
      iptables(bin, tool, '-I', 'FORWARD', '-j', 'DOCKER-USER');
      await waitFor('the accepts in DOCKER-USER', () =>
        rules().every((line) => line.startsWith('-A DOCKER-USER')) && rules().length === 2 ? true : undefined,
      );
      expect(reaches()).not.toBe('');
      iptables(bin, tool, '-D', 'FORWARD', '-j', 'DOCKER-USER');
      iptables(bin, tool, '-F', 'DOCKER-USER');
      iptables(bin, tool, '-X', 'DOCKER-USER');

      await world.manager.destroy();
      expect(iptables(bin, tool, '-S')).toBe(before);
      world.manager = world.startManager();
      await world.manager.call('restore', []);
    });

  it('works again after somebody flushed the whole ruleset, its own table too', async () => {
    const a = await world.manager.setUp(web('a'));
    await world.servers.serve(a.netnsPath as string, '0.0.0.0', 80, 'back');
    const reaches = () => ask(netnsOf(world.outside), '10.99.0.1', 8080);
    expect(reaches()).toBe('back');
    for (const harm of [
      'flush ruleset',
      `flush map ip ${world.table} published`,
      `flush chain ip ${world.table} prerouting`,
    ]) {
      world.inHost('nft', harm);
      await waitFor(`the port after nft ${harm}`, () => reaches() === 'back');
    }
  });
});

describe.skipIf(!(await ufwAvailable()))('beside an active ufw (needs root, ufw, python3)', () => {
  const world = useWorld();

  it('serves its ports and names, keeps its accepts over a reload, and leaves the rules as they were', async () => {
    await world.manager.destroy();
    const ufw = await startUfw(world.host);
    try {
      ufw.run('ufw', '--force', 'enable');
      const rules = () => ufw.run('iptables', '-S');
      expect(rules()).toMatch(/-P INPUT DROP\n-P FORWARD DROP/);
      const before = rules();
      world.manager = world.startManager();
      await world.manager.call('restore', []);
      await world.manager.call('create', network('back'));
      const user = (id: string) => ({ ...web(id), networkMode: 'back', endpoints: { back: null } });
      const a = await world.manager.setUp(user('a'));
      const b = await world.manager.setUp({ ...user('b'), portBindings: {} });
      await world.servers.serve(a.netnsPath as string, '0.0.0.0', 80, 'who');
      const reaches = () => ask(netnsOf(world.outside), '10.99.0.1', 8080);
      expect(reaches()).toBe('10.99.0.2');
      expect(ask(b.netnsPath as string, '10.99.0.1', 8080)).not.toBe('');
      expect(ask(b.netnsPath as string, a.settings.Networks['back']?.IPAddress ?? '', 80)).not.toBe('');
      expect(rules().match(/-A ufw-user-forward .*galley:/g)).toHaveLength(4);
      expect(await world.manager.call('warnings')).toEqual([expect.stringContaining('in ufw-user-forward')]);
      ufw.run('ufw', 'reload');
      await waitFor('the accepts after ufw reload', () => reaches() === '10.99.0.2');
      await world.manager.destroy();
      expect(rules()).toBe(before);
      ufw.run('ufw', 'disable');
      world.manager = world.startManager();
      await world.manager.call('restore', []);
    } finally {
      await ufw.stop();
    }
  });
});

describe.skipIf(!(await dockerdAvailable()))('beside a running dockerd (needs root, docker.io)', () => {
  let dockerd: Dockerd;
  let folder: string;
  let manager: RemoteManager;
  const servers = new Servers();
  const name = `n${Math.floor(Math.random() * 36 ** 4).toString(36)}d`;
  const netns = () => netnsOf(dockerd.netns);
  const iptables = (...args: string[]) =>
    execFileSync('nsenter', [`--net=${netns()}`, 'iptables', '-w', ...args], {
      encoding: 'utf8',
      env: { ...process.env, PATH: dockerd.searchPath },
    });
  /** This machine is the client outside: a wire leads to dockerd's namespace. */
  const outside = '/proc/self/ns/net';

  beforeAll(async () => {
    dockerd = await startDockerd();
    folder = mkdtempSync(path.join(os.tmpdir(), 'gnd-'));
  }, 120_000);
  afterAll(async () => {
    servers.stop();
    await dockerd?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const tools of ['with iptables', 'without iptables'])
    it(`serves its ports to everybody, ${tools}, and leaves dockerd's rules as they were`, async () => {
      expect(iptables('-S', 'FORWARD')).toContain('-P FORWARD DROP');
      const before = iptables('-S') + iptables('-t', 'nat', '-S');
      manager = startManager(
        dockerd.netns,
        folder,
        name,
        tools === 'with iptables' ? { PATH: dockerd.searchPath } : {},
      );
      try {
        await manager.call('restore', []);
        const a = await manager.setUp(web('a'));
        const b = await manager.setUp(web('b', '5353', '53/udp'));
        await servers.serve(a.netnsPath as string, '0.0.0.0', 80, 'from-a');
        await servers.serve(b.netnsPath as string, '0.0.0.0', 53, 'from-b', 'udp');
        expect(ask(outside, dockerd.address, 8080)).toBe('from-a');
        expect(ask(outside, dockerd.address, 5353, 'udp')).toBe('from-b');
        expect(ask(netns(), '127.0.0.1', 8080)).toBe('from-a');
        expect(ask(a.netnsPath as string, dockerd.address, 8080)).toBe('from-a');
        expect(ask(b.netnsPath as string, dockerd.address, 8080)).toBe('from-a');
        expect(ask(b.netnsPath as string, a.settings.IPAddress, 80)).toBe('from-a');
        await servers.serve(outside, dockerd.hostAddress, 9321, 'world');
        expect(ask(a.netnsPath as string, dockerd.hostAddress, 9321)).toBe('world');
        expect(iptables('-S', 'DOCKER-USER')).toContain(`galley:${name}`);
        expect(await manager.call('warnings')).toEqual([expect.stringContaining('in DOCKER-USER')]);
        // What dockerd or an admin does to the chain: the accepts come back.
        iptables('-F', 'DOCKER-USER');
        iptables('-A', 'DOCKER-USER', '-j', 'RETURN');
        await waitFor('the accepts', () => ask(outside, dockerd.address, 8080) === 'from-a');
      } finally {
        servers.stop();
        await manager.destroy();
      }
      expect(iptables('-S') + iptables('-t', 'nat', '-S')).toBe(before);
      expect(within(netns(), 'nft', 'list', 'ruleset')).not.toContain(name);
    });
});
