import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ALL_CAPABILITIES } from '../../../daemon/runtime/capabilities.ts';
import { encodeOci } from '../../../daemon/runtime/encode.ts';
import {
  buildExecProcess,
  buildSpec,
  checkHostConfig,
  type HostFacts,
  resolveUser,
  type SpecInput,
} from '../../../daemon/runtime/index.ts';
import type { HostConfig } from '../../../src/api/index.ts';
import { plainConfig, plainHostConfig } from '../../engine/runtime-kit.ts';

const host: HostFacts = {
  cgroupVersion: 1,
  architecture: 'amd64',
  kernel: [6, 1],
  x32: false,
  lastCapability: 40,
  boundingCapabilities: ['CAP_CHOWN', 'CAP_SETUID', 'CAP_NET_ADMIN'],
  hardLimits: { RLIMIT_NOFILE: 20_000 },
  mayRaiseLimits: false,
  thermalThrottles: [],
  apparmor: false,
  oomScoreAdj: 0,
  swapLimit: true,
};
const privately = { kind: 'private' } as const;
const input = (hostConfig: Partial<HostConfig> = {}, more: Partial<SpecInput> = {}): SpecInput => ({
  id: 'a'.repeat(64),
  config: plainConfig,
  hostConfig: { ...plainHostConfig, ...hostConfig },
  rootfs: '/root',
  args: ['true'],
  user: { uid: 0, gid: 0, additionalGids: [0] },
  mounts: [],
  namespaces: { network: privately, pid: privately, ipc: privately, uts: privately, cgroup: { kind: 'host' } },
  cgroupsPath: '/galley/a',
  initPath: null,
  ...more,
});
const tmpfs = (options: string[]) => ({
  destination: '/run',
  type: 'tmpfs' as const,
  source: 'tmpfs',
  readOnly: false,
  options,
  user: true,
});

