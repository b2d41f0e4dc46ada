/**
 * The same network and volume calls on galleyd and on a real dockerd (Debian's 20.10): statuses and words are what clients branch on.
 * Where galley says something else on purpose, the line says what and why.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dockerd, dockerdAvailable, startDockerd } from '../fixtures/dockerd.ts';
import { type Answer, requestUnix } from '../fixtures/engine.ts';
import { busyboxImage, pushImage } from '../fixtures/images.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';
import { useEngine } from '../fixtures/use-engine.ts';

/** What galley answers instead. */
interface Other {
  status?: number;
  message?: string | RegExp;
  why: string;
}
type Step = [method: string, path: string, body?: object, other?: Other];

/** Faults are found before anything is made, and said as a 400 in the words of Docker 28. */
const newer = (message: string | RegExp, status?: number): Other => ({
  message,
  why: 'the words of Docker 28',
  ...(status ? { status } : {}),
});
const early = (message: string | RegExp): Other => ({ status: 400, message, why: 'refused before anything is made' });

const net = (Name: string, more: object = {}, other?: Other): Step => [
  'POST',
  '/networks/create',
  { Name, CheckDuplicate: true, ...more },
  other,
];
const subnet = (Subnet: string, more: object = {}) => ({ IPAM: { Driver: 'default', Config: [{ Subnet, ...more }] } });
const options = (more: object) => ({ Options: more });
const look = (name: string, other?: Other): Step => ['GET', `/networks/${name}`, undefined, other];
const drop = (name: string, other?: Other): Step => ['DELETE', `/networks/${name}`, undefined, other];
const list = (filters: object, other?: Other): Step => [
  'GET',
  `/networks?filters=${encodeURIComponent(JSON.stringify(filters))}`,
  undefined,
  other,
];
const connect = (network: string, Container: string, EndpointConfig?: object, other?: Other): Step => [
  'POST',
  `/networks/${network}/connect`,
  { Container, EndpointConfig },
  other,
];
const disconnect = (network: string, Container: string, other?: Other): Step => [
  'POST',
  `/networks/${network}/disconnect`,
  { Container, Force: false },
  other,
];
const create = (name: string, NetworkMode: string, more: object = {}, endpoints?: object, other?: Other): Step => [
  'POST',
  `/containers/create?name=${name}`,
  {
    Image: 'busybox',
    Cmd: ['sleep', '1000'],
    HostConfig: { NetworkMode, ...more },
    ...(endpoints ? { NetworkingConfig: { EndpointsConfig: endpoints } } : {}),
  },
  other,
];
const start = (name: string, other?: Other): Step => ['POST', `/containers/${name}/start`, undefined, other];
const inspect = (name: string, other?: Other): Step => ['GET', `/containers/${name}/json`, undefined, other];
const remove = (name: string, other?: Other): Step => ['DELETE', `/containers/${name}?force=1&v=1`, undefined, other];
const volume = (Name: string, more: object = {}, other?: Other): Step => [
  'POST',
  '/volumes/create',
  { Name, ...more },
  other,
];
const volumes = (filters: object, other?: Other): Step => [
  'GET',
  `/volumes?filters=${encodeURIComponent(JSON.stringify(filters))}`,
  undefined,
  other,
];
const prune = (what: string, filters: object, other?: Other): Step => [
  'POST',
  `/${what}/prune?filters=${encodeURIComponent(JSON.stringify(filters))}`,
  undefined,
  other,
];
const address = (IPv4Address: string) => ({ IPAMConfig: { IPv4Address } });

