import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeOci } from '../../../daemon/runtime/encode.ts';
import {
  buildExecProcess,
  buildSpec,
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
