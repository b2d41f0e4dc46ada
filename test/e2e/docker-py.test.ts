/** docker-py (Debian's python3-docker) over its public API: another client than the CLI, with habits of its own (issue 3). */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { unpackedDebs } from '../fixtures/debs.ts';
import { dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { tool } from '../fixtures/exec.ts';
import { useEngine } from '../fixtures/use-engine.ts';

const PACKAGES = [
  'docker',
  'requests',
  'urllib3',
  'websocket',
  'six',
  'packaging',
  'certifi',
  'chardet',
  'charset-normalizer',
  'idna',
];

describe.skipIf(!isRoot || !existsSync('/usr/bin/python3'))('docker-py (needs root and python3)', () => {
  const kitchen = useEngine();
  let libraries: string;
  beforeAll(async () => {
    const packages = PACKAGES.map((name) => `python3-${name}`);
    libraries = path.join(await unpackedDebs('python3-docker', packages), 'usr/lib/python3/dist-packages');
    const docker = await dockerCli(kitchen.engine.host);
    await docker.must(['pull', '-q', 'busybox']);
    docker.close();
  });

  it('runs, attaches, executes, copies, watches and lists as it does with dockerd', async () => {
    const result = await tool('/usr/bin/python3', ['-W', 'ignore', path.join('docker-py', 'ground.py')], {
      cwd: import.meta.dirname,
      env: {
        PATH: process.env['PATH'],
        DOCKER_HOST: kitchen.engine.host,
        PYTHONPATH: libraries,
        PYTHONDONTWRITEBYTECODE: '1',
      },
      timeoutMs: 170_000,
    });
    // unittest tells each test by name on stderr.
    expect(result.code === 0 ? '' : result.stderr).toBe('');
    expect(result.stderr).toMatch(/Ran 15 tests/);
  }, 180_000);
});
