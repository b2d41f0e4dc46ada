import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRoot } from '../fixtures/engine.ts';
import { waitFor } from '../fixtures/exec.ts';
import { sandboxRequest, startManager } from './networks-kit.ts';
import { ask, ip, netnsOf, routeLoopback, useWorld } from './networks-world.ts';

describe.skipIf(!isRoot)('networks in namespaces of their own (needs root)', () => {
  const world = useWorld();
  const web = (id: string, hostIp = '', hostPort = '8080', key = '80/tcp') =>
    sandboxRequest(id, { portBindings: { [key]: [{ HostIp: hostIp, HostPort: hostPort }] }, exposedPorts: [key] });
  const serve: (typeof world.servers)['serve'] = (...args) => world.servers.serve(...args);
  const inHost = (...args: string[]) => world.inHost(...args);
  const host = () => netnsOf(world.host);
  const outside = () => netnsOf(world.outside);

  it('serves a published port to outside, the host, its own container and another one', async () => {
    const a = await world.manager.setUp(web('a'));
    const b = await world.manager.setUp(sandboxRequest('b'));
    await serve(a.netnsPath as string, '0.0.0.0', 80, 'from-a');
    expect(ask(outside(), '10.99.0.1', 8080)).toBe('from-a');
    expect(ask(host(), '127.0.0.1', 8080)).toBe('from-a');
    expect(ask(host(), '10.99.0.1', 8080)).toBe('from-a');
    expect(ask(a.netnsPath as string, '10.99.0.1', 8080)).toBe('from-a');
    expect(ask(b.netnsPath as string, '10.99.0.1', 8080)).toBe('from-a');
    expect(ask(b.netnsPath as string, a.settings.IPAddress, 80)).toBe('from-a');
    expect(a.settings.Ports).toEqual({ '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] });
    expect(a.hostsFile).toContain(`${a.settings.IPAddress}\ta\n`);
    await world.manager.call('tearDown', 'a');
    expect(ask(outside(), '10.99.0.1', 8080)).toBe('');
  });

  it('serves udp, and hides what is not published from a neighbour that routes to the subnet', async () => {
    const a = await world.manager.setUp(web('a', '', '5353', '53/udp'));
    await serve(a.netnsPath as string, '0.0.0.0', 53, 'dns', 'udp');
    await serve(a.netnsPath as string, '0.0.0.0', 80, 'hidden');
    expect(ask(outside(), '10.99.0.1', 5353, 'udp')).toBe('dns');
    ip('-n', world.outside, 'route', 'add', '172.16.0.0/12', 'via', '10.99.0.1');
    expect(ask(outside(), a.settings.IPAddress, 80)).toBe('');
  });

  it('leads a udp client that keeps its source port to whoever has the port now', async () => {
    // Its first packet meets nobody: the kernel remembers that this client talks to the host itself.
    expect(ask(outside(), '10.99.0.1', 5353, 'udp', 40_053)).toBe('');
    for (const round of ['first', 'second']) {
      const a = await world.manager.setUp(web(round, '', '5353', '53/udp'));
      await serve(a.netnsPath as string, '0.0.0.0', 53, round, 'udp');
      await waitFor('the answer', () => ask(outside(), '10.99.0.1', 5353, 'udp', 40_053) === round);
      world.servers.stop();
      await world.manager.call('tearDown', round);
    }
    expect(ask(outside(), '10.99.0.1', 5353, 'udp', 40_053)).toBe('');
  });

  it('shows a server the address of its client outside', async () => {
    const a = await world.manager.setUp(web('a'));
    await serve(a.netnsPath as string, '0.0.0.0', 80, 'who');
    expect(ask(outside(), '10.99.0.1', 8080)).toBe('10.99.0.2');
  });

  it('takes words of nft for names, and no interface that is somebody else\u2019s', async () => {
    for (const name of ['map', 'ip']) {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'gnw-'));
      const other = startManager(world.host, folder, name);
      await other.call('restore', []);
      const a = await other.setUp(web('a', '', '8090'));
      await serve(a.netnsPath as string, '0.0.0.0', 80, name);
      expect(ask(outside(), '10.99.0.1', 8090)).toBe(name);
      world.servers.stop();
      await other.destroy();
      expect(inHost('nft', 'list', 'tables')).not.toContain(`${name}-galley`);
      rmSync(folder, { recursive: true });
    }
    inHost('ip', 'link', 'add', 'eth0', 'type', 'bridge');
    const folder = mkdtempSync(path.join(os.tmpdir(), 'gnw-'));
    const other = startManager(world.host, folder, 'eth');
    await expect(other.call('restore', [])).rejects.toThrow("an interface eth0 is there that is not galley's");
    await other.destroy();
    expect(inHost('ip', '-o', 'link')).toContain('eth0');
    rmSync(folder, { recursive: true });
  });

  it('lets a container out, and to no service on the loopback of the host', async () => {
    const a = await world.manager.setUp(sandboxRequest('a'));
    await serve(outside(), '10.99.0.2', 9000, 'world');
    await serve(host(), '127.0.0.1', 9001, 'secret');
    expect(ask(a.netnsPath as string, '10.99.0.2', 9000)).toBe('world');
    routeLoopback(a.netnsPath as string, a.settings.Gateway);
    expect(ask(a.netnsPath as string, '127.0.0.1', 9001)).toBe('');
    expect(ask(a.netnsPath as string, a.settings.Gateway, 9001)).toBe('');
  });

  it('keeps a port of 127.0.0.1 from everybody but the host', async () => {
    const a = await world.manager.setUp(web('a', '127.0.0.1'));
    await serve(a.netnsPath as string, '0.0.0.0', 80, 'local');
    expect(ask(host(), '127.0.0.1', 8080)).toBe('local');
    expect(ask(outside(), '10.99.0.1', 8080)).toBe('');
    const b = await world.manager.setUp(sandboxRequest('b'));
    routeLoopback(b.netnsPath as string, b.settings.Gateway);
    expect(ask(b.netnsPath as string, '127.0.0.1', 8080)).toBe('');
    routeLoopback(outside(), '10.99.0.1');
    expect(ask(outside(), '127.0.0.1', 8080)).toBe('');
  });

  it('opens another firewall that drops forwarded packets, says so, and takes it back', async () => {
    inHost('nft', 'add table ip fw; add chain ip fw forward { type filter hook forward priority 0; policy drop; }');
    const before = inHost('nft', 'list', 'table', 'ip', 'fw');
    await world.manager.call('restore', []);
    const a = await world.manager.setUp(web('a'));
    const b = await world.manager.setUp(sandboxRequest('b'));
    await serve(a.netnsPath as string, '0.0.0.0', 80, 'through');
    expect(ask(outside(), '10.99.0.1', 8080)).toBe('through');
    expect(ask(b.netnsPath as string, '10.99.0.1', 8080)).toBe('through');
    expect(await world.manager.call('warnings')).toEqual([expect.stringContaining('table ip fw')]);
    await world.manager.destroy();
    expect(inHost('nft', 'list', 'table', 'ip', 'fw')).toBe(before);
    world.manager = world.startManager();
    await world.manager.call('restore', []);
  });

  it('names who holds a port, a container or a process, and leaves nothing of the failed start', async () => {
    await world.manager.setUp(web('first'));
    await serve(host(), '0.0.0.0', 8181, 'taken');
    const namespaces = () => readdirSync(path.join(world.folder, 'netns')).length;
    const links = () => inHost('ip', '-o', 'link').split('\n').length;
    const before = [namespaces(), links()];
    await expect(world.manager.setUp(web('second'))).rejects.toThrow(
      /8080 failed: port is already allocated \(container first holds it; the next free port is 8081\)/,
    );
    await expect(world.manager.setUp(web('third', '', '8181'))).rejects.toThrow(
      new RegExp(`8181 failed: port is already allocated.*pid ${world.servers.children[0]?.pid}`),
    );
    expect([namespaces(), links()]).toEqual(before);
    expect(inHost('nft', 'list', 'map', 'ip', world.table, 'published')).not.toContain('8181');
  });

  it('loses no port when starts, ends and changes of networks cross', async () => {
    const ids = Array.from({ length: 8 }, (_, i) => `c${i}`);
    const network = (Name: string) =>
      world.manager.call('create', {
        Name,
        Driver: 'bridge',
        Internal: false,
        Attachable: false,
        EnableIPv6: false,
        IPAM: { Driver: 'default', Config: [], Options: null },
        Options: {},
        Labels: {},
      });
    const up = Promise.all(ids.map((id, i) => world.manager.setUp(web(id, '', String(8200 + i)))));
    await Promise.all([up, network('one'), network('two')]);
    const elements = () =>
      inHost('nft', 'list', 'map', 'ip', world.table, 'published').match(/(?:tcp|6) \. 82\d\d/g)?.length ?? 0;
    expect(elements()).toBe(8);
    expect(new Set((await up).map((sandbox) => sandbox.settings.IPAddress)).size).toBe(8);
    await Promise.all([
      ...ids.slice(4).map((id) => world.manager.call('tearDown', id)),
      world.manager.call('remove', 'one'),
    ]);
    expect(elements()).toBe(4);
    inHost('nft', 'flush', 'map', 'ip', world.table, 'published');
    await world.manager.call('tearDown', 'c0');
    expect(elements()).toBe(3);
    await Promise.all([world.manager.call('tearDown', 'c1'), world.manager.call('tearDown', 'c1')]);
    expect(elements()).toBe(2);
  });

  it('publishes more ports than one message to the kernel holds', async () => {
    const bindings = Array.from({ length: 1200 }, (_, i) => [
      `${i + 1}/tcp`,
      [{ HostIp: '', HostPort: String(20_000 + i) }],
    ]);
    const a = await world.manager.setUp(sandboxRequest('a', { portBindings: Object.fromEntries(bindings) }));
    await serve(a.netnsPath as string, '0.0.0.0', 1200, 'last');
    const count = () =>
      inHost('nft', 'list', 'map', 'ip', world.table, 'published').match(/tcp \. 2\d{4} :/g)?.length ?? 0;
    expect(count()).toBe(1200);
    expect(ask(outside(), '10.99.0.1', 21_199)).toBe('last');
    await world.manager.call('tearDown', 'a');
    expect(count()).toBe(0);
  });

  it('takes no default pool that the host routes', async () => {
    await world.manager.destroy();
    inHost('ip', 'route', 'add', '172.17.4.0/24', 'via', '10.99.0.2');
    inHost('ip', 'route', 'add', '172.18.0.0/15', 'via', '10.99.0.2');
    rmSync(path.join(world.folder, 'galley.db'));
    world.manager = world.startManager();
    await world.manager.call('restore', []);
    const shown = (await world.manager.call('inspect', 'bridge')) as { IPAM: { Config: object[] } };
    expect(shown.IPAM.Config).toEqual([{ Subnet: '172.20.0.0/16', Gateway: '172.20.0.1' }]);
  });

  it('goes on after kill -9: what runs is kept, the rest is freed', async () => {
    const a = await world.manager.setUp(web('a'));
    const b = await world.manager.setUp(web('b', '', '8081'));
    await serve(a.netnsPath as string, '0.0.0.0', 80, 'still');
    await world.manager.kill();
    // Nobody of galley's runs: the kernel alone serves the port.
    expect(ask(outside(), '10.99.0.1', 8080)).toBe('still');
    inHost('nft', 'delete', 'table', 'ip', world.table);
    world.manager = world.startManager();
    await world.manager.call('restore', ['a']);
    expect(ask(outside(), '10.99.0.1', 8080)).toBe('still');
    expect(inHost('nft', 'list', 'map', 'ip', world.table, 'published')).not.toContain('8081');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(b.netnsPath as string);
    expect((await world.manager.setUp(sandboxRequest('c'))).settings.IPAddress).not.toBe(a.settings.IPAddress);
  });

  it('makes, lists, and removes user networks, and refuses the predefined ones in the words of Docker', async () => {
    const request = {
      Name: 'back',
      Driver: 'bridge',
      Internal: true,
      Attachable: false,
      EnableIPv6: false,
      IPAM: { Driver: 'default', Config: [{ Subnet: '10.77.0.0/24' }], Options: null },
      Options: {},
      Labels: {},
    };
    await world.manager.call('create', request);
    await expect(world.manager.call('create', request)).rejects.toThrow('network with name back already exists');
    await expect(world.manager.call('remove', 'bridge')).rejects.toThrow(
      'bridge is a pre-defined network and cannot be removed',
    );
    const a = await world.manager.setUp(
      sandboxRequest('a', { networkMode: 'back', endpoints: { back: { IPAMConfig: { IPv4Address: '10.77.0.9' } } } }),
    );
    await serve(outside(), '10.99.0.2', 9000, 'world');
    expect(a.settings.Networks['back']?.IPAddress).toBe('10.77.0.9');
    expect(ask(a.netnsPath as string, '10.99.0.2', 9000)).toBe('');
    await expect(world.manager.call('remove', 'back')).rejects.toThrow('network back has active endpoints');
    await world.manager.call('tearDown', 'a');
    expect(await world.manager.call('prune', {})).toEqual({ NetworksDeleted: ['back'] });
  });
});
