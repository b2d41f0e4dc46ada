/** Names on user networks, and containers that join and leave networks while they run. */
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { isRoot } from '../fixtures/engine.ts';
import { waitFor } from '../fixtures/exec.ts';
import { sandboxRequest } from './networks-kit.ts';
import { ask, netnsOf, useWorld, within } from './networks-world.ts';

/** Asks 127.0.0.11 as any resolver would; prints the answers as JSON, or the error's code. */
const RESOLVE = `
const [name, type, over] = process.argv.slice(1);
const dns = require('node:dns').promises;
const resolver = new dns.Resolver({ timeout: 2000, tries: 1 });
resolver.setServers(['127.0.0.11']);
(type === 'PTR' ? resolver.reverse(name) : resolver.resolve(name, type)).then(
  (found) => console.log(JSON.stringify(found)),
  (error) => console.log(error.code),
);
`;
/** The same over TCP, which c-ares takes only after a cut answer: sends one question, prints rcode and number of answers. */
const RESOLVE_TCP = `
const [name] = process.argv.slice(1);
const labels = name.split('.').map((l) => Buffer.concat([Buffer.from([l.length]), Buffer.from(l)]));
const query = Buffer.concat([Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, Buffer.from([0, 0, 1, 0, 1])]);
const socket = require('node:net').connect(53, '127.0.0.11', () => socket.write(Buffer.concat([Buffer.from([0, query.length]), query])));
socket.on('data', (d) => { console.log(JSON.stringify([d[5] & 15, d.readUInt16BE(8)])); process.exit(0); });
socket.on('error', (e) => { console.log(e.code); process.exit(0); });
`;
/** A name server outside: answers A with 203.0.113.<queries so far>, cuts names that start with "big" over udp, is silent for "mute". */
const UPSTREAM = `
let count = 0;
const answer = (q, tcp) => {
  const end = 12 + q.subarray(12).indexOf(0) + 5;
  const label = q.toString('latin1', 13, 13 + q[12]);
  if (label === 'mute') return undefined;
  count += 1;
  const head = Buffer.from(q.subarray(0, end));
  head.writeUInt16BE(0x8180, 2);
  head.fill(0, 6, 12);
  if (label === 'absent') { head[3] = 0x83; return head; }
  if (label.startsWith('big') && !tcp) { head.writeUInt16BE(0x8380, 2); return head; }
  head.writeUInt16BE(1, 6);
  return Buffer.concat([head, Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, count])]);
};
const udp = require('node:dgram').createSocket('udp4');
udp.on('message', (q, from) => { const a = answer(q, false); if (a) udp.send(a, from.port, from.address); });
udp.bind(53, process.argv[1], () => {
  require('node:net').createServer((c) => c.on('error', () => {}).on('data', (d) => { const a = answer(d.subarray(2), true); if (a) c.write(Buffer.concat([Buffer.from([a.length >> 8, a.length & 255]), a])); }))
    .listen(53, process.argv[1], () => console.log('ready'));
});
`;

const network = (Name: string, more: object = {}) => ({
  Name,
  Driver: 'bridge',
  Internal: false,
  Attachable: false,
  EnableIPv6: false,
  IPAM: { Driver: 'default', Config: [], Options: null },
  Options: {},
  Labels: {},
  ...more,
});
const subnet = (Subnet: string, more: object = {}) => ({
  IPAM: { Driver: 'default', Config: [{ Subnet, ...more }], Options: null },
});

