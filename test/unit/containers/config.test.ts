import { describe, expect, test } from 'vitest';
import { checkContainer } from '../../../daemon/containers/check.ts';
import { limitToHost, parseSet } from '../../../daemon/containers/check-resources.ts';
import { compileFilters, type FilterLookups, impliesAll } from '../../../daemon/containers/filters.ts';
import { endpointsOf, normaliseHostConfig, parseSize } from '../../../daemon/containers/host-config.ts';
import {
  parseMountRequest,
  parseVolumeSpec,
  parseVolumesFrom,
  planMounts,
} from '../../../daemon/containers/mount-specs.ts';
import { mergeUpdate } from '../../../daemon/containers/operations.ts';
import { rotationOf } from '../../../daemon/containers/rotation.ts';
import { statusText } from '../../../daemon/containers/status.ts';
import { ContainerStore } from '../../../daemon/containers/store.ts';
import { Database } from '../../../daemon/state/index.ts';
import { configOf, hostConfigOf, recordOf } from './samples.ts';

describe('volume specifications', () => {
  test.each([
    ['/data', { Type: 'volume', Name: '', Destination: '/data', RW: true }],
    ['v:/data', { Type: 'volume', Name: 'v', Destination: '/data', Driver: 'local' }],
    ['v:/data:ro,nocopy', { Type: 'volume', RW: false, NoCopy: true, Mode: 'ro,nocopy' }],
    [
      '/host/:/data/',
      { Type: 'bind', Source: '/host', Destination: '/data', CreateSource: true, Propagation: 'rprivate' },
    ],
    ['/host:/data:rslave,ro', { Type: 'bind', RW: false, Propagation: 'rslave' }],
  ])('%s', (spec, expected) => expect(parseVolumeSpec(spec, '')).toMatchObject(expected));

  test.each([
    ['', "invalid volume specification: ''"],
    [':/x', "invalid volume specification: ':/x'"],
    ['a:b:c:d', "invalid volume specification: 'a:b:c:d'"],
    ['/x:ro', "invalid volume specification: '/x:ro'"],
    ['/x:/y:fast', 'invalid mode: fast'],
    ['/x:/y:ro,rw', 'invalid mode: ro,rw'],
    ['v:/y:rshared', 'field BindOptions must not be specified'],
    ['/x:y', "invalid mount path: 'y' mount path must be absolute"],
    ['/x:/', "destination can't be '/'"],
    ['./x:/y', 'If you intended to pass a host directory, use absolute path'],
  ])('refuses %j', (spec, words) => expect(() => parseVolumeSpec(spec, '')).toThrow(words));

  test('mounts of the API', () => {
    expect(
      parseMountRequest({ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1024, Mode: 0o1777 } }),
    ).toMatchObject({
      Options: ['size=1024', 'mode=1777'],
    });
    expect(() => parseMountRequest({ Type: 'bind', Target: '/t' })).toThrow('field Source must not be empty');
    expect(() => parseMountRequest({ Type: 'volume', Target: '' })).toThrow('field Target must not be empty');
    expect(() => parseMountRequest({ Type: 'bind', Source: '/a', Target: '/b', VolumeOptions: {} })).toThrow(
      'VolumeOptions',
    );
  });

  test('one target once; the own beats the inherited and the image; shallow before deep', () => {
    const plan = planMounts(
      configOf({ Volumes: { '/a/b': {}, '/a': {} } }),
      hostConfigOf({ Binds: ['/host:/a/b'], Tmpfs: { '/run': 'size=1m' } }),
      [parseVolumeSpec('v:/a/b', ''), parseVolumeSpec('w:/w', '')],
    );
    expect(plan.map((m) => [m.Destination, m.Type, m.Name])).toEqual([
      ['/a', 'volume', ''],
      ['/run', 'tmpfs', ''],
      ['/w', 'volume', 'w'],
      ['/a/b', 'bind', ''],
    ]);
    expect(() => planMounts(configOf(), hostConfigOf({ Binds: ['/x:/y', 'z:/y'] }), [])).toThrow(
      'Duplicate mount point: /y',
    );
    expect(parseVolumesFrom('c:ro')).toEqual({ container: 'c', readOnly: true });
  });
});

/** A host that can limit everything, with two processors. */
const abilities = {
  cpus: '0-1',
  mems: '0',
  swapLimit: true,
  swappiness: true,
  oomKillDisable: true,
  blkioWeight: true,
  blkioWeightDevice: true,
  blkioThrottle: true,
};

