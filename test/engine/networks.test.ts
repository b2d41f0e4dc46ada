import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRoot } from '../fixtures/engine.ts';
import { type RemoteManager, sandboxRequest, startManager } from './networks-kit.ts';

const ECHO = `
const [host, port, text, protocol] = process.argv.slice(1);
if (protocol === 'udp') {
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (_, from) => socket.send(text, from.port, from.address));
  socket.bind(Number(port), host, () => console.log('ready'));
} else require('node:net').createServer((c) => { c.on('error', () => {}); c.end(text); }).listen(Number(port), host, () => console.log('ready'));
`;
const ASK = `
const [host, port, protocol] = process.argv.slice(1);
const timer = setTimeout(() => process.exit(1), 1500);
const show = (data) => { process.stdout.write(String(data)); clearTimeout(timer); process.exit(0); };
if (protocol === 'udp') {
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', show);
  socket.send('?', Number(port), host);
} else require('node:net').connect(Number(port), host).on('data', show).on('error', () => process.exit(1));
`;

describe.skipIf(!isRoot)('networks in namespaces of their own (needs root)', () => {
  let folder: string;
  let host: string;
  let outside: string;
  let name: string;
  let manager: RemoteManager;
  let servers: ChildProcess[];
  const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' });
  const inHost = (...args: string[]) =>
    execFileSync('nsenter', [`--net=/run/netns/${host}`, ...args], { encoding: 'utf8' });

  async function serve(netns: string, address: string, port: number, text: string, protocol = 'tcp'): Promise<void> {
    const child = spawn(
      'nsenter',
      [`--net=${netns}`, process.execPath, '-e', ECHO, address, String(port), text, protocol],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    servers.push(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
  }
  /** What answers there, '' when nothing does. */
  const ask = (netns: string, address: string, port: number, protocol = 'tcp') =>
    spawnSync('nsenter', [`--net=${netns}`, process.execPath, '-e', ASK, address, String(port), protocol], {
      encoding: 'utf8',
    }).stdout;
  /** What an attacker would do: its own 127.0.0.0/8 goes out on the wire. */
  const routeLoopback = (netns: string, gateway: string) =>
    execFileSync('nsenter', [
      `--net=${netns}`,
      'sh',
      '-ec',
      `echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
       ip addr flush dev lo
       ip route flush table local 127.0.0.0/8
       ip route add 127.0.0.0/8 via ${gateway}`,
    ]);
  const netnsOf = (name: string) => `/run/netns/${name}`;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'gn-'));
    const unique = randomBytes(3).toString('hex');
    name = `n${unique}`;
    host = `gnh${unique}`;
    outside = `gno${unique}`;
    servers = [];
    ip('netns', 'add', host);
    ip('netns', 'add', outside);
    ip('-n', host, 'link', 'set', 'lo', 'up');
    ip('-n', host, 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up0', 'netns', outside);
    for (const [netns, address] of [
      [host, '10.99.0.1/24'],
      [outside, '10.99.0.2/24'],
    ] as const) {
      ip('-n', netns, 'addr', 'add', address, 'dev', 'up0');
      ip('-n', netns, 'link', 'set', 'up0', 'up');
    }
    manager = startManager(host, folder, name);
    await manager.call('restore', []);
  });

  afterEach(async () => {
    for (const server of servers) server.kill('SIGKILL');
    try {
      await manager.destroy();
      expect(inHost('ip', '-o', 'link')).not.toContain(name);
      expect(inHost('nft', 'list', 'tables')).not.toContain(name);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(folder);
    } finally {
      ip('netns', 'del', host);
      ip('netns', 'del', outside);
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const web = (id: string, hostIp = '', hostPort = '8080', key = '80/tcp') =>
    sandboxRequest(id, { portBindings: { [key]: [{ HostIp: hostIp, HostPort: hostPort }] }, exposedPorts: [key] });

  it('serves a published port to outside, the host, its own container and another one', async () => {
    const a = await manager.setUp(web('a'));
    const b = await manager.setUp(sandboxRequest('b'));
    await serve(a.netnsPath as string, '0.0.0.0', 80, 'from-a');
    expect(ask(netnsOf(outside), '10.99.0.1', 8080)).toBe('from-a');
    expect(ask(netnsOf(host), '127.0.0.1', 8080)).toBe('from-a');
    expect(ask(netnsOf(host), '10.99.0.1', 8080)).toBe('from-a');
    expect(ask(a.netnsPath as string, '10.99.0.1', 8080)).toBe('from-a');
    expect(ask(b.netnsPath as string, '10.99.0.1', 8080)).toBe('from-a');
    expect(ask(b.netnsPath as string, a.settings.IPAddress, 80)).toBe('from-a');
    expect(a.settings.Ports).toEqual({ '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] });
    expect(a.hostsFile).toContain(`${a.settings.IPAddress}\ta\n`);
    await manager.call('tearDown', 'a');
    expect(ask(netnsOf(outside), '10.99.0.1', 8080)).toBe('');
  });

  it('serves udp, and hides what is not published from a neighbour that routes to the subnet', async () => {
    const a = await manager.setUp(web('a', '', '5353', '53/udp'));
    await serve(a.netnsPath as string, '0.0.0.0', 53, 'dns', 'udp');
    await serve(a.netnsPath as string, '0.0.0.0', 80, 'hidden');
    expect(ask(netnsOf(outside), '10.99.0.1', 5353, 'udp')).toBe('dns');
    ip('-n', outside, 'route', 'add', '172.16.0.0/12', 'via', '10.99.0.1');
    expect(ask(netnsOf(outside), a.settings.IPAddress, 80)).toBe('');
  });

  it('lets a container out, and to no service on the loopback of the host', async () => {
    const a = await manager.setUp(sandboxRequest('a'));
    await serve(netnsOf(outside), '10.99.0.2', 9000, 'world');
    await serve(netnsOf(host), '127.0.0.1', 9001, 'secret');
    expect(ask(a.netnsPath as string, '10.99.0.2', 9000)).toBe('world');
    routeLoopback(a.netnsPath as string, a.settings.Gateway);
    expect(ask(a.netnsPath as string, '127.0.0.1', 9001)).toBe('');
    expect(ask(a.netnsPath as string, a.settings.Gateway, 9001)).toBe('');
  });

  it('keeps a port of 127.0.0.1 from everybody but the host', async () => {
    const a = await manager.setUp(web('a', '127.0.0.1'));
    await serve(a.netnsPath as string, '0.0.0.0', 80, 'local');
    expect(ask(netnsOf(host), '127.0.0.1', 8080)).toBe('local');
    expect(ask(netnsOf(outside), '10.99.0.1', 8080)).toBe('');
    const b = await manager.setUp(sandboxRequest('b'));
    routeLoopback(b.netnsPath as string, b.settings.Gateway);
    expect(ask(b.netnsPath as string, '127.0.0.1', 8080)).toBe('');
    routeLoopback(netnsOf(outside), '10.99.0.1');
    expect(ask(netnsOf(outside), '127.0.0.1', 8080)).toBe('');
  });

  it('opens another firewall that drops forwarded packets, says so, and takes it back', async () => {
    inHost('nft', 'add table ip fw; add chain ip fw forward { type filter hook forward priority 0; policy drop; }');
    const before = inHost('nft', 'list', 'table', 'ip', 'fw');
    await manager.call('restore', []);
    const a = await manager.setUp(web('a'));
    const b = await manager.setUp(sandboxRequest('b'));
    await serve(a.netnsPath as string, '0.0.0.0', 80, 'through');
    expect(ask(netnsOf(outside), '10.99.0.1', 8080)).toBe('through');
    expect(ask(b.netnsPath as string, '10.99.0.1', 8080)).toBe('through');
    expect(await manager.call('warnings')).toEqual([expect.stringContaining('table ip fw')]);
    await manager.destroy();
    expect(inHost('nft', 'list', 'table', 'ip', 'fw')).toBe(before);
    manager = startManager(host, folder, name);
    await manager.call('restore', []);
  });

  it('names who holds a port, a container or a process, and leaves nothing of the failed start', async () => {
    await manager.setUp(web('first'));
    await serve(netnsOf(host), '0.0.0.0', 8181, 'taken');
    const namespaces = () => readdirSync(path.join(folder, 'netns')).length;
    const links = () => inHost('ip', '-o', 'link').split('\n').length;
    const before = [namespaces(), links()];
    await expect(manager.setUp(web('second'))).rejects.toThrow(/8080 failed: port is already allocated.*first/);
    await expect(manager.setUp(web('third', '', '8181'))).rejects.toThrow(
      new RegExp(`8181 failed: port is already allocated.*pid ${servers[0]?.pid}`),
    );
    expect([namespaces(), links()]).toEqual(before);
    expect(inHost('nft', 'list', 'map', 'ip', `${name}-galley`, 'published')).not.toContain('8181');
  });

  it('loses no port when starts, ends and changes of networks cross', async () => {
    const ids = Array.from({ length: 8 }, (_, i) => `c${i}`);
    const network = (Name: string) =>
      manager.call('create', {
        Name,
        Driver: 'bridge',
        Internal: false,
        Attachable: false,
        EnableIPv6: false,
        IPAM: { Driver: 'default', Config: [], Options: null },
        Options: {},
        Labels: {},
      });
    const up = Promise.all(ids.map((id, i) => manager.setUp(web(id, '', String(8200 + i)))));
    await Promise.all([up, network('one'), network('two')]);
    const elements = () =>
      inHost('nft', 'list', 'map', 'ip', `${name}-galley`, 'published').match(/tcp \. 82\d\d/g)?.length ?? 0;
    expect(elements()).toBe(8);
    expect(new Set((await up).map((sandbox) => sandbox.settings.IPAddress)).size).toBe(8);
    await Promise.all([...ids.slice(4).map((id) => manager.call('tearDown', id)), manager.call('remove', 'one')]);
    expect(elements()).toBe(4);
    inHost('nft', 'flush', 'map', 'ip', `${name}-galley`, 'published');
    await manager.call('tearDown', 'c0');
    expect(elements()).toBe(3);
    await Promise.all([manager.call('tearDown', 'c1'), manager.call('tearDown', 'c1')]);
    expect(elements()).toBe(2);
  });

  it('goes on after kill -9: what runs is kept, the rest is freed', async () => {
    const a = await manager.setUp(web('a'));
    const b = await manager.setUp(web('b', '', '8081'));
    await serve(a.netnsPath as string, '0.0.0.0', 80, 'still');
    await manager.kill();
    inHost('nft', 'delete', 'table', 'ip', `${name}-galley`);
    manager = startManager(host, folder, name);
    await manager.call('restore', ['a']);
    expect(ask(netnsOf(outside), '10.99.0.1', 8080)).toBe('still');
    expect(inHost('nft', 'list', 'map', 'ip', `${name}-galley`, 'published')).not.toContain('8081');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(b.netnsPath as string);
    expect((await manager.setUp(sandboxRequest('c'))).settings.IPAddress).not.toBe(a.settings.IPAddress);
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
    await manager.call('create', request);
    await expect(manager.call('create', request)).rejects.toThrow('network with name back already exists');
    await expect(manager.call('remove', 'bridge')).rejects.toThrow(
      'bridge is a pre-defined network and cannot be removed',
    );
    const a = await manager.setUp(
      sandboxRequest('a', { networkMode: 'back', endpoints: { back: { IPAMConfig: { IPv4Address: '10.77.0.9' } } } }),
    );
    await serve(netnsOf(outside), '10.99.0.2', 9000, 'world');
    expect(a.settings.Networks['back']?.IPAddress).toBe('10.77.0.9');
    expect(ask(a.netnsPath as string, '10.99.0.2', 9000)).toBe('');
    await expect(manager.call('remove', 'back')).rejects.toThrow('network back has active endpoints');
    await manager.call('tearDown', 'a');
    expect(await manager.call('prune', {})).toEqual({ NetworksDeleted: ['back'] });
  });
});