describe.skipIf(!isRoot)('names and connections (needs root)', () => {
  const world = useWorld();
  const on = (id: string, networkMode: string, more: object = {}, endpoint: object | null = null) =>
    sandboxRequest(id, { networkMode, endpoints: { [networkMode]: endpoint }, ...more });
  const up = async (request: ReturnType<typeof on>) => {
    const sandbox = await world.manager.setUp(request);
    return { ...sandbox, netns: sandbox.netnsPath as string };
  };
  const resolve = (netns: string, name: string, type = 'A') => {
    const text = within(netns, process.execPath, '-e', RESOLVE, name, type).trim();
    return text.startsWith('[') ? (JSON.parse(text) as string[]) : text;
  };
  const resolveTcp = (netns: string, name: string) => within(netns, process.execPath, '-e', RESOLVE_TCP, name).trim();
  const address = (sandbox: Awaited<ReturnType<typeof up>>, name: string) =>
    sandbox.settings.Networks[name]?.IPAddress as string;
  const upstream = async () => {
    const child = spawn('nsenter', [`--net=${netnsOf(world.outside)}`, process.execPath, '-e', UPSTREAM, '10.99.0.2'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    world.servers.children.push(child);
    await new Promise((ready) => child.stdout.once('data', ready));
  };

  it('answers names, aliases, ids, hostnames and reverse look-ups, in turn where several share a name', async () => {
    await world.manager.call('create', network('back'));
    await world.manager.call('create', network('other'));
    const id = 'abcdefabcdef0123';
    const a = await up(on(id, 'back', { containerName: '/web', hostname: 'h1' }, { Aliases: ['pool', 'WWW'] }));
    const b = await up(on('b', 'back', {}, { Aliases: ['pool'] }));
    await up(on('c', 'other', {}, { Aliases: ['pool'] }));
    const first = address(a, 'back');
    for (const name of ['web', 'www', 'h1', 'abcdefabcdef', 'web.back', 'WEB'])
      expect(resolve(b.netns, name), name).toEqual([first]);
    const both = [first, address(b, 'back')];
    const turns = [1, 2].map(() => resolve(a.netns, 'pool') as string[]);
    for (const turn of turns) expect([...turn].sort()).toEqual([...both].sort());
    expect(turns[0]?.[0]).not.toBe(turns[1]?.[0]);
    expect(resolve(b.netns, first, 'PTR')).toEqual(['web.back']);
    const linked = await up(on('linked', 'back', {}, { Links: ['web:shop'] }));
    expect(resolve(linked.netns, 'shop')).toEqual([first]);
    expect(resolve(b.netns, 'shop')).toBe('ESERVFAIL'); // nobody else calls it so
    expect(resolve(b.netns, 'web', 'AAAA')).toBe('ENODATA');
    expect(resolveTcp(b.netns, 'pool')).toBe('[0,2]');
    expect(a.resolvConf).toMatch(/^nameserver 127\.0\.0\.11\n(search .*\n)?options .*ndots:0\n$/);
    await world.manager.call('tearDown', id);
    expect(resolve(b.netns, 'pool')).toEqual([address(b, 'back')]);
  });

  it('passes the rest on over udp and tcp, keeps replies, goes past a dead server, and tells nothing to internal networks', async () => {
    await upstream();
    await world.manager.call('create', network('back'));
    await world.manager.call('create', network('closed', { Internal: true }));
    const dns = ['10.99.0.9', '10.99.0.2'];
    const a = await up(on('a', 'back', { dns }));
    const b = await up(on('b', 'back', { dns }));
    const first = resolve(a.netns, 'example.org');
    expect(first).toEqual([expect.stringMatching(/^203\.0\.113\.\d+$/)]);
    expect(resolve(b.netns, 'example.org')).toEqual(first);
    expect(resolve(b.netns, 'EXAMPLE.net')).not.toEqual(first);
    expect(resolve(a.netns, 'big.example.org')).toEqual([expect.stringMatching(/^203\.0\.113\./)]);
    expect(resolveTcp(a.netns, 'tcp.example.org')).toBe('[0,1]');
    expect(resolve(a.netns, 'absent.example.org')).toBe('ENOTFOUND');
    const c = await up(on('c', 'closed', { dns }));
    expect(resolve(c.netns, 'example.org')).toBe('ENOTFOUND');
    expect(resolve(c.netns, 'c')).toEqual([address(c, 'closed')]);
  });

  it('writes the links of the default bridge into /etc/hosts, and refuses one to who does not run', async () => {
    const a = await up(on('store', 'bridge', { hostname: 'h1' }));
    const b = await up(on('b', 'bridge', { links: ['store:db'] }));
    expect(b.hostsFile).toContain(`${a.settings.IPAddress}\tdb h1 store\n`);
    await world.manager.call('tearDown', 'store');
    await expect(world.manager.setUp(on('c', 'bridge', { links: ['store:db'] }))).rejects.toThrow(
      'Cannot link to a non running container: /store AS /c/db',
    );
    await expect(world.manager.setUp(on('c', 'bridge', { links: ['nobody'] }))).rejects.toThrow(
      'No such container: nobody',
    );
    const pairs = () => world.inHost('ip', '-o', 'link').match(new RegExp(`${world.name}v`, 'g'))?.length;
    await waitFor('only the wire of b', () => pairs() === 1);
  });

  it('leaves port 53 to the container and comes back with galleyd', async () => {
    await world.manager.call('create', network('back'));
    const a = await up(on('a', 'back'));
    const b = await up(on('b', 'back'));
    await world.servers.serve(a.netns, '0.0.0.0', 53, 'own', 'udp');
    await world.servers.serve(a.netns, '0.0.0.0', 53, 'own');
    expect(ask(b.netns, address(a, 'back'), 53, 'udp')).toBe('own');
    expect(ask(a.netns, '127.0.0.1', 53)).toBe('own');
    expect(resolve(a.netns, 'b')).toEqual([address(b, 'back')]);
    await world.manager.kill();
    world.manager = world.startManager();
    await world.manager.call('restore', ['a', 'b']);
    expect(resolve(a.netns, 'b')).toEqual([address(b, 'back')]);
  });

  it('fifty containers find each other', async () => {
    await world.manager.call('create', network('back'));
    const ids = Array.from({ length: 50 }, (_, i) => `box${i}`);
    const boxes = await Promise.all(ids.map((id) => up(on(id, 'back', {}, { Aliases: ['all'] }))));
    const last = boxes[49] as (typeof boxes)[number];
    for (const i of [0, 17, 48]) {
      const box = boxes[i] as (typeof boxes)[number];
      expect(resolve(last.netns, `box${i}`)).toEqual([address(box, 'back')]);
    }
    // More than 512 bytes: the answer over udp is cut and the client asks again over tcp.
    expect(new Set(resolve(last.netns, 'all')).size).toBe(50);
  });

  it('connects a running container to a second network and takes it away again', async () => {
    await world.manager.call('create', network('front', subnet('10.71.0.0/24')));
    await world.manager.call('create', network('back', subnet('10.72.0.0/24', { IPRange: '10.72.0.128/25' })));
    const a = await up(
      on('a', 'front', { portBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] }, exposedPorts: ['80/tcp'] }),
    );
    const b = await up(on('b', 'back', {}, { Aliases: ['db'] }));
    await world.servers.serve(b.netns, '0.0.0.0', 5432, 'rows');
    await world.servers.serve(a.netns, '0.0.0.0', 80, 'page');
    expect(ask(a.netns, address(b, 'back'), 5432)).toBe('');
    const asked = { IPAMConfig: { IPv4Address: '10.72.0.77' }, Aliases: ['web'], MacAddress: '02:00:00:00:00:77' };
    await world.manager.call('connect', 'back', 'a', asked);
    expect(ask(a.netns, address(b, 'back'), 5432)).toBe('rows');
    expect(resolve(a.netns, 'db')).toEqual([address(b, 'back')]);
    expect(resolve(b.netns, 'web')).toEqual(['10.72.0.77']);
    const settings = (await world.manager.call('settings', 'a')) as typeof a.settings;
    expect(settings.Networks['back']).toMatchObject({
      IPAddress: '10.72.0.77',
      MacAddress: '02:00:00:00:00:77',
      Gateway: '10.72.0.128',
      IPPrefixLen: 24,
    });
    expect(within(a.netns, 'ip', '-o', 'addr', 'show', 'eth1')).toContain('10.72.0.77/24');
    expect(((await world.manager.call('filesOf', 'a')) as { hostsFile: string }).hostsFile).toContain(
      '10.72.0.77\ta\n',
    );
    // "back" comes before "front": the default route, and with it the published port, has moved.
    expect(within(a.netns, 'ip', 'route')).toContain('default via 10.72.0.128');
    expect(ask(netnsOf(world.outside), '10.99.0.1', 8080)).toBe('page');
    await expect(world.manager.call('connect', 'back', 'a', null)).rejects.toThrow('already exists in network back');

    await world.manager.call('disconnect', 'back', 'a', false);
    expect(within(a.netns, 'ip', '-o', 'link')).not.toContain('eth1');
    expect(within(a.netns, 'ip', 'route')).toContain(`default via ${a.settings.Networks['front']?.Gateway}`);
    expect(ask(netnsOf(world.outside), '10.99.0.1', 8080)).toBe('page');
    // Nobody here is called so any more; outside there is nobody to ask.
    expect(resolve(b.netns, 'web')).toBe('ESERVFAIL');
    await expect(world.manager.call('disconnect', 'back', 'a', false)).rejects.toThrow(
      'is not connected to network back',
    );
    await world.manager.call('disconnect', 'front', 'a', false);
    expect(ask(netnsOf(world.outside), '10.99.0.1', 8080)).toBe('');
    expect(world.inHost('nft', 'list', 'map', 'ip', world.table, 'published')).not.toContain('8080');
    await world.manager.call('connect', 'front', 'a', null);
    expect(ask(netnsOf(world.outside), '10.99.0.1', 8080)).toBe('page');
  });

  it('finishes at boot what a crash cut, and plugs containers into a bridge that is new', async () => {
    await world.manager.call('create', network('back', subnet('10.76.0.0/24')));
    const request = on('a', 'back');
    const a = await up(request);
    await up(on('b', 'back'));
    await world.servers.serve(a.netns, '0.0.0.0', 80, 'again');
    await world.manager.call('connect', 'bridge', 'a', null);
    // As if galleyd had died before the container knew of its second network, and somebody took the bridge meanwhile.
    await world.manager.call('createContainer', request);
    await world.manager.kill();
    const bridge = /^\d+: (\S+) +inet 10\.76\.0\.1/m.exec(world.inHost('ip', '-o', 'addr'))?.[1] ?? '';
    world.inHost('ip', 'link', 'del', bridge);
    world.manager = world.startManager();
    await world.manager.call('restore', ['a', 'b']);
    expect(within(a.netns, 'ip', '-o', 'link')).not.toContain('eth1');
    expect(within(a.netns, 'ip', 'route')).toContain('default via 10.76.0.1');
    expect(ask(netnsOf(world.host), address(a, 'back'), 80)).toBe('again');
    const shown = (await world.manager.call('settings', 'a')) as typeof a.settings;
    expect(Object.keys(shown.Networks)).toEqual(['back']);
  });

  it('starts with several networks; a failed connect leaves nothing', async () => {
    await world.manager.call('create', network('one', subnet('10.73.0.0/24')));
    await world.manager.call('create', network('two', { Internal: true, ...subnet('10.74.0.0/24') }));
    const a = await up(
      sandboxRequest('a', {
        networkMode: 'two',
        endpoints: { one: { GwPriority: 1 }, two: { IPAMConfig: { IPv4Address: '10.74.0.40' } } },
      }),
    );
    expect(address(a, 'two')).toBe('10.74.0.40');
    expect(within(a.netns, 'ip', '-o', 'addr', 'show', 'eth0')).toContain('10.74.0.40/24');
    expect(within(a.netns, 'ip', 'route')).toContain('default via 10.73.0.1');
    await up(on('b', 'bridge'));
    for (const [asked, words] of [
      [{ IPAMConfig: { IPv4Address: '10.74.0.40' } }, 'Address already in use'],
      [{ IPAMConfig: { IPv4Address: '10.1.1.1' } }, 'no configured subnet contains IP address 10.1.1.1'],
      [{ MacAddress: 'zz' }, 'invalid MAC address: zz'],
    ] as const)
      await expect(world.manager.call('connect', 'two', 'b', asked)).rejects.toThrow(words);
    const b = (await world.manager.call('settings', 'b')) as typeof a.settings;
    expect(Object.keys(b.Networks)).toEqual(['bridge']);
    await expect(world.manager.call('remove', 'two')).rejects.toThrow('network two has active endpoints');
  });

  it('keeps containers of a network without icc from each other, and gives the mtu that was asked for', async () => {
    const Options = { 'com.docker.network.bridge.enable_icc': 'false', 'com.docker.network.driver.mtu': '1400' };
    await world.manager.call('create', network('shy', { Options }));
    const a = await up(
      on('a', 'shy', { portBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] }, exposedPorts: ['80/tcp'] }),
    );
    const b = await up(on('b', 'shy'));
    await world.servers.serve(a.netns, '0.0.0.0', 80, 'open');
    expect(within(b.netns, 'ip', 'link', 'show', 'eth0')).toContain('mtu 1400');
    expect(ask(b.netns, address(a, 'shy'), 80)).toBe('');
    expect(ask(netnsOf(world.outside), '10.99.0.1', 8080)).toBe('open');
  });

  it('gives an address at once to the next container when the one before has ended', async () => {
    await world.manager.call('create', network('back', subnet('10.75.0.0/24')));
    const asked = { IPAMConfig: { IPv4Address: '10.75.0.9' } };
    const b = await up(on('b', 'back'));
    for (let round = 0; round < 3; round += 1) {
      const a = await up(on('a', 'back', {}, asked));
      await world.servers.serve(a.netns, '0.0.0.0', 80, `round ${round}`);
      await waitFor('the answer', () => ask(b.netns, '10.75.0.9', 80) === `round ${round}`);
      world.servers.stop();
      await world.manager.call('tearDown', 'a');
    }
  });
});
