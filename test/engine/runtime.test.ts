/** conmon and runc for real; needs root. */
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExecRequest, TaskStream } from '../../daemon/runtime/index.ts';
import { isRoot, type Kit, makeKit } from './runtime-kit.ts';

function collect(stream: TaskStream): { text(): string; ended: Promise<void>; until(part: string): Promise<void> } {
  let text = '';
  let look = () => {};
  stream.onData((_from, data) => {
    text += data.toString();
    look();
  });
  return {
    text: () => text,
    ended: new Promise((resolve) => stream.onEnd(resolve)),
    until: (part) =>
      new Promise((resolve) => {
        look = () => {
          if (text.includes(part)) resolve();
        };
        look();
      }),
  };
}

describe.skipIf(!isRoot)('runtime over conmon and runc (root)', () => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await makeKit();
  });
  afterAll(() => kit.close());

  async function running(script: string, wish: Partial<Parameters<Kit['request']>[0]> = {}) {
    const task = kit.request({ args: ['sh', '-c', script], ...wish });
    const identity = await kit.runtime.create(task);
    const stream = await kit.runtime.attach(task.id);
    const seen = collect(stream);
    await kit.runtime.start(task.id);
    return { id: task.id, task, identity, stream, seen };
  }
  const execOf = (id: string, task: { spec: { process: ExecRequest['process'] } }, script: string): ExecRequest => ({
    containerId: id,
    execId: `e${Math.random().toString(16).slice(2)}`,
    process: { ...task.spec.process, terminal: false, args: ['sh', '-c', script] },
    stdin: false,
    tty: false,
    attach: true,
    runtime: 'runc',
  });

  it('separates stdout and stderr and gives the exit code', async () => {
    expect(await kit.output({ args: ['sh', '-c', 'echo hi; echo no >&2; exit 7'] })).toEqual({
      out: 'hi\n',
      err: 'no\n',
      exitCode: 7,
    });
  });

  it('runs with Docker’s default capabilities, seccomp and masked paths', async () => {
    const { out } = await kit.output({
      args: ['sh', '-c', 'cat /proc/self/status; ls /proc/acpi 2>&1 | wc -l; hostname'],
    });
    expect(out).toMatch(/CapEff:\s+00000000a80425fb/);
    expect(out).toMatch(/Seccomp:\s+2/);
    expect(out).toMatch(/box\n$/);
  });

  it.each([
    ['foo', /exec: "foo": executable file not found in \$PATH/],
    ['/nope', /exec: "\/nope": stat \/nope: no such file or directory/],
    ['/bin/data', /exec: "\/bin\/data": permission denied/],
  ])('says in runc’s words why %s does not start, and leaves nothing', async (command, words) => {
    const task = kit.request({ args: [command] });
    await expect(kit.runtime.create(task)).rejects.toThrow(words);
    await kit.runtime.remove(task.id);
    expect(await kit.runtime.bundles()).not.toContain(task.id);
  });

  it('carries 300,000 bytes of stdin through cat and ends it by half-close', async () => {
    const { id, stream, seen } = await running('cat', { stdin: true });
    const sent = 'abcdefghi\n'.repeat(30_000);
    await stream.write(Buffer.from(sent));
    stream.endInput();
    expect((await kit.runtime.exited(id)).exitCode).toBe(0);
    await seen.ended;
    expect(seen.text() === sent).toBe(true);
    await kit.runtime.remove(id);
  });

  it('resizes a terminal', async () => {
    const { id, stream, seen } = await running('read x; stty size', { stdin: true, tty: true });
    await kit.runtime.resize(id, 40, 123);
    await stream.write(Buffer.from('\n'));
    await kit.runtime.exited(id);
    await seen.ended;
    expect(seen.text()).toContain('40 123');
    await kit.runtime.remove(id);
  });

  it('executes beside it, attached and detached, and names what cannot be executed', async () => {
    const { id, task } = await running('sleep 60');
    const exec = await kit.runtime.exec(execOf(id, task, 'echo in; exit 5'));
    const seen = exec.stream && collect(exec.stream);
    await exec.start();
    expect(await exec.exited()).toBe(5);
    await seen?.ended;
    expect(seen?.text()).toBe('in\n');
    const detached = await kit.runtime.exec({ ...execOf(id, task, 'exit 3'), attach: false });
    await detached.start();
    expect(await detached.exited()).toBe(3);
    const bad = execOf(id, task, '');
    bad.process.args = ['foo'];
    const failing = await kit.runtime.exec(bad);
    await expect(failing.start()).rejects.toThrow(/executable file not found/);
    await kit.runtime.remove(id);
  });

  it('pauses, resumes, samples, lists and kills', async () => {
    const { id, identity } = await running('sleep 60');
    expect(await kit.runtime.status(id, identity)).toBe('running');
    await kit.runtime.pause(id);
    expect(await kit.runtime.status(id, identity)).toBe('paused');
    await kit.runtime.resume(id);
    expect(await kit.runtime.status(id, identity)).toBe('running');
    expect(await kit.runtime.processes(id)).toContain(identity.pid);
    const sample = await kit.runtime.sample(id, identity.pid);
    expect(sample.cpu_stats.cpu_usage.total_usage).toBeGreaterThan(0);
    expect(sample.memory_stats.usage).toBeGreaterThan(0);
    const top = await kit.runtime.top(id, '-ef');
    expect(top.Titles).toContain('PID');
    expect(top.Processes.length).toBeGreaterThan(0);
    await kit.runtime.kill(id, 9);
    expect((await kit.runtime.exited(id)).exitCode).toBe(137);
    expect(await kit.runtime.status(id, identity)).toBe('stopped');
    await kit.runtime.kill(id, 9); // gone is no error
    await kit.runtime.remove(id);
  });

  it('reopens its log after a rename', async () => {
    const { id, task, stream, seen } = await running('echo one; read x; echo two', { stdin: true });
    await seen.until('one');
    const log = task.logPath ?? '';
    renameSync(log, `${log}.1`);
    await kit.runtime.reopenLog(id);
    while (!existsSync(log)) await new Promise((resolve) => setTimeout(resolve, 5));
    await stream.write(Buffer.from('\n'));
    await kit.runtime.exited(id);
    await seen.ended;
    expect(readFileSync(`${log}.1`, 'utf8')).toContain('stdout F one');
    expect(readFileSync(log, 'utf8')).toContain('stdout F two');
    await kit.runtime.remove(id);
  });

  it('is found by the next daemon, which hears its exit', async () => {
    const { id, identity } = await running('read x; exit 9', { stdin: true });
    const next = kit.again();
    expect(await next.bundles()).toContain(id);
    expect(await next.status(id, identity)).toBe('running');
    const exited = next.exited(id);
    const stream = await next.attach(id);
    await stream.write(Buffer.from('\n'));
    expect((await exited).exitCode).toBe(9);
    await next.remove(id);
  });

  it('leaves no bundle, state, exit file or cgroup, and removes twice without an error', async () => {
    const { id } = await running('sleep 60');
    await kit.runtime.remove(id);
    await kit.runtime.remove(id);
    expect(await kit.runtime.bundles()).toEqual([]);
    const left = readdirSync(path.join(kit.folder, 'run'), { recursive: true }).filter((name) =>
      String(name).includes(id),
    );
    expect(left).toEqual([]);
    const groups = readdirSync('/sys/fs/cgroup').filter((top) => existsSync(`/sys/fs/cgroup/${top}/${kit.name}/${id}`));
    expect(groups).toEqual([]);
  });
});
