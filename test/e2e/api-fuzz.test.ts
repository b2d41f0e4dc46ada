/**
 * Requests that no client means, seeded: bodies, query strings, filters, paths and bytes on hijacked connections. Whatever comes, galleyd
 * answers with a status and a reason, lives on, and keeps nothing (issue 3). `npm run test:long` sends many more.
 */
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { useEngine } from '../fixtures/use-engine.ts';

const CASES = Number(process.env['GALLEY_TEST_CASES'] ?? (process.env['GALLEY_TEST_LONG'] === '1' ? 10_000 : 300));
const SEED = Number(process.env['GALLEY_TEST_SEED'] ?? 7);

function randomOf(seed: number) {
  let state = seed >>> 0;
  const below = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  return { below, pick };
}
const { below, pick } = randomOf(SEED);

const WORDS = [
  '',
  'a',
  '0',
  '-1',
  '1e999',
  'true',
  'null',
  '/',
  '..',
  '../../etc',
  'x'.repeat(5000),
  '\u0000',
  'é😀',
  '%',
  '{}',
  '[]',
  'busybox',
  'target',
  'container:target',
  'container:',
  '80/tcp',
  '99999/udp',
  'nan',
  '{"a":{"b":true}}',
  '{"status":["x"]}',
  '18446744073709551616',
  '-9223372036854775809',
];

function value(depth = 0): unknown {
  switch (below(depth > 3 ? 6 : 9)) {
    case 0:
      return null;
    case 1:
      return below(2) === 1;
    case 2:
      return pick([0, -1, 1, 2 ** 31, -(2 ** 53), 1.5, 1e300]);
    case 3:
    case 4:
    case 5:
      return pick(WORDS);
    case 6:
      return Array.from({ length: below(4) }, () => value(depth + 1));
    default:
      return Object.fromEntries(Array.from({ length: below(5) }, () => [pick(WORDS), value(depth + 1)]));
  }
}

const FIELDS = [
  'Image',
  'Cmd',
  'Entrypoint',
  'Env',
  'Labels',
  'Volumes',
  'ExposedPorts',
  'Healthcheck',
  'User',
  'WorkingDir',
  'StopSignal',
  'StopTimeout',
  'Tty',
  'Shell',
  'NetworkingConfig',
  'Hostname',
  'Detach',
  'AttachStdin',
  'ConsoleSize',
  'Privileged',
  'Memory',
  'RestartPolicy',
];
const HOST_FIELDS = [
  'Binds',
  'Mounts',
  'PortBindings',
  'RestartPolicy',
  'LogConfig',
  'NetworkMode',
  'Ulimits',
  'Devices',
  'DeviceRequests',
  'Sysctls',
  'Tmpfs',
  'CapAdd',
  'SecurityOpt',
  'Memory',
  'NanoCpus',
  'CpusetCpus',
  'PidMode',
  'IpcMode',
  'CgroupParent',
  'Links',
  'VolumesFrom',
  'ExtraHosts',
  'Annotations',
  'ShmSize',
  'Runtime',
  'BlkioDeviceReadBps',
  'GroupAdd',
  'MaskedPaths',
  'ConsoleSize',
  'Init',
  'UsernsMode',
  'StorageOpt',
  'Dns',
];

function body(): unknown {
  if (below(8) === 0) return value();
  const made: Record<string, unknown> = { Image: 'busybox', Cmd: ['true'] };
  for (let n = below(4); n > 0; n -= 1) made[pick(FIELDS)] = value();
  made['HostConfig'] = Object.fromEntries(Array.from({ length: below(4) }, () => [pick(HOST_FIELDS), value()]));
  return made;
}

const ROUTES: readonly (readonly [string, string])[] = [
  ['POST', '/containers/create'],
  ['POST', '/containers/create'],
  ['POST', '/containers/create'],
  ['GET', '/containers/json'],
  ['POST', '/containers/prune'],
  ['GET', '/containers/target/json'],
  ['GET', '/containers/target/logs'],
  ['GET', '/containers/target/top'],
  ['GET', '/containers/target/archive'],
  ['HEAD', '/containers/target/archive'],
  ['PUT', '/containers/target/archive'],
  ['POST', '/containers/target/exec'],
  ['POST', '/containers/target/update'],
  ['POST', '/containers/target/rename'],
  ['POST', '/containers/target/resize'],
  ['POST', '/containers/target/kill'],
  ['POST', '/containers/nosuch/wait'],
  ['POST', '/commit'],
  ['POST', '/exec/nosuch/start'],
  ['GET', '/events'],
  ['GET', '/system/df'],
  ['GET', '/images/json'],
  ['GET', '/networks'],
  ['GET', '/volumes'],
  ['GET', '/nosuch'],
];
const PARAMETERS = [
  'all',
  'limit',
  'size',
  'filters',
  'since',
  'until',
  'tail',
  'stdout',
  'stderr',
  'timestamps',
  'path',
  'ps_args',
  'signal',
  'h',
  'w',
  'name',
  't',
  'condition',
  'type',
  'platform',
  'changes',
  'repo',
];

