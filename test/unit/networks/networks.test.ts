import { describe, expect, it } from 'vitest';
import {
  formatSubnet,
  freePool,
  macOf,
  nextAddress,
  parseAddress,
  parseSubnet,
} from '../../../daemon/networks/addresses.ts';
import { hostsFile, resolvConf } from '../../../daemon/networks/files.ts';
import { matchesFilters } from '../../../daemon/networks/filters.ts';
import { forwardDrops } from '../../../daemon/networks/firewall.ts';
import { wantedPorts } from '../../../daemon/networks/ports.ts';
import { mapElement, tableScript } from '../../../daemon/networks/ruleset.ts';
import type { Chain } from '../../../daemon/system/netlink/index.ts';

const subnet = (text: string) => parseSubnet(text) ?? expect.fail(`${text} is no subnet`);

describe('addresses', () => {
  it('refuses what is no address or subnet', () => {
    for (const text of ['1.2.3', '1.2.3.256', 'a.b.c.d', '', '1.2.3.4.5']) expect(parseAddress(text)).toBeUndefined();
    for (const text of ['10.0.0.0', '10.0.0.0/33', 'x/8']) expect(parseSubnet(text)).toBeUndefined();
    expect(formatSubnet(subnet('10.1.2.3/16'))).toBe('10.1.0.0/16');
  });

  it('takes the first default pool that overlaps nothing', () => {
    expect(freePool([])).toEqual(subnet('172.17.0.0/16'));
    expect(freePool([subnet('172.17.3.0/24'), subnet('172.18.0.0/15')])).toEqual(subnet('172.20.0.0/16'));
    expect(freePool([subnet('172.16.0.0/12')])).toEqual(subnet('192.168.0.0/20'));
    expect(freePool([subnet('172.16.0.0/12'), subnet('192.168.0.0/16')])).toBeUndefined();
  });

  it('gives addresses in turn, wraps around, and never the network or broadcast address', () => {
    const net = subnet('10.0.0.0/29');
    const used = new Set([net.base + 1]);
    const given: number[] = [];
    for (let last = net.base; ; ) {
      const address = nextAddress(net.base + 1, net.base + 6, used, last);
      if (address === undefined) break;
      given.push(address - net.base);
      used.add(address);
      last = address;
    }
    expect(given).toEqual([2, 3, 4, 5, 6]);
    used.delete(net.base + 3);
    expect(nextAddress(net.base + 1, net.base + 6, used, net.base + 6)).toBe(net.base + 3);
    expect(nextAddress(net.base + 4, net.base + 5, new Set(), net.base + 3)).toBe(net.base + 4);
    expect(nextAddress(net.base + 4, net.base + 5, new Set(), net.base + 5)).toBe(net.base + 4);
    expect(macOf(parseAddress('172.17.0.2') as number)).toBe('02:42:ac:11:00:02');
  });
});