describe('the spec of a container', () => {
  it('mounts Docker’s defaults in Docker’s order, and the user’s mounts by depth behind them', () => {
    const mounts = [tmpfs([]), { ...tmpfs([]), destination: '/run/a/b' }, { ...tmpfs([]), destination: '/dev/shm' }];
    expect(buildSpec(input({}, { mounts: mounts.toReversed() }), host).mounts.map((m) => m.destination)).toEqual([
      '/proc',
      '/dev',
      '/dev/pts',
      '/sys',
      '/sys/fs/cgroup',
      '/dev/mqueue',
      '/run',
      '/dev/shm',
      '/run/a/b',
    ]);
  });

  it('closes a tmpfs as Docker does unless told otherwise', () => {
    const options = (asked: string[]) => buildSpec(input({}, { mounts: [tmpfs(asked)] }), host).mounts.at(-1)?.options;
    expect(options(['size=1m'])).toEqual(['noexec', 'nosuid', 'nodev', 'size=1m']);
    expect(options(['exec'])).toEqual(['nosuid', 'nodev', 'exec']);
  });

  it('clamps limits to the daemon’s own, and writes no limit as RLIM_INFINITY', () => {
    const spec = buildSpec(
      input({
        Ulimits: [
          { Name: 'nofile', Soft: 1024, Hard: 1_000_000 },
          { Name: 'memlock', Soft: -1, Hard: -1 },
        ],
      }),
      host,
    );
    expect(spec.process.rlimits?.[0]).toEqual({ type: 'RLIMIT_NOFILE', soft: 1024, hard: 20_000 });
    expect(encodeOci(spec)).toContain('"soft":18446744073709551615,"hard":18446744073709551615');
  });

  it('gives only what the host can give: capabilities, swap limits, scores', () => {
    expect(buildSpec(input(), host).process.capabilities?.bounding?.toSorted()).toEqual(['CAP_CHOWN', 'CAP_SETUID']);
    const memory = (facts: HostFacts) =>
      (buildSpec(input({ Memory: 1 << 26 }), facts).linux['resources'] as { memory: unknown }).memory;
    expect(memory(host)).toEqual({ limit: 1 << 26, swap: 1 << 27 });
    expect(memory({ ...host, swapLimit: false })).toEqual({ limit: 1 << 26 });
    const score = (asked: number, own: number) =>
      buildSpec(input({ OomScoreAdj: asked }), { ...host, oomScoreAdj: own }).process.oomScoreAdj;
    expect([score(0, 0), score(0, 300), score(500, 300)]).toEqual([0, 300, 500]);
  });

  it('keeps a profile that a privileged container brought, and none else', () => {
    expect(buildSpec(input({ Privileged: true }), host).linux['seccomp']).toBeUndefined();
    const own = 'seccomp={"defaultAction":"SCMP_ACT_LOG"}';
    expect(buildSpec(input({ Privileged: true, SecurityOpt: [own] }), host).linux['seccomp']).toMatchObject({
      defaultAction: 'SCMP_ACT_LOG',
    });
  });

  it('tells a terminal its first size, and only a terminal', () => {
    const size = (Tty: boolean, ConsoleSize: [number, number]) =>
      buildSpec(input({ ConsoleSize }, { config: { ...plainConfig, Tty } }), host).process.consoleSize;
    expect(size(true, [40, 120])).toEqual({ height: 40, width: 120 });
    expect(size(true, [0, 0])).toBeUndefined();
    expect(size(false, [40, 120])).toBeUndefined();
  });

  it('lets the root follow the host where a mount must', () => {
    const propagation = (options: string[]) =>
      buildSpec(input({}, { mounts: [{ ...tmpfs(options), type: 'bind', source: '/srv' }] }), host).linux[
        'rootfsPropagation'
      ];
    expect(propagation(['rbind', 'rprivate'])).toBe('rprivate');
    expect(propagation(['rbind', 'rslave'])).toBe('rslave');
    expect(propagation(['rbind', 'rshared'])).toBe('rshared');
  });

  it('opens cgroups and system paths when told to, and takes no profile where apparmor is off or unconfined', () => {
    const cgroups = (SecurityOpt: string[]) =>
      buildSpec(input({ SecurityOpt }), host).mounts.find((m) => m.type === 'cgroup')?.options;
    expect(cgroups([])).toContain('ro');
    expect(cgroups(['writable-cgroups=true'])).not.toContain('ro');
    expect(buildSpec(input({ SecurityOpt: ['systempaths=unconfined'] }), host).linux['maskedPaths']).toEqual([]);
    const profile = (value: string, facts = { ...host, apparmor: true }) =>
      buildSpec(input({ SecurityOpt: [`apparmor:${value}`] }), facts).process.apparmorProfile;
    expect(profile('mine')).toBe('mine');
    expect(profile('unconfined')).toBeUndefined();
    expect(profile('mine', host)).toBeUndefined();
  });

  it('sets the domain name by sysctl', () => {
    const spec = buildSpec(input({}, { config: { ...plainConfig, Domainname: 'example.org' } }), host);
    expect(spec.linux['sysctl']).toMatchObject({ 'kernel.domainname': 'example.org' });
  });

  it('lays an exec’s environment over the container’s', () => {
    const exec = {
      AttachStdin: false,
      AttachStdout: true,
      AttachStderr: true,
      DetachKeys: '',
      Tty: true,
      Env: ['A=2', 'B=3'],
      Cmd: ['true'],
      Privileged: true,
      User: '',
      WorkingDir: '',
    };
    const { env, capabilities, cwd } = buildExecProcess(
      {
        config: { ...plainConfig, Env: ['A=1', 'C=4'], WorkingDir: '/srv' },
        hostConfig: plainHostConfig,
        exec,
        user: { uid: 0, gid: 0, additionalGids: [0] },
      },
      host,
    );
    expect(env.slice(1)).toEqual(['HOSTNAME=box', 'TERM=xterm', 'A=2', 'C=4', 'B=3']);
    expect(capabilities?.bounding).toEqual(host.boundingCapabilities);
    expect(cwd).toBe('/srv');
  });
});

