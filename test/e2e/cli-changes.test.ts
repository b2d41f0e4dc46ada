/** Commands that change, copy out and clean up: each as the docker CLI does it, on an engine that both see in the same state. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { mustRun, tool } from '../fixtures/exec.ts';
import { useEngine } from '../fixtures/use-engine.ts';
import { galleyProgram } from './cli-target.ts';

describe.skipIf(!isRoot)('galley changes and cleans up (needs root)', () => {
  const kitchen = useEngine();
  let docker: DockerCli;
  beforeAll(async () => {
    docker = await dockerCli(kitchen.engine.host);
    await docker.must(['pull', '-q', 'busybox']);
  });
  afterAll(() => docker?.close());
  const galley = (...args: string[]) => tool(process.execPath, [...galleyProgram, ...args], { env: docker.env });
  const must = async (...args: string[]) => {
    const result = await galley(...args);
    expect(result.stderr, args.join(' ')).toBe('');
    expect(result.code, args.join(' ')).toBe(0);
    return result.stdout.trimEnd();
  };

  it('update: what is said, and what the container has then', async () => {
    await docker.must(['run', '-d', '--name', 'up', 'busybox', 'sleep', '600']);
    const flags = '-m 64m --memory-swap 128m --cpus 1.5 --pids-limit 50 --restart on-failure:3'.split(' ');
    expect(await must('update', ...flags, 'up')).toBe('up');
    const format =
      '{{.HostConfig.Memory}} {{.HostConfig.NanoCPUs}} {{.HostConfig.PidsLimit}} {{.HostConfig.RestartPolicy}}';
    expect(await must('inspect', '-f', format, 'up')).toBe('67108864 1500000000 50 {on-failure 3}');
    expect(await must('update', '-c', '512', 'up')).toBe('up');
    expect(await must('inspect', '-f', '{{.HostConfig.CpuShares}} {{.HostConfig.Memory}}', 'up')).toBe('512 67108864');
    for (const args of [['up'], ['-m', '64m', 'nosuch'], ['--restart', 'nonsense', 'up'], ['-m', 'x', 'up']]) {
      const [ours, theirs] = [await galley('update', ...args), await docker.run(['update', ...args])];
      expect(ours.code, args.join(' ')).toBe(theirs.code);
      expect(ours.stderr, args.join(' ')).toBe(theirs.stderr.replaceAll('docker update', 'galley update'));
    }
    await docker.must(['rm', '-f', 'up']);
  });

  it('diff, export and commit agree with what is in the container', async () => {
    await docker.must([
      'run',
      '--name',
      'made',
      'busybox',
      'sh',
      '-c',
      'echo hi > /new; rm /bin/yes; touch /etc/passwd',
    ]);
    expect(await must('diff', 'made')).toBe(await docker.must(['diff', 'made']));
    expect(await must('diff', 'made')).toContain('A /new');
    const file = path.join(kitchen.engine.folder, 'made.tar');
    expect(await must('export', '-o', file, 'made')).toBe('');
    expect(await mustRun('tar', ['-xOf', file, 'new'])).toBe('hi\n');
    expect(fs.readdirSync(kitchen.engine.folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const piped = await tool(
      'sh',
      ['-c', '"$0" "$@" | tar -xO new', process.execPath, ...galleyProgram, 'export', 'made'],
      {
        env: docker.env,
      },
    );
    expect(piped.stdout).toBe('hi\n');
    const id = await must('commit', '-m', 'by hand', '-a', 'me', '-c', 'CMD ["cat", "/new"]', 'made', 'made:v1');
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await must('run', '--rm', 'made:v1')).toBe('hi');
    expect((await galley('commit', 'made', 'UPPER')).stderr).toContain('must be lowercase');
    expect((await galley('export', 'nosuch')).code).toBe(1);
    await docker.must(['rm', 'made']);
    await docker.must(['rmi', 'made:v1']);
  });

  it('network connect and disconnect', async () => {
    await docker.must(['network', 'create', 'side']);
    await docker.must(['run', '-d', '--name', 'joins', 'busybox', 'sleep', '600']);
    expect(await must('network', 'connect', '--alias', 'other', 'side', 'joins')).toBe('');
    const joined = await must('inspect', '-f', '{{json .NetworkSettings.Networks.side.Aliases}}', 'joins');
    expect(JSON.parse(joined)).toContain('other');
    expect(await must('network', 'disconnect', 'side', 'joins')).toBe('');
    for (const args of [
      ['disconnect', 'side', 'joins'],
      ['connect', 'nosuch', 'joins'],
      ['connect', 'side', 'nosuch'],
      ['connect', 'side'],
    ]) {
      const [ours, theirs] = [await galley('network', ...args), await docker.run(['network', ...args])];
      expect(ours.code, args.join(' ')).toBe(theirs.code);
      expect(ours.stderr, args.join(' ')).toBe(
        theirs.stderr
          .replace('docker:', 'galley:')
          .replaceAll("'docker ", "'galley ")
          .replace('Usage:  docker', 'Usage:  galley'),
      );
    }
    await docker.must(['rm', '-f', 'joins']);
    await docker.must(['network', 'rm', 'side']);
  });

  it('prune and system df: no question without a terminal, the same words, nothing that is used goes', async () => {
    const fill = async () => {
      await docker.must(['create', '--name', 'old', '-v', '/data', 'busybox']);
      await docker.must(['network', 'create', 'unused']);
    };
    await docker.must(['run', '-d', '--name', 'stays', 'busybox', 'sleep', '600']);
    for (const kind of ['container', 'network', 'volume', 'image', 'system']) {
      const refused = await galley(kind, 'prune');
      expect(refused.code, kind).toBe(1);
      expect(refused.stderr, kind).toContain('--force');
    }
    const still = (text: string) => text.replace(/[0-9a-f]{64}/g, 'ID');
    for (const args of [
      ['container', 'prune', '-f'],
      ['network', 'prune', '-f'],
      ['system', 'prune', '-f', '--volumes'],
    ]) {
      await docker.must(['volume', 'prune', '-f']);
      await fill();
      const theirs = await docker.run(args);
      if (args[0] === 'container') await docker.must(['network', 'rm', 'unused']);
      if (args[0] === 'network') await docker.must(['rm', '-v', 'old']);
      await fill();
      const ours = await galley(...args);
      expect(still(ours.stdout), args.join(' ')).toBe(still(theirs.stdout));
      expect(ours.code).toBe(0);
      await docker.run(['rm', '-v', 'old']);
      await docker.run(['network', 'rm', 'unused']);
      await docker.must(['volume', 'prune', '-f']);
    }
    const withoutBuild = (text: string) => text.replace(/^Build Cache.*\n/m, '');
    expect((await galley('system', 'df')).stdout).toBe(withoutBuild((await docker.run(['system', 'df'])).stdout));
    expect(JSON.parse((await must('system', 'df', '--format', 'json')).split('\n')[1] ?? '')).toMatchObject({
      Type: 'Containers',
      TotalCount: '1',
      Active: '1',
    });
    expect(await must('system', 'df', '-v')).toMatch(/Images space usage:[\s\S]*busybox[\s\S]*stays/);
    expect(await must('ps', '--format', '{{.Names}}')).toBe('stays');
    await docker.must(['rm', '-f', 'stays']);
  });
});
