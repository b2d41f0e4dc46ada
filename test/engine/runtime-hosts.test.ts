/**
 * Other hosts and runtimes than this one. On a hybrid host a mount namespace of its own shows the unified hierarchy where v2 hosts
 * have it: without controllers, because v1 holds them, but placing, freezing, listing, counting CPU time and removing need none.
 * crun 1.8 refuses hybrid hosts: there it runs in a namespace without the unified mount. Needs root.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../fixtures/cache.ts';
import { unpackedDebs } from '../fixtures/debs.ts';
import { mustRun } from '../fixtures/exec.ts';
import { isRoot } from './runtime-kit.ts';

const HYBRID = '/sys/fs/cgroup/unified';
const hybrid = existsSync(path.join(HYBRID, 'cgroup.controllers'));
const pure = existsSync('/sys/fs/cgroup/cgroup.controllers');

describe.skipIf(!isRoot || !(hybrid || pure))('a container’s life (root, cgroup2 mounted)', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync('/tmp/grt-v2-');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The probe's answer, in a mount namespace where `change` was made first. */
  const life = async (change: string, runtime: string): Promise<unknown> => {
    const probe = path.join(repositoryRoot, 'test/engine/runtime-hosts-probe.ts');
    const script = `${change} && exec ${process.execPath} ${probe} ${runtime}`;
    return JSON.parse(await mustRun('unshare', ['--mount', 'sh', '-c', script]));
  };
  const whole = {
    version: 2,
    inside: true,
    states: ['created', 'running', 'paused', 'stopped'],
    out: 'up\n',
    execCode: 5,
    processes: true,
    cpu: true,
    exitCode: 137,
    gone: true,
  };

  it('goes through runc on cgroup v2', async () => {
    const change = hybrid ? `mount --bind ${HYBRID} /sys/fs/cgroup` : 'true';
    expect(await life(change, 'runc')).toEqual(whole);
  });

  it('goes through crun, whose state folder, start and delete are its own', async () => {
    const debs = await unpackedDebs('crun', ['crun', 'libyajl2']);
    const crun = path.join(folder, 'crun');
    const libraries = execFileSync('find', [debs, '-name', '*.so.*', '-printf', '%h\n'], { encoding: 'utf8' });
    const search = [...new Set(libraries.trim().split('\n'))].join(':');
    const script = `#!/bin/sh\nLD_LIBRARY_PATH=${search} exec ${debs}/usr/bin/crun "$@"\n`;
    writeFileSync(crun, script, { mode: 0o755 });
    const answer = await life(hybrid ? `umount ${HYBRID}` : 'true', crun);
    // A container of crun that waits for its start has no sign of its own that the kernel would show.
    const expected = { ...whole, states: [expect.any(String), 'running', 'paused', 'stopped'] };
    expect(answer).toEqual(hybrid ? { ...expected, version: 1, inside: expect.any(Boolean) } : expected);
  });
});
