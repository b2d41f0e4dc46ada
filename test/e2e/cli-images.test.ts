/** galley's image commands as processes, against galleyd and against Debian's dockerd: the same words from both (needs root). */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../fixtures/engine.ts';
import { type ToolOptions, tool } from '../fixtures/exec.ts';
import { galleyProgram, TARGETS, type Target } from './cli-target.ts';

describe.skipIf(!isRoot).each(TARGETS)('image commands on %s (needs root)', (_name, start) => {
  let target: Target;
  let folder: string;
  beforeAll(async () => {
    target = await start();
    folder = mkdtempSync(path.join(tmpdir(), 'galley-cli-images-'));
    await galley(['pull', '-q', target.image]);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await target?.stop();
  });
  const galley = (args: readonly string[], options: ToolOptions = {}) =>
    tool(process.execPath, [...galleyProgram, '-H', target.host, ...args], options);
  async function must(args: readonly string[], options: ToolOptions = {}): Promise<string> {
    const result = await galley(args, options);
    if (result.code !== 0) throw new Error(`galley ${args.join(' ')} exited ${result.code}: ${result.stderr}`);
    return result.stdout;
  }

  it('pushes: the reference on stdout, the rest on stderr', async () => {
    const to = `${target.registry}/pushed:v1`;
    await must(['tag', target.image, to]);
    const pushed = await galley(['push', to]);
    expect(pushed.stdout).toBe(`${to}\n`);
    expect(pushed.stderr).toContain(`The push refers to repository [${target.registry}/pushed]`);
    expect(pushed.stderr).toMatch(/v1: digest: sha256:[0-9a-f]{64} size: \d+/);
    const absent = await galley(['push', `${target.registry}/absent`]);
    expect(absent.code).toBe(1);
    expect(absent.stdout).toBe('');
    expect(absent.stderr).toContain(`An image does not exist locally with the tag: ${target.registry}/absent`);
    expect((await galley(['push', '-a', `${to}`])).stderr).toContain("tag can't be used with --all-tags/-a");
    await must(['rmi', to]);
  });

  it('saves to a file, which is whole or absent, and loads it again; through a pipe, too', async () => {
    const file = path.join(folder, 'image.tar');
    await must(['tag', target.image, 'saved:v1']);
    await must(['save', '-o', file, 'saved:v1']);
    expect(readdirSync(folder)).toEqual(['image.tar']);
    await must(['rmi', 'saved:v1']);
    expect(await must(['load', '-i', file])).toBe('Loaded image: saved:v1\n');
    const piped = execFileSync('sh', [
      '-c',
      `${[process.execPath, ...galleyProgram].join(' ')} -H ${target.host} save saved:v1 | gzip | ${[process.execPath, ...galleyProgram].join(' ')} -H ${target.host} load -q`,
    ]).toString();
    expect(piped).toBe('Loaded image: saved:v1\n');
    const absent = await galley(['save', '-o', path.join(folder, 'no.tar'), 'absent']);
    expect(absent.code).toBe(1);
    expect(absent.stderr).toContain('No such image: absent');
    expect(existsSync(path.join(folder, 'no.tar'))).toBe(false);
    const missing = await galley(['load', '-i', path.join(folder, 'missing.tar')]);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('missing.tar');
    await must(['rmi', 'saved:v1']);
  });

  it('imports with changes and shows the history', async () => {
    mkdirSync(path.join(folder, 'root'));
    writeFileSync(path.join(folder, 'root/hello'), 'hello\n');
    execFileSync('tar', ['-C', path.join(folder, 'root'), '-cf', path.join(folder, 'root.tar'), '.']);
    const changes = ['-c', 'CMD ["/hello"]', '-c', 'LABEL a=b', '-m', 'by hand'];
    const id = (await must(['import', ...changes, path.join(folder, 'root.tar'), 'imported:v1'])).trim();
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await must(['image', 'inspect', '-f', '{{json .Config.Cmd}} {{json .Config.Labels}}', 'imported:v1'])).toBe(
      '["/hello"] {"a":"b"}\n',
    );
    const again = await must(['import', '-', 'imported:v2'], { input: readFileSync(path.join(folder, 'root.tar')) });
    expect(again).toMatch(/^sha256:/);
    const table = await must(['history', 'imported:v1']);
    expect(table).toMatch(/^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n/);
    expect(table).toMatch(new RegExp(`${id.slice(7, 19)} .*6B +by hand`));
    expect(await must(['history', '-q', '--no-trunc', 'imported:v1'])).toBe(`${id}\n`);
    expect(await must(['history', '--format', '{{.Size}} {{.Comment}}', '-H=false', 'imported:v1'])).toBe(
      '6 by hand\n',
    );
    expect((await galley(['import', '-c', 'RUN x', path.join(folder, 'root.tar')])).stderr).toContain(
      'run is not a valid change command',
    );
    await must(['rmi', 'imported:v1', 'imported:v2']);
  });

  it('prunes what has no name, and with -a what no container uses; asks before it does', async () => {
    execFileSync('tar', ['-C', folder, '-cf', path.join(folder, 'small.tar'), 'root']);
    const id = (await must(['import', path.join(folder, 'small.tar')])).trim();
    const refused = await galley(['image', 'prune'], { input: '' });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('WARNING! This will remove all dangling images.');
    const pruned = await must(['image', 'prune', '-f']);
    expect(pruned).toContain(`deleted: ${id}`);
    expect(pruned).toMatch(/Total reclaimed space: \d/);
    expect(await must(['image', 'prune', '-f'])).toBe('Total reclaimed space: 0B\n');
    await must(['tag', target.image, 'unused:v1']);
    await must(['create', '--name', 'keeper', target.image]);
    await must(['image', 'prune', '-af', '--filter', 'until=1h']);
    expect(await must(['images', '-q', target.image])).not.toBe('');
    await must(['rm', 'keeper']);
  });
});

const galleyd = TARGETS.find(([name]) => name === 'galleyd')?.[1];
describe.skipIf(!isRoot || !galleyd)('search (needs root)', () => {
  let target: Target;
  beforeAll(async () => {
    if (galleyd) target = await galleyd();
  });
  afterAll(() => target?.stop());

  it('lists what a registry without a search of its own holds, and refuses a bad limit', async () => {
    const galley = (...args: string[]) => tool(process.execPath, [...galleyProgram, '-H', target.host, ...args]);
    const found = await galley('search', `${target.registry}/busy`);
    expect(found.stdout).toMatch(/^NAME +DESCRIPTION +STARS +OFFICIAL\nlibrary\/busybox +0/);
    const limit = await galley('search', '--limit', '200', 'x');
    expect(limit.code).toBe(1);
    expect(limit.stderr).toContain('Limit 200 is outside the range of [1, 100]');
  });
});
