/**
 * Set-up as a plain user. The real thing, with a new user, sudo, group and session, is lived through by `npm run test:fresh`; here the
 * user is nobody, and sudo, which hosts of tests lack, is a stand-in that only notes what it was asked to run.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isRoot } from '../fixtures/engine.ts';
import { mustRun, tool } from '../fixtures/exec.ts';
import { openTerminal } from '../fixtures/terminal.ts';
import { type Clone, hostEnv, makeClone } from './setup-kit.ts';

describe.skipIf(!isRoot)('set-up as a plain user (needs root to become one)', () => {
  let clone: Clone;
  let env: Record<string, string>;
  let calls: string;
  const wrapper = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const command = ['npm', 'run', '--silent', 'setup', '--', '--no-packages', '--no-link'];

  beforeAll(async () => {
    clone = await makeClone({ installed: true });
    await mustRun('npm', ['run', 'setup', '--', '--no-packages', '--no-daemon', '--no-link'], {
      cwd: clone.path,
      env: hostEnv,
    });
    const home = path.join(clone.folder, 'home');
    const bin = path.join(clone.folder, 'sudo-bin');
    for (const folder of [home, bin]) fs.mkdirSync(folder);
    fs.chownSync(home, 65534, 65534);
    calls = path.join(home, 'calls');
    fs.writeFileSync(path.join(bin, 'sudo'), `#!/bin/sh\necho "$*" >>${calls}\n`, { mode: 0o755 });
    env = {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: home,
      TERM: 'xterm-256color',
      GALLEY_HOST: `unix://${clone.folder}/nothing.sock`,
      npm_config_update_notifier: 'false',
    };
  });
  afterAll(() => clone?.remove());
  beforeEach(() => fs.rmSync(calls, { force: true }));
  const withSudo = () => ({ ...env, PATH: `${clone.folder}/sudo-bin:${env.PATH}` });
  const asked = () => (fs.existsSync(calls) ? fs.readFileSync(calls, 'utf8').trim().split('\n') : []);
  const start = () => [`${clone.path}/bin/galley daemon start`];

  it('without sudo: shows the root commands, says what to do, ends with 1', async () => {
    const [program = '', ...rest] = [...wrapper, ...command];
    const result = await tool(program, rest, { cwd: clone.path, env });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('galley: these commands need root:\n');
    expect(result.stderr).toContain('  usermod -aG galley nobody\n');
    expect(result.stderr).toContain(`  ${start()[0]}\n`);
    expect(result.stderr).toContain('there is no sudo here: run them as root, then run npm run setup again\n');
  });

  it('with sudo but no terminal: no prompt, nothing run, ends with 1', async () => {
    const [program = '', ...rest] = [...wrapper, ...command];
    const result = await tool(program, rest, { cwd: clone.path, env: withSudo(), input: 'y\n' });
    expect(result.code).toBe(1);
    expect(result.stderr).not.toContain('[y/N]');
    expect(result.stderr).toContain('nothing was changed');
    expect(asked()).toEqual([]);
  });

  it.each([
    ['Enter', '\r'],
    ['n', 'n\r'],
    ['Ctrl-D', '\u0004'],
    ['another word', 'maybe\r'],
  ])('%s is No', async (_, keys) => {
    const [program = '', ...rest] = [...wrapper, ...command];
    const terminal = openTerminal(program, rest, { columns: 120, rows: 30, cwd: clone.path, env: withSudo() });
    await terminal.shows('Run them through sudo now? [y/N]');
    terminal.write(keys);
    expect(await terminal.exited).toBe(1);
    expect(terminal.screen()).toContain('nothing was changed');
    expect(asked()).toEqual([]);
    terminal.close();
  });

  it('y runs each of the commands shown through sudo, in that order', async () => {
    const [program = '', ...rest] = [...wrapper, ...command];
    const terminal = openTerminal(program, rest, { columns: 120, rows: 30, cwd: clone.path, env: withSudo() });
    await terminal.shows('Run them through sudo now? [y/N]');
    const shown = terminal
      .lines()
      .filter((line) => line.startsWith('  '))
      .map((line) => line.trim());
    terminal.write('y\r');
    expect(await terminal.exited).toBe(0);
    // The first only lets sudo ask for its password before any progress is drawn.
    expect(asked()).toEqual(['true', ...shown]);
    expect(shown.slice(-1)).toEqual(start());
    terminal.close();
  });

  it('--yes asks nothing', async () => {
    const [program = '', ...rest] = [...wrapper, ...command, '--yes'];
    const result = await tool(program, rest, { cwd: clone.path, env: withSudo() });
    expect(result.code).toBe(0);
    expect(asked().slice(-1)).toEqual(start());
  });
});