describe('validation', () => {
  const check = (host: Parameters<typeof hostConfigOf>[0], config = {}) =>
    checkContainer(configOf(config), normaliseHostConfig(hostConfigOf(host)), abilities);
  test.each([
    [{ Memory: 1024 }, 'Minimum memory limit allowed is 6MB'],
    [
      { AutoRemove: true, RestartPolicy: { Name: 'always' as const, MaximumRetryCount: 0 } },
      "can't create 'AutoRemove' container with restart policy",
    ],
    [
      { RestartPolicy: { Name: 'always' as const, MaximumRetryCount: 3 } },
      "maximum retry count can only be used with 'on-failure'",
    ],
    [{ LogConfig: { Type: 'syslog', Config: null } }, 'error looking up logging plugin syslog'],
    [
      { LogConfig: { Type: 'json-file', Config: { colour: 'red' } } },
      "unknown log opt 'colour' for json-file log driver",
    ],
    [{ PortBindings: { 'x/tcp': [] } }, 'invalid port specification: "x/tcp"'],
    [{ NanoCpus: 1e15 }, 'range of CPUs is from 0.01 to'],
    [{ IpcMode: 'weird' }, 'invalid IPC mode: weird'],
    [{ CpusetCpus: '0,2' }, 'Requested CPUs are not available - requested 0,2, available: 0-1'],
    [{ CpusetMems: 'x' }, 'Invalid value x for cpuset mems: invalid format: x'],
    [{ CapAdd: ['nosuch'] }, 'invalid CapAdd: unknown capability: "CAP_NOSUCH"'],
    [{ SecurityOpt: ['nosuch=1'] }, 'invalid --security-opt 2: "nosuch=1"'],
    [{ Runtime: 'nosuch' }, 'unknown or invalid runtime name: nosuch'],
    [{ Isolation: 'hyperv' }, "invalid isolation 'hyperv' on linux"],
    [
      { DeviceRequests: [{ Driver: '', Capabilities: [['gpu']] }] },
      'could not select device driver "" with capabilities: [[gpu]]',
    ],
    [{ StorageOpt: { size: '1G' } }, '--storage-opt is supported only'],
  ])('refuses %j', (host, words) => expect(() => check(host)).toThrow(words));
  test('accepts a plain one without a warning', () => expect(check({})).toEqual([]));
  test('a relative working directory is refused', () =>
    expect(() => check({}, { WorkingDir: 'x' })).toThrow("the working directory 'x' is invalid"));
  test('what the host cannot limit is left out with a warning', () => {
    const poor = { ...abilities, blkioWeight: false, swapLimit: false };
    const { hostConfig, warnings } = limitToHost(hostConfigOf({ BlkioWeight: 5, Memory: 1e8, MemorySwap: 2e8 }), poor);
    expect([hostConfig.BlkioWeight, hostConfig.MemorySwap]).toEqual([0, -1]);
    expect(warnings).toEqual([
      expect.stringContaining('Memory limited without swap.'),
      expect.stringContaining('Weight discarded.'),
    ]);
    expect(limitToHost(hostConfigOf({ BlkioWeight: 5 }), abilities).warnings).toEqual([]);
    expect([...(parseSet('0-2,5') ?? [])]).toEqual([0, 1, 2, 5]);
    expect(parseSet('2-1')).toBeUndefined();
  });
  test('defaults', () => {
    expect(
      normaliseHostConfig(hostConfigOf({ NetworkMode: 'default', Memory: 1e8, PidsLimit: 0, MemorySwappiness: -1 })),
    ).toMatchObject({
      NetworkMode: 'bridge',
      RestartPolicy: { Name: 'no' },
      MemorySwap: 2e8,
      PidsLimit: null,
      MemorySwappiness: null,
      ShmSize: 67108864,
    });
    expect(endpointsOf({ EndpointsConfig: { default: { Aliases: ['a'] } } }, 'bridge')).toEqual({
      bridge: { Aliases: ['a'] },
    });
    expect(endpointsOf(null, 'host')).toEqual({});
  });
  test('sizes', () => {
    expect(parseSize('10m')).toBe(10485760);
    expect(parseSize('1.5k')).toBe(1536);
    expect(parseSize('x')).toBeUndefined();
    expect(rotationOf({ LogConfig: { Type: 'json-file', Config: {} } })).toEqual({ size: 10485760, files: 5 });
    expect(rotationOf({ LogConfig: { Type: 'json-file', Config: { 'max-size': '1k', 'max-file': '3' } } })).toEqual({
      size: 1024,
      files: 3,
    });
  });
  test('update keeps what is absent or zero', () => {
    const now = hostConfigOf({ Memory: 1e8, MemorySwap: 2e8, CpuShares: 5 });
    expect(mergeUpdate(now, { Memory: 2e8, CpuShares: 0 })).toMatchObject({
      Memory: 2e8,
      MemorySwap: 4e8,
      CpuShares: 5,
    });
  });
});