describe('what a spec says of devices', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'grt-dev-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const device = (PathOnHost: string, PathInContainer = '', CgroupPermissions = '') =>
    input({ Devices: [{ PathOnHost, PathInContainer, CgroupPermissions }] });
  const devices = (from: SpecInput) => buildSpec(from, host).linux['devices'] as { path: string; major: number }[];

  it('takes a node, also through a link, to where it is wanted, with its rule behind the defaults', () => {
    symlinkSync('/dev/null', path.join(folder, 'link'));
    const spec = buildSpec(device(path.join(folder, 'link'), '/dev/here', 'r'), host);
    expect(spec.linux['devices']).toMatchObject([{ path: '/dev/here', type: 'c', major: 1, minor: 3 }]);
    const { devices: rules } = spec.linux['resources'] as { devices: unknown[] };
    expect(rules[0]).toEqual({ allow: false, access: 'rwm' });
    expect(rules.at(-1)).toEqual({ allow: true, type: 'c', major: 1, minor: 3, access: 'r' });
  });

  it('says in Docker’s words what is no device', () => {
    writeFileSync(path.join(folder, 'file'), '');
    const words = (file: string, why: string) =>
      `error gathering device information while adding custom device "${file}": ${why}`;
    for (const [name, why] of [
      ['none', 'no such file or directory'],
      ['file', 'not a device node'],
      ['', 'not a device node'],
    ] as const) {
      const file = path.join(folder, name);
      expect(() => devices(device(file))).toThrow(words(file, why));
    }
    expect(() => buildSpec(input({ DeviceCgroupRules: ['x 1:1 rwm'] }), host)).toThrow(
      "invalid device cgroup rule format: 'x 1:1 rwm'",
    );
  });

  it('gives a privileged container every device of the host once, the asked ones where they were asked for', () => {
    const found = devices(input({ ...device('/dev/null', '/dev/zero').hostConfig, Privileged: true }));
    expect(found.filter(({ path: place }) => place === '/dev/zero')).toMatchObject([{ major: 1, minor: 3 }]);
    expect(found.map(({ path: place }) => place)).toContain('/dev/null');
  });

  it('limits the speed of a device by its numbers', () => {
    const spec = buildSpec(input({ BlkioDeviceReadBps: [{ Path: '/dev/null', Rate: 1000 }], BlkioWeight: 100 }), host);
    expect(spec.linux['resources']).toMatchObject({
      blockIO: { weight: 100, throttleReadBpsDevice: [{ major: 1, minor: 3, rate: 1000 }] },
    });
  });
});

describe('what this host cannot give', () => {
  const check = (hostConfig: Partial<HostConfig>) => checkHostConfig(input(hostConfig).hostConfig, host);
  it('is a warning with the names for what means all there is, and an error for what was named', () => {
    expect(check({})).toEqual([]);
    expect(check({ Privileged: true })[0]).toMatch(
      /^This host cannot give CAP_DAC_OVERRIDE, .*CAP_CHECKPOINT_RESTORE: /,
    );
    const most = ALL_CAPABILITIES.filter((name) => name !== 'CAP_KILL');
    const without = (more: Partial<HostConfig>) =>
      checkHostConfig(input(more).hostConfig, { ...host, boundingCapabilities: most });
    expect(without({ CapAdd: ['ALL'] })).toEqual(['This host cannot give CAP_KILL: the container runs without it']);
    expect(without({ CapAdd: ['ALL'], CapDrop: ['kill'] })).toEqual([]);
    expect(() => without({ CapAdd: ['KILL'] })).toThrow(/not available in the current environment: "CAP_KILL"$/);
  });
  it('is said at create for bad limits, options, rules and profiles too', () => {
    expect(() => check({ Ulimits: [{ Name: 'nope', Soft: 1, Hard: 1 }] })).toThrow('invalid ulimit type: nope');
    expect(() => check({ SecurityOpt: ['nope=1'] })).toThrow(/^invalid --security-opt.*"nope=1"/);
    expect(() => check({ SecurityOpt: ['seccomp={'] })).toThrow(/seccomp profile/);
    expect(() => check({ DeviceCgroupRules: ['nope'] })).toThrow('invalid device cgroup rule format');
  });
});

describe('users of a root', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'grt-users-'));
    mkdirSync(path.join(root, 'etc'));
    mkdirSync(path.join(root, 'nix'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('follows links within the root and never out of it', () => {
    writeFileSync(path.join(root, 'nix/passwd'), 'bob:x:7:8::/:/bin/sh\n');
    symlinkSync('/nix/passwd', path.join(root, 'etc/passwd'));
    expect(resolveUser(root, 'bob', [])).toEqual({ uid: 7, gid: 8, additionalGids: [8] });
    rmSync(path.join(root, 'etc/passwd'));
    symlinkSync('../../../../../../../../etc/passwd', path.join(root, 'etc/passwd'));
    expect(() => resolveUser(root, 'daemon', [])).toThrow(
      'unable to find user daemon: no matching entries in passwd file',
    );
  });

  it('takes a number that is in no file, and refuses one out of range', () => {
    expect(resolveUser(root, '1234:99', ['5'])).toEqual({ uid: 1234, gid: 99, additionalGids: [99, 5] });
    expect(() => resolveUser(root, '4294967295', [])).toThrow(/range 0-2147483647/);
    expect(() => resolveUser(root, '0:nobodies', [])).toThrow('unable to find group nobodies');
  });
});