describe('published ports', () => {
  it('reads bindings, ranges, and publish-all for what is not bound', () => {
    const wanted = wantedPorts(
      { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8000-8002' }], '53/udp': [{ HostPort: '' }] },
      ['80/tcp', '443/tcp'],
      true,
    );
    expect(wanted).toEqual([
      { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', from: 8000, to: 8002 },
      { protocol: 'udp', containerPort: 53, hostIp: '', from: 0, to: 0 },
      { protocol: 'tcp', containerPort: 443, hostIp: '', from: 0, to: 0 },
    ]);
  });

  it('names what it cannot read or publish', () => {
    const bind =
      (key: string, HostPort = '80', HostIp = '') =>
      () =>
        wantedPorts({ [key]: [{ HostIp, HostPort }] }, [], false);
    expect(bind('80/sctp')).toThrow('80/sctp');
    expect(bind('80/icmp')).toThrow('80/icmp');
    expect(bind('70000/tcp')).toThrow('70000/tcp');
    expect(bind('80/tcp', 'http')).toThrow('http');
    expect(bind('80/tcp', '90-80')).toThrow('90-80');
    expect(bind('80/tcp', '80', '::1')).toThrow('::1');
    expect(bind('80/tcp', '80', 'localhost')).toThrow('localhost');
  });

  it('puts a port of one address in another map than one of all', () => {
    const port = { protocol: 'tcp' as const, hostPort: 80, containerIp: '172.17.0.2', containerPort: 8080 };
    const ports = [
      { ...port, hostIp: '' },
      { ...port, hostIp: '127.0.0.1' },
    ];
    expect(ports.map(mapElement)).toEqual([
      {
        map: 'published',
        key: [Buffer.from([6]), Buffer.from([0, 80])],
        value: [Buffer.from([172, 17, 0, 2]), Buffer.from([31, 144])],
      },
      expect.objectContaining({
        map: 'published_at',
        key: [Buffer.from([127, 0, 0, 1]), Buffer.from([6]), Buffer.from([0, 80])],
      }),
    ]);
    const script = tableScript('g', [], ports);
    expect(script).toContain('elements = { tcp . 80 : 172.17.0.2 . 8080 };');
    expect(script).toContain('elements = { 127.0.0.1 . tcp . 80 : 172.17.0.2 . 8080 };');
  });
});

describe('filters', () => {
  const network = {
    id: 'abc',
    name: 'back',
    driver: 'bridge' as const,
    created: new Date(Date.now() - 3_600_000).toISOString(),
    bridge: '',
    ownsBridge: true,
    subnet: '',
    gateway: '',
    range: '',
    auxiliary: {},
    ownSubnet: true,
    internal: false,
    attachable: false,
    enableIPv6: false,
    options: {},
    labels: { tier: 'db' },
  };
  const matches = (filters: Record<string, string[]>) => matchesFilters(network, filters, false);

  it('understands names, labels, types and times', () => {
    expect(matches({ name: ['x', 'ack'], label: ['tier=db'], type: ['custom'], dangling: ['true'] })).toBe(true);
    expect(matches({ label: ['tier=web'] })).toBe(false);
    expect(matches({ 'label!': ['tier'] })).toBe(false);
    expect(matches({ until: ['30m'] })).toBe(true);
    expect(matches({ until: ['1h30m'] })).toBe(false);
    expect(matches({ until: ['1000'] })).toBe(false);
  });

  it('names a filter that it does not have, before it removes too much or nothing', () => {
    expect(() => matches({ colour: ['red'] })).toThrow("invalid filter 'colour'");
    expect(() => matches({ until: ['soon'] })).toThrow("invalid filter 'until=soon'");
  });
});

describe('firewalls of the host', () => {
  const chain = (table: string, name: string, more: Partial<Chain> = {}): Chain => ({
    family: 'ip',
    table,
    name,
    hook: '',
    policy: '',
    uses: 0,
    ...more,
  });

  it('sees only other tables that drop forwarded packets by policy, and the place they offer', () => {
    const forward = { hook: 'forward', policy: 'drop' } as const;
    const chains = [
      chain('galley', 'forward', forward),
      chain('filter', 'FORWARD', forward),
      chain('filter', 'ufw-user-forward'),
      chain('filter', 'DOCKER-USER'),
      chain('fw', 'forward', forward),
      chain('open', 'forward', { ...forward, policy: 'accept' }),
      chain('fw', 'input', { hook: 'input', policy: 'drop' }),
    ];
    expect(forwardDrops(chains, 'galley').map(({ table, place }) => `${table} ${place}`)).toEqual([
      'filter DOCKER-USER',
      'fw forward',
    ]);
  });
});

describe('files of a container', () => {
  it('writes /etc/hosts with extra hosts, host-gateway and a line an address', () => {
    const text = hostsFile({
      addresses: ['172.17.0.2', '172.18.0.3'],
      hostname: 'web',
      domainname: 'example.org',
      linked: [['172.17.0.9', 'db 123456789abc store']],
      extraHosts: ['gw:host-gateway', 'six=[fd00::1]', 'db:10.0.0.5'],
      gateway: '172.17.0.1',
    });
    expect(text.split('\n').slice(-7)).toEqual([
      '172.17.0.1\tgw',
      'fd00::1\tsix',
      '10.0.0.5\tdb',
      '172.17.0.9\tdb 123456789abc store',
      '172.17.0.2\tweb.example.org web',
      '172.18.0.3\tweb.example.org web',
      '',
    ]);
  });

  it('drops loopback name servers, falls back, and lets the own settings win', () => {
    const none = { dns: [], search: [], options: [], nameServer: false };
    const host = 'nameserver 127.0.0.53\nnameserver 10.0.0.1\nsearch lan corp\noptions ndots:2\n';
    expect(resolvConf(host, none)).toBe('nameserver 10.0.0.1\nsearch lan corp\noptions ndots:2\n');
    expect(resolvConf('nameserver ::1\n', none)).toBe('nameserver 8.8.8.8\nnameserver 8.8.4.4\n');
    expect(resolvConf(host, { ...none, dns: ['1.1.1.1'], search: ['.'], options: ['edns0'] })).toBe(
      'nameserver 1.1.1.1\noptions edns0\n',
    );
    expect(resolvConf(host, { ...none, dns: ['1.1.1.1'], nameServer: true })).toBe(
      'nameserver 127.0.0.11\nsearch lan corp\noptions ndots:2\n',
    );
    expect(resolvConf('', { ...none, nameServer: true })).toBe('nameserver 127.0.0.11\noptions ndots:0\n');
  });
});
