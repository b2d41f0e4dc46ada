/** Set-up that meets trouble: it shows the tool's own last words, names the step and the way out, ends with 1, and goes on the next time. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../fixtures/engine.ts';
import { mustRun, type ToolResult, tool } from '../fixtures/exec.ts';
import { type Clone, hostEnv, makeClone } from './setup-kit.ts';

/** Whether the Node of the host itself would do, so that nothing is too old here. */
const hostNodeIsNew = /^v(2[3-9]|[3-9]\d|22\.(19|[2-9]\d))/.test(
  execFileSync('node', ['--version'], { encoding: 'utf8', env: hostEnv }),
);
const quiet = ['--no-packages', '--no-daemon', '--no-link'];

describe.skipIf(!isRoot)('set-up in trouble (needs root)', () => {
  let clone: Clone;
  beforeAll(async () => {
    clone = await makeClone({ installed: false });
  });
  afterAll(() => clone?.remove());

  /** Runs `npm run setup` in the clone through `wrapper`, a command that runs the rest of its line. */
  const setup = (wrapper: string[], env: NodeJS.ProcessEnv = {}): Promise<ToolResult> => {
    const [program = '', ...rest] = [...wrapper, 'npm', 'run', '--silent', 'setup', '--', ...quiet];
    return tool(program, rest, {
      cwd: clone.path,
      env: { ...hostEnv, HOME: clone.folder, ...env },
      timeoutMs: 400_000,
    });
  };

  it('without a network, then with one: the second start installs what the first could not', {
    timeout: 900_000,
  }, async () => {
    const cut = await setup(['unshare', '--net'], { npm_config_cache: path.join(clone.folder, 'empty-cache') });
    expect(cut.code).toBe(1);
    expect(cut.stderr).toMatch(
      /^galley: npm packages …\n( {2}npm error .*\n)+galley: npm packages: failed \(exit \d+\)/,
    );
    expect(cut.stderr).toContain('The network does not answer');
    expect(cut.stderr).toContain('then run npm run setup again');
    expect(fs.existsSync(path.join(clone.path, 'dist'))).toBe(false);

    const whole = await setup(['env']);
    expect(whole.code).toBe(0);
    expect(whole.stderr).toMatch(/npm packages: done in .*\n.*build: done in/);
    expect(await setup(['env'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('on a full disk', { timeout: 500_000 }, async () => {
    const modules = path.join(clone.path, 'node_modules');
    const script = `mount -t tmpfs -o size=4m,nr_inodes=0 tmpfs ${modules} && exec "$@"`;
    const full = await setup(['unshare', '--mount', 'sh', '-c', script, 'sh']);
    expect(full.code).toBe(1);
    expect(full.stderr).toContain('npm packages: failed');
    expect(full.stderr).toContain('The disk is full: make room');
  });

  it.skipIf(hostNodeIsNew)('where galley’s own Node cannot start and the host’s is too old', async () => {
    const own = path.join(clone.path, `node_modules/node-linux-${process.arch}/bin/node`);
    fs.renameSync(own, `${own}.away`);
    fs.writeFileSync(own, '', { mode: 0o755 });
    const result = await setup(['env']);
    fs.renameSync(`${own}.away`, own);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(
      /^galley: galley's own Node does not start on this host, and the host's is \d+\.\d+\.\d+, which is too old\.\n.*Install Node 22\.19/,
    );
  });

  it('a source that does not build', async () => {
    const file = path.join(clone.path, 'src/main.ts');
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, `${text}\nconst broken = ;\n`);
    const broken = await setup(['env']);
    fs.writeFileSync(file, text);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain('src/main.ts');
    expect(broken.stderr).toMatch(/build: failed.*\ngalley: Put it right, then run npm run setup again/);
    expect((await mustRun(path.join(clone.path, 'bin/galley'), ['--version'], { env: hostEnv })).trim()).toMatch(
      /^galley version/,
    );
  });
});