describe('list filters', () => {
  const lookups: FilterLookups = {
    ancestors: (ref) => new Set(ref === 'nginx' ? ['sha256:1'] : []),
    container: () => recordOf({ id: 'b'.repeat(64), created: '2026-01-02T00:00:00.000Z' }),
    networkNames: () => ['bridge'],
    ports: () => [{ PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }],
  };
  const record = recordOf({
    status: 'exited',
    exitCode: 3,
    config: configOf({ Labels: { a: '1' }, ExposedPorts: { '80/tcp': {} } }),
  });
  test.each([
    [{ name: ['^/we'] }, true],
    [{ name: ['db'] }, false],
    [{ name: ['db', 'web'] }, true],
    [{ label: ['a'] }, true],
    [{ label: ['a=1', 'b'] }, false],
    [{ status: ['exited'], exited: ['3'] }, true],
    [{ exited: ['0'] }, false],
    [{ before: ['x'] }, true],
    [{ since: ['x'] }, false],
    [{ ancestor: ['nginx'] }, true],
    [{ ancestor: ['redis'] }, false],
    [{ network: ['bridge'] }, true],
    [{ publish: ['8000-8100'] }, true],
    [{ publish: ['80/udp'] }, false],
    [{ expose: ['80'] }, true],
    [{ health: ['none'] }, true],
    [{ id: ['aaa'] }, true],
    [{ 'is-task': ['true'] }, false],
  ])('%j gives %s', (filters, expected) =>
    expect(compileFilters(filters as Record<string, string[]>, lookups)(record)).toBe(expected),
  );
  test('unknown names and values are refused', () => {
    expect(() => compileFilters({ colour: ['x'] }, lookups)).toThrow("invalid filter 'colour'");
    expect(() => compileFilters({ status: ['asleep'] }, lookups)).toThrow("invalid filter 'status=asleep'");
    expect(impliesAll({ status: ['exited'] })).toBe(true);
    expect(impliesAll({ name: ['x'] })).toBe(false);
  });
});

test('status texts', () => {
  const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) - ms).toISOString();
  const now = Date.UTC(2026, 0, 1);
  expect(statusText(recordOf({ status: 'running', startedAt: at(300_000) }), now)).toBe('Up 5 minutes');
  expect(
    statusText(
      recordOf({ status: 'running', startedAt: at(5000), health: { Status: 'starting', FailingStreak: 0, Log: [] } }),
      now,
    ),
  ).toBe('Up 5 seconds (health: starting)');
  expect(statusText(recordOf({ status: 'paused', startedAt: at(5000) }), now)).toBe('Up 5 seconds (Paused)');
  expect(statusText(recordOf({ status: 'exited', exitCode: 0, finishedAt: at(7200_000) }), now)).toBe(
    'Exited (0) 2 hours ago',
  );
  expect(statusText(recordOf({ status: 'restarting', exitCode: 1, finishedAt: at(3000) }), now)).toBe(
    'Restarting (1) 3 seconds ago',
  );
  expect(statusText(recordOf(), now)).toBe('Created');
  expect(statusText(recordOf({ removing: { volumes: false } }), now)).toBe('Removal In Progress');
});

test('the store looks up by id, name, prefix, and keeps names apart over a restart', () => {
  const db = new Database(':memory:');
  const store = new ContainerStore(db);
  const one = recordOf({ id: `ab1${'0'.repeat(61)}`, name: 'one' });
  const two = recordOf({ id: `ab2${'0'.repeat(61)}`, name: 'ab1' });
  for (const record of [one, two]) {
    store.reserveName(record.name, record.id);
    store.add(record);
  }
  expect(store.find('/one').record.id).toBe(one.id);
  expect(store.find('ab1').record.id).toBe(two.id); // a name goes before a prefix
  expect(store.find('ab10').record.id).toBe(one.id);
  expect(() => store.find('ab')).toThrow('multiple IDs found with provided prefix: ab');
  expect(() => store.find('zz')).toThrow('No such container: zz');
  expect(() => store.reserveName('one', two.id)).toThrow(
    `The container name "/one" is already in use by container "${one.id}"`,
  );
  store.reserveName('stray', 'c'.repeat(64)); // its container was never written
  store.rename(store.find('one'), 'uno');
  const again = new ContainerStore(db);
  expect(again.nameTaken('stray')).toBe(false);
  expect(again.find('uno').record).toEqual({ ...one, name: 'uno' });
  again.delete(again.find('uno'));
  expect(new ContainerStore(db).all()).toHaveLength(1);
  db.close();
});
