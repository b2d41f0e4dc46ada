/** The terminal is given back whatever ends the dashboard, and job control works as in any other program (issue 2, paragraph 2). */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../fixtures/engine.ts';
import { waitFor } from '../fixtures/exec.ts';
import { openTerminal, type Terminal } from '../fixtures/terminal.ts';
import { useEngine } from '../fixtures/use-engine.ts';
import { buildOnce, galleyBundle } from './dashboard-kit.ts';

/** Preloaded into node: a signal makes the error that a bug would make. */
const CRASH = `
process.on('SIGUSR2', () => { setImmediate(() => { throw new Error('a bug threw'); }); });
process.on('SIGWINCH', () => { if (process.env.REJECT) void Promise.reject(new Error('a bug rejected')); });
`;

describe.skipIf(!isRoot)('the terminal under the dashboard (needs root)', () => {
  const kitchen = useEngine();
  beforeAll(async () => {
    if (!isRoot) return;
    await buildOnce();
    fs.writeFileSync(path.join(kitchen.engine.folder, 'crash.mjs'), CRASH);
  });

  const env = (more: Record<string, string> = {}) => ({
    PATH: `${path.dirname(process.execPath)}:${process.env.PATH ?? ''}`,
    HOME: kitchen.engine.folder,
    PS1: 'shell> ',
    ...more,
  });
  const dashboard = () => `node ${galleyBundle} -H ${kitchen.engine.host}`;
  const shell = (script: string, more: Record<string, string> = {}) =>
    openTerminal('sh', ['-c', script], { columns: 100, rows: 30, env: env(more) });
  /** The pid of node under the terminal's first process. */
  const nodeUnder = (terminal: Terminal) =>
    waitFor('node', () => {
      const children = fs.readFileSync(`/proc/${terminal.pty.pid}/task/${terminal.pty.pid}/children`, 'utf8');
      return Number(children.trim().split(' ')[0]);
    });
  async function expectWhole(terminal: Terminal): Promise<void> {
    await terminal.shows('whole: ');
    await terminal.exited;
    expect(terminal.emulator.buffer.active.type).toBe('normal');
    expect(terminal.screen()).toMatch(/whole: [\s\S]*[^-]\bicanon\b/);
    expect(terminal.screen()).not.toMatch(/-icanon|-echo\b|-opost|-isig/);
    const output = terminal.output();
    expect(output.lastIndexOf('\x1b[?25h')).toBeGreaterThan(output.lastIndexOf('\x1b[?25l'));
    expect(output.lastIndexOf('\x1b[?1049l')).toBeGreaterThan(output.lastIndexOf('\x1b[?1049h'));
  }
  const after = 'echo "code $?"; echo "whole: $(stty -a | tr "\\n" " ")"';

  it.each<[string, number, (terminal: Terminal, pid: number) => void, string?]>([
    ['q', 0, (terminal) => terminal.write('q')],
    ['ctrl-c', 0, (terminal) => terminal.write('\x03')],
    ['SIGTERM', 143, (_terminal, pid) => process.kill(pid, 'SIGTERM')],
    ['SIGINT', 130, (_terminal, pid) => process.kill(pid, 'SIGINT')],
    ['SIGHUP', 129, (_terminal, pid) => process.kill(pid, 'SIGHUP')],
    ['an exception nobody caught', 1, (_terminal, pid) => process.kill(pid, 'SIGUSR2'), 'a bug threw'],
    ['a rejection nobody caught', 1, (terminal) => terminal.resize(90, 30), 'a bug rejected'],
  ])('is whole after %s', async (_how, code, end, words) => {
    const terminal = shell(`${dashboard()}; ${after}`, {
      NODE_OPTIONS: `--import=${path.join(kitchen.engine.folder, 'crash.mjs')}`,
      REJECT: words === 'a bug rejected' ? '1' : '',
    });
    await terminal.shows('● live');
    end(terminal, await nodeUnder(terminal));
    await terminal.shows(`code ${code}`);
    await expectWhole(terminal);
    if (words) expect(terminal.screen()).toContain(words);
    terminal.close();
  });

  it('leaves nothing running when the terminal goes away', async () => {
    const terminal = shell(`${dashboard()}; ${after}`);
    await terminal.shows('● live');
    const pid = await nodeUnder(terminal);
    terminal.pty.kill('SIGKILL');
    await waitFor('the dashboard to end', () => !fs.existsSync(`/proc/${pid}`));
  });

  it('ends when only the terminal goes away and no signal says so', async () => {
    const terminal = shell(`exec setsid -w ${dashboard()}`);
    await terminal.shows('● live');
    const pid = await nodeUnder(terminal);
    terminal.hangUp();
    await waitFor('the dashboard to end', () => !fs.existsSync(`/proc/${pid}`));
  });

  it.each([
    ['alone', () => dashboard()],
    ['under a waiting parent', () => `sh -c '${dashboard()}; exit 0'`],
    ['under npm', () => `npm --prefix ${kitchen.engine.folder} --silent start`],
  ])('ctrl-z stops the whole job and fg brings it back, %s', async (_how, command) => {
    const { folder } = kitchen.engine;
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ scripts: { start: dashboard() } }));
    const terminal = openTerminal('bash', ['--norc', '-i'], { columns: 100, rows: 30, env: env() });
    await terminal.shows('shell>');
    terminal.write(`${command()}\r`);
    await terminal.shows('● live', 30_000);
    terminal.write('\x1a');
    await terminal.shows('Stopped');
    expect(terminal.emulator.buffer.active.type).toBe('normal');
    terminal.write('echo back in $((20+22)); stty -a | grep -c " icanon"\r');
    await terminal.shows(/back in 42\s+1\b/);
    terminal.write('fg\r');
    await terminal.shows('● live');
    terminal.write('?');
    await terminal.shows('Show the logs');
    terminal.write('q');
    await terminal.hides('Show the logs');
    terminal.write('q');
    await terminal.hides('● live');
    terminal.write('echo ended $?; exit\r');
    await terminal.shows(/ended 0/);
    await terminal.exited;
    terminal.close();
  });

  it('where nothing can stop it, ctrl-z only draws anew', async () => {
    const terminal = shell(`${dashboard()}; ${after}`);
    await terminal.shows('● live');
    terminal.write('\x1a');
    await terminal.shows('● live');
    await waitFor('the screen to be taken back', () => terminal.output().split('\x1b[?1049h').length === 3);
    terminal.write('q');
    await terminal.shows('code 0');
    await expectWhole(terminal);
    terminal.close();
  });

  it('a window that changed while it stood still is filled', async () => {
    const terminal = openTerminal('bash', ['--norc', '-i'], { columns: 100, rows: 30, env: env() });
    await terminal.shows('shell>');
    terminal.write(`${dashboard()}\r`);
    await terminal.shows('● live');
    terminal.write('\x1a');
    await terminal.shows('Stopped');
    terminal.resize(120, 40);
    terminal.write('fg\r');
    await terminal.shows('● live');
    await waitFor(
      'the larger frame',
      () => terminal.lines()[39]?.includes('q quit') && terminal.lines()[1]?.length === 120,
    );
    terminal.write('q');
    await terminal.hides('● live');
    terminal.close();
  });

  it('a stop from outside gives the terminal back too', async () => {
    const terminal = openTerminal('bash', ['--norc', '-i'], { columns: 100, rows: 30, env: env() });
    await terminal.shows('shell>');
    terminal.write(`${dashboard()}\r`);
    await terminal.shows('● live');
    process.kill(await nodeUnder(terminal), 'SIGTSTP');
    await terminal.shows('Stopped');
    expect(terminal.emulator.buffer.active.type).toBe('normal');
    terminal.write('fg\r');
    await terminal.shows('● live');
    terminal.write('q');
    await terminal.hides('● live');
    terminal.close();
  });
});