const LOWER = (key: string) => newer(`invalid filter '${key}'`);
const NETWORKS: Step[] = [
  ['GET', '/networks'],
  look('bridge', { why: 'galley shows the gateway that it took' }),
  look('host'),
  look('none'),
  look('nope'),
  look('default'),
  net('', {}, { status: 400, message: 'invalid name: name is empty', why: 'the words of Docker 28' }),
  net('bridge'),
  net('host'),
  net('none'),
  net('default'),
  net('a b'),
  drop('a%20b'),
  net('n1'),
  net('n1'),
  look('n1'),
  net('n2', { ...subnet('10.61.0.0/24'), Labels: { a: 'b', tier: 'db' } }),
  look('n2', { why: 'galley shows the gateway that it took' }),
  net(
    'n3',
    subnet('10.61.0.128/25'),
    newer(/^invalid pool request: Pool overlaps with other one on this address space/),
  ),
  net(
    'n3',
    subnet('10.63.1.0/24', { Gateway: '10.62.0.1' }),
    newer(
      "invalid network config:\ninvalid gateway 10.62.0.1: parent subnet 10.63.1.0/24 doesn't contain this address",
      400,
    ),
  ),
  net(
    'n3',
    subnet('10.63.2.0/33'),
    newer('invalid network config:\ninvalid subnet 10.63.2.0/33: invalid CIDR block notation', 400),
  ),
  net('n3', subnet('blah'), newer('invalid network config:\ninvalid subnet blah: invalid CIDR block notation', 400)),
  net(
    'n3',
    subnet('10.63.3.0/24', { AuxiliaryAddresses: { r: '10.63.3.1' } }),
    newer('failed to allocate secondary ip address (r:10.63.3.1): Address already in use', 403),
  ),
  net('n3', subnet('10.63.5.0/24', { AuxiliaryAddresses: { r: '10.63.5.2' }, Gateway: '10.63.5.9' })),
  look('n3'),
  drop('n3'),
  net('n3', subnet('10.63.6.0/24', { IPRange: '10.63.6.128/25' })),
  create('range', 'n3'),
  start('range'),
  inspect('range'),
  remove('range'),
  drop('n3'),
  net('n3', { Driver: 'nope' }),
  net('n3', { IPAM: { Driver: 'nope' } }),
  net('n3', { Driver: 'host' }),
  net('n3', { Driver: 'null' }),
  net('n3', { Driver: 'overlay' }, { status: 503, why: 'the status of Docker 28' }),
  net('n4', options({ 'com.docker.network.driver.mtu': 'abc' }), { status: 400, why: 'a fault of the caller' }),
  net('n4', options({ 'com.docker.network.bridge.enable_icc': 'maybe' }), {
    status: 400,
    why: 'a fault of the caller',
  }),
  net('n4', options({ 'com.docker.network.bridge.host_binding_ipv4': 'x' }), {
    status: 400,
    why: 'a fault of the caller',
  }),
  net('n4', options({ 'com.docker.network.bridge.name': 'averyverylongbridgename' }), early(/averyverylongbridgename/)),
  net('n4', { Internal: true, Attachable: true, ...subnet('10.64.0.0/24'), ...options({ foo: 'bar' }) }),
  look('n4', { why: 'galley shows the gateway that it took' }),
  list({ name: ['n1'] }),
  list({ driver: ['null'] }),
  list({ type: ['custom'] }),
  list({ type: ['x'] }, newer("invalid filter 'type'='x'", 400)),
  list({ nope: ['x'] }, LOWER('nope')),
  list({ label: ['a=b'] }),
  list({ label: ['a=c'] }),
  list({ dangling: ['true'] }),
  list({ dangling: ['x'] }, newer("invalid filter 'dangling=[x]'")),
  list({ scope: ['local'] }),
  list({ scope: ['x'] }),
  create('c1', 'bridge'),
  inspect('c1'),
  start('c1'),
  inspect('c1'),
  connect('n1', 'c1'),
  inspect('c1'),
  connect('n1', 'c1'),
  connect('nope', 'c1'),
  connect('n1', 'nope'),
  connect('n1', ''),
  connect('host', 'c1'),
  connect('none', 'c1'),
  connect('n2', 'c1', { ...address('10.61.0.77'), Aliases: ['x1'] }),
  inspect('c1'),
  look('n2', { why: 'galley shows the gateway that it took' }),
  disconnect('n2', 'c1'),
  disconnect('n2', 'c1'),
  connect(
    'n1',
    'c1',
    address('172.30.0.77'),
    newer(/supported only when connecting to networks with user configured subnets$/),
  ),
  disconnect('nope', 'c1'),
  disconnect('n1', 'nope'),
  disconnect('host', 'c1'),
  disconnect('none', 'c1'),
  drop('n1', newer(/^error while removing network: network n1 has active endpoints \(name:"c1" id:"/)),
  drop('bridge'),
  drop('host'),
  drop('none'),
  drop('nope'),
  disconnect('bridge', 'c1'),
  inspect('c1'),
  disconnect('n1', 'c1'),
  inspect('c1'),
  connect('bridge', 'c1'),
  inspect('c1'),
  disconnect('bridge', 'c1'),
  connect(
    'bridge',
    'c1',
    { Aliases: ['z'] },
    newer(/network-scoped aliases are only supported for user-defined networks$/),
  ),
  connect(
    'bridge',
    'c1',
    address('172.17.0.99'),
    newer(/user specified IP address is supported on user defined networks only$/),
  ),
  remove('c1'),
  create('c2', 'n2', {}, { n2: { ...address('10.61.0.50'), Aliases: ['al'] } }),
  inspect('c2'),
  start('c2'),
  inspect('c2'),
  create('c3', 'n2', {}, { n2: address('10.61.0.50') }),
  start('c3', { message: 'Address already in use: 10.61.0.50', why: 'names the address' }),
  remove('c3'),
  connect('n1', 'c2'),
  disconnect('n2', 'c2'),
  inspect('c2'),
  ['POST', '/containers/c2/stop?t=0'],
  inspect('c2'),
  connect('n2', 'c2'),
  inspect('c2', { why: 'galley shows the id of a network at once' }),
  disconnect('n1', 'c2'),
  start('c2'),
  inspect('c2'),
  remove('c2'),
  create('c4', 'host'),
  inspect('c4'),
  connect('n1', 'c4'),
  start('c4'),
  disconnect('host', 'c4'),
  connect('n1', 'c4'),
  remove('c4'),
  create('c5', 'none'),
  start('c5'),
  connect('n1', 'c5'),
  remove('c5'),
  create('c6', 'bridge'),
  start('c6'),
  create('c7', 'container:c6'),
  inspect('c7'),
  start('c7'),
  inspect('c7'),
  connect('n1', 'c7'),
  remove('c7'),
  create('c8', 'container:c6', { PortBindings: { '80/tcp': [{ HostPort: '8' }] } }),
  create('c8', 'container:c6', { Dns: ['1.1.1.1'] }),
  create('c8', 'container:c6', { ExtraHosts: ['a:1.1.1.1'] }),
  remove('c6'),
  create('c9', 'nope', {}, undefined, early('network nope not found')),
  remove('c9', { status: 404, message: /No such container/, why: 'it was never made' }),
  create('c9', 'bridge', {}, { bridge: address('172.17.0.66') }, early(/user defined networks only$/)),
  remove('c9', { status: 404, message: /No such container/, why: 'it was never made' }),
  create('p1', 'bridge', { PortBindings: { '80/tcp': [{ HostPort: '99999' }] } }),
  create('p1', 'bridge', { PortBindings: { '80/tcp': [{ HostPort: '1-x' }] } }),
  prune('networks', { until: ['1h'] }),
  prune('networks', { nope: ['1h'] }, LOWER('nope')),
  prune('networks', { label: ['a=b'] }),
  prune('networks', {}),
  ['GET', '/networks'],
];

const VOLUMES: Step[] = [
  ['GET', '/volumes'],
  volume('v1'),
  volume('v1'),
  volume('v1', { Driver: 'nope' }),
  volume('../x'),
  volume('x'),
  volume('v2', { Labels: { a: 'b' } }),
  ['GET', '/volumes/v1'],
  ['GET', '/volumes/v2'],
  ['GET', '/volumes/nope'],
  ['DELETE', '/volumes/nope'],
  ['DELETE', '/volumes/nope?force=1'],
  volume('v3', { DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } }),
  ['GET', '/volumes/v3'],
  volume('v4', { DriverOpts: { size: '1m' } }),
  volume('v4', { DriverOpts: { foo: '1m' } }, newer(/^create v4: invalid option: "foo"/)),
  volume('v4', { DriverOpts: { type: 'tmpfs' } }),
  volume('v4', { DriverOpts: { o: 'bind' } }),
  volume('v4', { DriverOpts: { device: '/tmp' } }),
  ['GET', '/volumes/v4'],
  volume('v3', { DriverOpts: { type: 'nfs' } }),
  volumes({ name: ['v1'] }),
  volumes({ label: ['a=b'] }),
  volumes({ label: ['a'] }),
  volumes({ dangling: ['true'] }),
  volumes({ dangling: ['xx'] }, newer("invalid filter 'dangling=[xx]'")),
  volumes({ nope: ['xx'] }, LOWER('nope')),
  volumes({ driver: ['local'] }),
  volumes({ driver: ['x'] }),
  create('w1', 'none', { Binds: ['v1:/data', 'v3:/ram:ro'] }),
  ['DELETE', '/volumes/v1'],
  ['DELETE', '/volumes/v1?force=1'],
  start('w1'),
  volumes({ dangling: ['true'] }),
  remove('w1'),
  ['GET', '/volumes/v1'],
  create('w2', 'none', {
    Mounts: [
      { Type: 'volume', Source: 'v1', Target: '/d', VolumeOptions: { NoCopy: true } },
      { Type: 'volume', Source: 'v5', Target: '/e', VolumeOptions: { Labels: { x: 'y' } } },
    ],
  }),
  ['GET', '/volumes/v5'],
  create('w3', 'none', { VolumesFrom: ['w2:ro'] }),
  start('w3'),
  create('w4', 'none', { VolumesFrom: ['nope'] }, undefined, {
    status: 400,
    message: /No such container: nope/,
    why: 'a 404 makes the CLI pull an image',
  }),
  create('w4', 'none', { VolumesFrom: ['w2:bad'] }, undefined, { status: 400, why: 'a fault of the caller' }),
  remove('w3'),
  remove('w2'),
  ['GET', '/volumes'],
  create('w5', 'none', { Binds: ['bad*name:/x'] }),
  create('w5', 'none', { Binds: ['v1:relative'] }, undefined, { status: 400, why: 'a fault of the caller' }),
  create('w5', 'none', { Binds: ['v1:/x:bad'] }, undefined, { status: 400, why: 'a fault of the caller' }),
  create('w5', 'none', { Mounts: [{ Type: 'bind', Source: '/nonexist-zz/b', Target: '/x' }] }),
  create('w6', 'none', {
    Mounts: [{ Type: 'volume', Source: 'vnew', Target: '/x', VolumeOptions: { DriverConfig: { Name: 'nope' } } }],
  }),
  ['GET', '/volumes/vnew'],
  prune('volumes', { nope: ['1h'] }, LOWER('nope')),
  prune('volumes', { label: ['a=b'] }),
  prune('volumes', { 'label!': ['a=b'] }),
  ['GET', '/volumes'],
];

/** What only newer engines show, and what no two engines have in common. */
const NEWER_FIELDS = new Set(['EnableIPv4', 'GwPriority', 'DNSNames', 'CreatedAt', 'Created']);
const blur = (text: string) =>
  text
    .replace(/[0-9a-f]{64}/g, '<id>')
    .replace(/\b[0-9a-f]{12}\b/g, '<id>')
    // The default pools: 172.17 to 172.31 with /16, then pieces of 192.168 with /20 where the host has routes into the first.
    .replace(/\b(172\.\d+|192\.168)\.\d+\.\d+(\/(16|20)\b)?/g, (_all, _net, size) =>
      size ? '<address>/16' : '<address>',
    )
    .replace(/"IPPrefixLen":20\b/g, '"IPPrefixLen":16')
    .replace(/02:42:(?:ac(?::[0-9a-f]{2})|c0:a8)(?::[0-9a-f]{2}){2}/g, '<mac>')
    .replace(/\/tmp\/g[de]-\w+\/data/g, '<data>')
    .replace(/"com\.docker\.network\.bridge\.name":"\w+0"/g, '"com.docker.network.bridge.name":"<bridge>"');

function shown(answer: Answer, path: string): unknown {
  if (answer.text === '') return '';
  const parsed = JSON.parse(answer.text, function replace(key, value) {
    if (NEWER_FIELDS.has(key)) return undefined;
    // Before API 1.45 the short id is an alias.
    if (key === 'Aliases' && Array.isArray(value)) {
      const rest = value.filter((alias: string) => !/^[0-9a-f]{12}$/.test(alias));
      return rest.length > 0 ? rest : null;
    }
    if (/^(Volumes|Networks)Deleted$/.test(key) && Array.isArray(value)) return value.sort();
    if (key === 'Volumes' && Array.isArray(value)) return value.sort((a, b) => (a.Name < b.Name ? -1 : 1));
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
    return value as unknown;
  }) as Record<string, unknown>;
  if (/^\/containers\/\w+\/json/.test(path) && answer.status === 200) {
    const settings = parsed['NetworkSettings'] as Record<string, unknown>;
    return JSON.parse(blur(JSON.stringify({ address: settings['IPAddress'], networks: settings['Networks'] })));
  }
  if (Array.isArray(parsed)) return parsed.map(({ Name }: { Name: string }) => Name).sort();
  return JSON.parse(blur(JSON.stringify(parsed)));
}

describe.skipIf(!(await dockerdAvailable()))(
  'network and volume calls beside a real dockerd (needs root, docker.io)',
  () => {
    const kitchen = useEngine();
    let dockerd: Dockerd;
    let registry: Registry;
    beforeAll(async () => {
      dockerd = await startDockerd();
      registry = await startRegistry({ address: dockerd.hostAddress });
      const image = await pushImage(registry, 'library/busybox:latest', await busyboxImage());
      await requestUnix(dockerd.socket, 'POST', `/images/create?fromImage=${encodeURIComponent(image)}`);
      await requestUnix(dockerd.socket, 'POST', `/images/${encodeURIComponent(image)}/tag?repo=busybox&tag=latest`);
      await kitchen.engine.request('POST', '/images/create?fromImage=busybox&tag=latest');
    }, 120_000);
    afterAll(async () => {
      await registry?.stop();
      await dockerd?.stop();
    });

    async function compare(steps: Step[]): Promise<string[]> {
      const differences: string[] = [];
      for (const [method, path, body, other] of steps) {
        const url = `/v1.41${path}`;
        const theirs = await requestUnix(dockerd.socket, method, url, body);
        const ours = await kitchen.engine.request(method, url, body);
        const call = `${method} ${path} ${body ? JSON.stringify(body) : ''}`;
        const status = other?.status ?? theirs.status;
        if (ours.status !== status)
          differences.push(`${call}: ${ours.status} ${ours.text}, not ${status} ${theirs.text}`);
        else if (other?.message !== undefined) {
          const { message } = ours.json<{ message: string }>();
          const fits = typeof other.message === 'string' ? message === other.message : other.message.test(message);
          if (!fits) differences.push(`${call}: ${message}, not ${other.message}`);
        } else if (!other) {
          const [mine, their] = [ours, theirs].map((answer) => JSON.stringify(shown(answer, path)));
          if (mine !== their) differences.push(`${call}:\n  galley ${mine}\n  docker ${their}`);
        }
      }
      return differences;
    }

    it(`networks: ${NETWORKS.length} calls`, async () => expect(await compare(NETWORKS)).toEqual([]), 240_000);
    it(`volumes: ${VOLUMES.length} calls`, async () => expect(await compare(VOLUMES)).toEqual([]), 120_000);
  },
);
