/**
 * Hosts of a test's own, as network namespaces: one with a network manager, one outside that reaches it over a wire. What is asked
 * and served runs in the namespace that it is meant for.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { type RemoteManager, startManager } from './networks-kit.ts';

/** Answers with the text; `who` with the address of whoever asks. */
const ECHO = `
const [host, port, text, protocol] = process.argv.slice(1);
const say = (address) => text === 'who' ? address.replace('::ffff:', '') : text;
if (protocol === 'udp') {
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (_, from) => socket.send(say(from.address), from.port, from.address));
  socket.bind(Number(port), host, () => console.log('ready'));
} else require('node:net').createServer((c) => { c.on('error', () => {}); c.end(say(c.remoteAddress)); }).listen(Number(port), host, () => console.log('ready'));
`;
const ASK = `
const [host, port, protocol, from] = process.argv.slice(1);
const timer = setTimeout(() => process.exit(1), 1500);
const show = (data) => { process.stdout.write(String(data)); clearTimeout(timer); process.exit(0); };
if (protocol === 'udp') {
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', show);
  socket.bind(Number(from ?? 0), () => socket.send('?', Number(port), host));
} else require('node:net').connect(Number(port), host).on('data', show).on('error', () => process.exit(1));
`;

export const netnsOf = (name: string): string => `/run/netns/${name}`;
export const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
/** The stdout of a program there; what it says on stderr is part of the error when it fails. */
export const within = (netns: string, ...args: string[]): string =>
  execFileSync('nsenter', [`--net=${netns}`, ...args], { encoding: 'utf8', stdio: 'pipe' });

/** What answers there, '' when nothing does. `from`: the client's own port. */
export function ask(netns: string, address: string, port: number, protocol = 'tcp', from?: number): string {
  const args = [address, String(port), protocol, ...(from === undefined ? [] : [String(from)])];
  return spawnSync('nsenter', [`--net=${netns}`, process.execPath, '-e', ASK, ...args], { encoding: 'utf8' }).stdout;
}

/** What an attacker would do: its own 127.0.0.0/8 goes out on the wire. */
export function routeLoopback(netns: string, gateway: string): void {
  const script = `echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
    ip addr flush dev lo
    ip route flush table local 127.0.0.0/8
    ip route add 127.0.0.0/8 via ${gateway}`;
  within(netns, 'sh', '-ec', script);
}

/** Servers that a test starts; `stop` ends them. */
export class Servers {
  readonly children: ChildProcess[] = [];

  async serve(netns: string, address: string, port: number, text: string, protocol = 'tcp'): Promise<ChildProcess> {
    const args = [`--net=${netns}`, process.execPath, '-e', ECHO, address, String(port), text, protocol];
    const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.children.push(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    return child;
  }

  stop(): void {
    for (const child of this.children.splice(0)) child.kill('SIGKILL');
  }
}

export interface World {
  /** --name of the manager. */
  name: string;
  /** The nft table that it makes. */
  table: string;
  /** Its exec root and database. */
  folder: string;
  /** Names of the two namespaces: the manager's at 10.99.0.1, the other at 10.99.0.2. */
  host: string;
  outside: string;
  manager: RemoteManager;
  servers: Servers;
  inHost(...args: string[]): string;
  /** A manager anew, after kill or destroy. */
  startManager(environment?: NodeJS.ProcessEnv): RemoteManager;
}

/** Inside a describe: gives an object that is filled before each test; what a manager leaves after it fails the test. */
export function useWorld(): World {
  const world = {} as World;
  beforeEach(async () => {
    const unique = randomBytes(3).toString('hex');
    Object.assign(world, {
      name: `n${unique}`,
      table: `n${unique}-galley`,
      folder: mkdtempSync(path.join(os.tmpdir(), 'gn-')),
      host: `gnh${unique}`,
      outside: `gno${unique}`,
      servers: new Servers(),
      inHost: (...args: string[]) => within(netnsOf(world.host), ...args),
      startManager: (environment?: NodeJS.ProcessEnv) =>
        startManager(world.host, world.folder, world.name, environment),
    });
    const { host, outside } = world;
    ip('netns', 'add', host);
    ip('netns', 'add', outside);
    ip('-n', host, 'link', 'set', 'lo', 'up');
    ip('-n', outside, 'link', 'set', 'lo', 'up');
    ip('-n', host, 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up0', 'netns', outside);
    for (const [netns, address] of [
      [host, '10.99.0.1/24'],
      [outside, '10.99.0.2/24'],
    ] as const) {
      ip('-n', netns, 'addr', 'add', address, 'dev', 'up0');
      ip('-n', netns, 'link', 'set', 'up0', 'up');
    }
    world.manager = world.startManager();
    await world.manager.call('restore', []);
  });
  afterEach(async () => {
    world.servers.stop();
    try {
      await world.manager.destroy();
      expect(world.inHost('ip', '-o', 'link')).not.toContain(world.name);
      expect(world.inHost('nft', 'list', 'ruleset')).not.toContain(world.name);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(world.folder);
    } finally {
      ip('netns', 'del', world.host);
      ip('netns', 'del', world.outside);
      rmSync(world.folder, { recursive: true, force: true });
    }
  });
  return world;
}