describe.skipIf(!isRoot)(`${CASES} requests that nobody means, seed ${SEED} (needs root)`, () => {
  const kitchen = useEngine();
  beforeAll(async () => {
    if (!isRoot) return;
    const docker = await dockerCli(kitchen.engine.host);
    await docker.must(['pull', '-q', 'busybox']);
    await docker.must(['run', '-d', '--name', 'target', 'busybox', 'sleep', '100000']);
    docker.close();
  });

  /** One connection with these bytes; what came back until galleyd closed it or fell silent. */
  const raw = (bytes: Buffer | string): Promise<string> =>
    new Promise((resolve) => {
      const socket = net.connect(kitchen.engine.socket);
      let got = '';
      const done = () => {
        socket.destroy();
        resolve(got);
      };
      socket.setTimeout(4000, done);
      socket.on('data', (data) => {
        got += data.toString('latin1');
      });
      socket.on('end', done);
      socket.on('error', done);
      socket.end(bytes);
    });

  it(
    'bodies and queries: a status, a reason, never a 500 without words',
    async () => {
      for (let n = 0; n < CASES; n += 1) {
        const [method, route] = pick(ROUTES);
        const query = Array.from({ length: below(4) }, () => `${pick(PARAMETERS)}=${encodeURIComponent(pick(WORDS))}`);
        if (route === '/events') query.push('until=1');
        const url = `${pick(['', '/v1.41', '/v1.24', '/v1.51'])}${route}?${query.join('&')}`;
        const sent = method === 'POST' || method === 'PUT' ? body() : undefined;
        const answer = await kitchen.engine.request(method, url, sent);
        const what = JSON.stringify({ n, method, url: url.slice(0, 300), sent }).slice(0, 1500);
        if (answer.status >= 400 && method !== 'HEAD')
          expect(answer.json<{ message: string }>().message, what).not.toBe('');
        // What the runtime refuses is no fault of galleyd's; anything else with 500 is.
        if (answer.status >= 500 && answer.status !== 501 && answer.status !== 503)
          expect.soft(answer.text, what).toMatch(/OCI runtime|failed to create/);
        if (method === 'POST' && route === '/containers/create' && answer.status === 201) {
          const { Id } = answer.json<{ Id: string }>();
          if (below(6) === 0) await kitchen.engine.request('POST', `/containers/${Id}/start`);
          expect((await kitchen.engine.request('DELETE', `/containers/${Id}?force=1&v=1`)).status, what).toBe(204);
        }
        if (route.endsWith('/rename') && answer.status === 204) {
          const list = (await kitchen.engine.request('GET', '/containers/json')).json<{ Id: string }[]>();
          await kitchen.engine.request('POST', `/containers/${list[0]?.Id}/rename?name=target`);
        }
        if (route.endsWith('/kill') && answer.status === 204)
          await kitchen.engine.request('POST', '/containers/target/start');
        if (route.endsWith('/prune') || route.endsWith('/kill'))
          await kitchen.engine.request('POST', '/containers/target/start');
      }
    },
    CASES > 1000 ? 1_800_000 : 120_000,
  );

  it(
    'bytes on hijacked connections and broken HTTP: the connection ends, galleyd does not',
    async () => {
      for (let n = 0; n < CASES / 10; n += 1) {
        const noise = Buffer.from(Array.from({ length: below(300) }, () => below(256)));
        const exec = (
          await kitchen.engine.request('POST', '/containers/target/exec', {
            Cmd: ['cat'],
            AttachStdin: true,
            AttachStdout: true,
          })
        ).json<{ Id: string }>();
        const line = pick([
          `POST /exec/${exec.Id}/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${pick(['2', '3', '-1', '999999999999', 'x'])}\r\n\r\n{}`,
          `POST /containers/target/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
          'GET /containers/json HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
          `${'G'.repeat(below(40))} / HTTP/9.9\r\n\r\n`,
          'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"Image":',
          '',
        ]);
        await raw(Buffer.concat([Buffer.from(line), noise]));
      }
      expect((await kitchen.engine.request('GET', '/_ping')).status).toBe(200);
    },
    CASES > 1000 ? 1_800_000 : 240_000,
  );

  it('nothing is left of all that', async () => {
    const left = (await kitchen.engine.request('GET', '/containers/json?all=1')).json<{ Names: string[] }[]>();
    expect(left.map(({ Names }) => Names)).toEqual([['/target']]);
    await kitchen.engine.request('DELETE', '/containers/target?force=1&v=1');
    await sleep(100);
    expect((await kitchen.engine.request('GET', '/volumes')).json<{ Volumes: unknown[] }>().Volumes).toEqual([]);
    expect(kitchen.engine.log()).not.toMatch(/unhandled|TypeError|RangeError|ReferenceError/);
  });
});
