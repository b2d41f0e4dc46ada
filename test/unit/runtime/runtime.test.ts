import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseCapabilities } from '../../../daemon/runtime/capabilities.ts';
import { mergeEnvironment } from '../../../daemon/runtime/environment.ts';
import { resolveUser } from '../../../daemon/runtime/index.ts';
import { customSeccomp, defaultSeccomp } from '../../../daemon/runtime/seccomp.ts';
import { runtimeWords } from '../../../daemon/runtime/words.ts';

const BOUNDING = ['CAP_CHOWN', 'CAP_NET_ADMIN', 'CAP_KILL'];
const context = { capabilities: [] as string[], architecture: 'amd64', kernel: [6, 1] as const, x32: true };

describe('capabilities', () => {
  const choose = (CapAdd: string[], CapDrop: string[], Privileged = false) =>
    chooseCapabilities({ Privileged, CapAdd, CapDrop }, BOUNDING).toSorted();
  it('never exceed the bounding set, privileged included', () => {
    expect(choose([], [], true)).toEqual(BOUNDING.toSorted());
    expect(choose(['ALL'], [])).toEqual(BOUNDING.toSorted());
    expect(choose(['all'], ['KILL'])).toEqual(['CAP_CHOWN', 'CAP_NET_ADMIN']);
  });
  it('adds with and without the prefix, and drops', () => {
    expect(choose(['net_admin'], ['ALL'])).toEqual(['CAP_NET_ADMIN']);
    expect(choose([], ['CAP_KILL'])).toEqual(['CAP_CHOWN']);
  });
  it('names what no kernel knows, and what this host cannot give, in Docker’s words', () => {
    expect(() => choose(['flying'], [])).toThrow('invalid CapAdd: unknown capability: "CAP_FLYING"');
    expect(() => choose([], ['flying'])).toThrow('invalid CapDrop: unknown capability: "CAP_FLYING"');
    expect(() => choose(['SYS_TIME'], [])).toThrow(
      'invalid CapAdd: capability not supported by your kernel or not available in the current environment: "CAP_SYS_TIME"',
    );
  });
});

describe('seccomp', () => {
  const rules = (capabilities: string[]) =>
    defaultSeccomp({ ...context, capabilities })['syscalls'] as {
      names: string[];
      action: string;
      errnoRet?: number;
    }[];
  it('refuses by default and answers clone3 with ENOSYS unless CAP_SYS_ADMIN is there', () => {
    expect(defaultSeccomp(context)['defaultAction']).toBe('SCMP_ACT_ERRNO');
    expect(rules([]).find((rule) => rule.names.includes('clone3'))).toMatchObject({ errnoRet: 38 });
    const granted = rules(['CAP_SYS_ADMIN']).filter((rule) => rule.names.includes('clone3'));
    expect(granted.some((rule) => rule.action === 'SCMP_ACT_ALLOW')).toBe(true);
  });
  it('allows mount only with CAP_SYS_ADMIN', () => {
    expect(rules([]).some((rule) => rule.names.includes('mount'))).toBe(false);
    expect(rules(['CAP_SYS_ADMIN']).some((rule) => rule.names.includes('mount'))).toBe(true);
  });
  it('builds the filter for x32 only where the kernel runs it', () => {
    expect(defaultSeccomp(context)['architectures']).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
    const here = { ...context, x32: false };
    expect(defaultSeccomp(here)['architectures']).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']);
    expect(customSeccomp('{"defaultAction":"SCMP_ACT_ALLOW"}', here)['architectures']).not.toContain('SCMP_ARCH_X32');
    const own = '{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X32"]}';
    expect(customSeccomp(own, here)['architectures']).toEqual(['SCMP_ARCH_X32']);
  });
  it('says what is wrong with a profile of the user', () => {
    expect(() => customSeccomp('{', context)).toThrow(/seccomp profile/);
    expect(() => customSeccomp('{"syscalls":[]}', context)).toThrow(/defaultAction/);
  });
});

describe('environment', () => {
  it('replaces in place and removes a bare key', () => {
    expect(mergeEnvironment(['PATH=/bin', 'TERM=xterm'], ['PATH=/x', 'A=1=2', 'TERM'])).toEqual(['PATH=/x', 'A=1=2']);
  });
});

describe('the runtime’s words', () => {
  it('are the last message of its log, quotes resolved', () => {
    const log = 'time="t" level=warning msg="first"\ntime="t" level=error msg="exec: \\"foo\\": not found in $PATH"\n';
    expect(runtimeWords(log)).toBe('exec: "foo": not found in $PATH');
    expect(runtimeWords('plain\n')).toBe('plain');
    expect(runtimeWords('{"level":"error","msg":"no \\"such\\" file","time":"t"}\n')).toBe('no "such" file');
    expect(runtimeWords('time="t" level=error msg="one\\ntwo\\ttab \\x1b[1m \\u00e9"')).toBe(
      'one\ntwo\ttab \u001b[1m é',
    );
  });
});

describe('resolveUser', () => {
  let root = '';
  beforeAll(() => {
    root = mkdtempSync(path.join(tmpdir(), 'galley-user-'));
    mkdirSync(path.join(root, 'etc'));
    writeFileSync(path.join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1001::/:/bin/sh\n');
    writeFileSync(path.join(root, 'etc/group'), 'root:x:0:\nstaff:x:50:alice\n');
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  it('reads names, numbers and groups in the container’s own files', () => {
    expect(resolveUser(root, '', [])).toMatchObject({ uid: 0, gid: 0 });
    expect(resolveUser(root, 'alice', [])).toEqual({ uid: 1000, gid: 1001, additionalGids: [1001, 50] });
    expect(resolveUser(root, '7:staff', [])).toMatchObject({ uid: 7, gid: 50 });
    expect(() => resolveUser(root, 'bob', [])).toThrow('unable to find user bob: no matching entries in passwd file');
    expect(() => resolveUser(root, '0:crew', [])).toThrow(/unable to find group crew/);
  });
  it('does not follow a link out of the container', () => {
    const other = mkdtempSync(path.join(tmpdir(), 'galley-user-'));
    symlinkSync(path.join(root, 'etc'), path.join(other, 'etc'));
    expect(() => resolveUser(other, 'alice', [])).toThrow(/unable to find user alice/);
    rmSync(other, { recursive: true });
  });
});
