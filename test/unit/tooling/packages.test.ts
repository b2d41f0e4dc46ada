/**
 * What set-up installs on Debian, Fedora and Alpine. There is no Fedora or Alpine here, so their package managers are stand-ins on PATH that
 * write down how they were called and then put the tools there; the package names were looked up in the distributions' own sources.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../fixtures/cache.ts';
import { isRoot } from '../../fixtures/engine.ts';
import { mustRun, type ToolResult, tool } from '../../fixtures/exec.ts';

const OPTIONAL = ['tini-static', 'igzip', 'ps', 'xz', 'bzip2'];

describe.skipIf(!isRoot)('host packages (needs root to hide the host’s own tools)', () => {
  let folder: string;
  let bin: string;
  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'galley-packages-'));
    bin = path.join(folder, 'bin');
    fs.mkdirSync(bin);
    await mustRun(process.execPath, [path.join(repositoryRoot, 'scripts/build.mjs'), '--if-needed']);
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const script = (name: string, body: string) =>
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  /** A package manager that notes its words and makes every tool; `refuses` packages are in none of its repositories. */
  const manager = (name: string, refuses: string[] = []) => {
    const unknown = refuses.map((word) => `*" ${word} "*) echo "no such package: ${word}" >&2; exit 1 ;;`).join(' ');
    const make = ['runc', 'conmon', 'nft', 'ip'].map((file) => `/bin/ln -sf /bin/true ${bin}/${file}`).join('; ');
    script(
      name,
      `echo "${name} $*" >>${folder}/calls\ncase " $* " in ${unknown} esac\ncase "$*" in *runc*) ${make} ;; esac`,
    );
  };
  const calls = () =>
    fs.existsSync(`${folder}/calls`) ? fs.readFileSync(`${folder}/calls`, 'utf8').trim().split('\n') : [];
  /** Set-up's package step on a host whose PATH is `bin` and whose administrators' folders are empty. */
  const setup = (): Promise<ToolResult> => {
    const hide = 'for folder in /usr/local/sbin /usr/sbin; do /bin/mount -t tmpfs tmpfs $folder; done; exec "$@"';
    const program = [process.execPath, path.join(repositoryRoot, 'scripts/setup.mjs'), '--no-daemon', '--no-link'];
    return tool('/usr/bin/unshare', ['--mount', '/bin/sh', '-c', hide, 'sh', ...program], {
      env: { ...process.env, PATH: `${bin}:/usr/bin/nowhere` },
    });
  };

  it('dnf: iproute, tini-static, isa-l-tools, procps-ng, xz, bzip2', async () => {
    manager('dnf');
    const result = await setup();
    expect(result).toMatchObject({ code: 0, stdout: '' });
    expect(result.stderr).toContain('host packages runc, conmon, nftables, iproute: done');
    expect(calls()).toEqual([
      'dnf -q -y install runc conmon nftables iproute',
      'dnf -q -y install tini-static isa-l-tools procps-ng xz bzip2',
    ]);
    expect(await setup()).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(calls()).toHaveLength(2);
  });

  it('dnf without EPEL: says what does not work without tini and isa-l, and goes on', async () => {
    manager('dnf', ['tini-static', 'isa-l-tools']);
    const result = await setup();
    expect(result.code).toBe(0);
    expect(result.stderr).toContain('host package tini-static: not packaged here: --init will not work');
    expect(result.stderr).toContain('host package isa-l-tools: not packaged here: pulls decompress with Node');
    expect(result.stderr).toContain('host package procps-ng: done');
    expect(calls().slice(-5)).toEqual(
      ['tini-static', 'isa-l-tools', 'procps-ng', 'xz', 'bzip2'].map((name) => `dnf -q -y install ${name}`),
    );
  });

  it('apk: busybox has an ip and a ps, which are not the ones that are needed', async () => {
    for (const name of ['busybox', 'ip', 'ps'])
      if (name === 'busybox') script(name, 'exit 1');
      else fs.symlinkSync('busybox', path.join(bin, name));
    for (const name of ['runc', 'conmon', 'nft']) script(name, 'exit 0');
    manager('apk');
    expect((await setup()).code).toBe(0);
    expect(calls()).toEqual([
      'apk add --quiet --update-cache iproute2',
      'apk add --quiet --update-cache tini-static isa-l procps xz bzip2',
    ]);
  });

  it('apk without the community repository: its own words, the step, the way out', async () => {
    manager('apk', ['conmon']);
    const result = await setup();
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('  no such package: conmon\n');
    expect(result.stderr).toContain('host packages runc, conmon, nftables, iproute2: failed (exit 1)');
    expect(result.stderr).toContain('enable the one that has it (Alpine: community), then run npm run setup again');
    expect(calls()).toHaveLength(1);
  });

  it('apt-get: lists first, no questions, no recommended packages, and only what is missing', async () => {
    manager('apt-get');
    script('env', 'shift\nexec "$@"');
    for (const name of ['conmon', ...OPTIONAL]) script(name, 'exit 0');
    expect((await setup()).code).toBe(0);
    expect(calls()).toEqual([
      'apt-get -qq update',
      'apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=30 install runc nftables iproute2',
    ]);
  });

  it('no package manager that it knows: names the packages', async () => {
    const result = await setup();
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(
      'no apt-get, dnf or apk. Install by hand, then run npm run setup again: runc conmon nftables iproute2 tini isal procps xz-utils bzip2',
    );
  });
});
