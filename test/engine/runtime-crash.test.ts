/** What the runtime says when a part of it is killed, taken away or slow: each of these was wrong once. Needs root. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExecRequest, TaskRequest } from '../../daemon/runtime/index.ts';
import { findTool } from '../../daemon/system/find-tool.ts';
import { waitFor } from '../fixtures/exec.ts';
import { isRoot, type Kit, makeKit } from './runtime-kit.ts';

describe.skipIf(!isRoot)('the runtime when something breaks (root)', () => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await makeKit();
  });
  afterAll(() => kit.close());

  const up = async (script: string, more: Partial<TaskRequest> = {}) => {
    const task = { ...kit.request({ args: ['sh', '-c', script] }), ...more };
    const identity = await kit.runtime.create(task);
    await kit.runtime.start(task.id);
    return { id: task.id, task, identity };
  };
  const execOf = ({ id, task }: { id: string; task: TaskRequest }, script: string): ExecRequest => ({
    containerId: id,
    execId: `e${Math.random().toString(16).slice(2)}`,
    process: { ...task.spec.process, terminal: false, args: ['sh', '-c', script] },
    stdin: false,
    tty: false,
    attach: true,
    runtime: 'runc',
  });
  const conmonOf = (folder: string) => Number(readFileSync(path.join(folder, 'conmon.pid'), 'utf8'));
  const bundle = (id: string) => path.join(kit.folder, 'run/b', id);
  const execFolders = () => readdirSync(path.join(kit.folder, 'run/x'));

  it('answers whoever waits for the exit of a container that is removed', async () => {
    const { id } = await up('sleep 60');
    const exited = kit.runtime.exited(id);
    await kit.runtime.remove(id);
    expect((await exited).exitCode).toBeGreaterThan(0);
  });

  it('reports 255 as soon as a container ends whose conmon was killed, also to the next daemon', async () => {
    const { id, identity } = await up('sleep 60');
    const exited = kit.runtime.exited(id);
    process.kill(conmonOf(bundle(id)), 'SIGKILL');
    expect(await Promise.race([exited, sleep(50, 'running')])).toBe('running');
    process.kill(identity.pid, 'SIGKILL');
    expect((await exited).exitCode).toBe(255);
    expect((await kit.again().exited(id)).exitCode).toBe(255);
    await kit.runtime.remove(id);
  });

  it('hears of an end without a watch on the exit files', async () => {
    // As where the kernel has no inotify instance left: the folder is not there to be watched.
    const exits = path.join(kit.folder, 'run/exits');
    const { id } = await up('read x; exit 6', { stdin: true });
    renameSync(exits, `${exits}-away`);
    const exited = kit.runtime.exited(id);
    renameSync(`${exits}-away`, exits);
    const stream = await kit.runtime.attach(id);
    await stream.write(Buffer.from('\n'));
    expect((await exited).exitCode).toBe(6);
    await kit.runtime.remove(id);
  });

  it('kills no stranger that got the PID of a container', async () => {
    const { id } = await up('true');
    await kit.runtime.exited(id);
    const file = path.join(bundle(id), 'task.json');
    const task = JSON.parse(readFileSync(file, 'utf8')) as { init: { pid: number } };
    task.init.pid = process.pid; // its start time is another one
    writeFileSync(file, JSON.stringify(task));
    await kit.runtime.kill(id, 9);
    await kit.runtime.remove(id);
  });

  it('says that nobody takes a resize or a reopened log when conmon is gone', async () => {
    const { id } = await up('sleep 60');
    const conmon = conmonOf(bundle(id));
    process.kill(conmon, 'SIGKILL');
    await waitFor('the end of conmon', () => !existsSync(`/proc/${conmon}`));
    await expect(kit.runtime.resize(id, 10, 10)).rejects.toThrow(/conmon does not answer: ENXIO/);
    rmSync(path.join(bundle(id), 'ctl'));
    await expect(kit.runtime.reopenLog(id)).rejects.toThrow(/conmon does not answer: ENOENT/);
    await kit.runtime.remove(id);
  });

  it.each([
    [['foo'], 127, /executable file not found/],
    [['/bin/data'], 126, /permission denied/],
  ])('gives an exec of %s that cannot start the code %i and leaves no folder', async (args, code, words) => {
    const box = await up('sleep 60');
    const request = execOf(box, '');
    request.process.args = args;
    const exec = await kit.runtime.exec(request);
    await expect(exec.start()).rejects.toThrow(words);
    expect(await exec.exited()).toBe(code);
    await waitFor('the end of its folder', () => execFolders().length === 0);
    await kit.runtime.remove(box.id);
  });

  it('holds an exec up while its reader rests, and gives it every byte afterwards', async () => {
    const box = await up('sleep 60');
    const exec = await kit.runtime.exec(execOf(box, 'dd if=/dev/zero bs=1M count=20; echo end >/tmp/dd-is-over'));
    const over = path.join(kit.rootfs, 'tmp/dd-is-over');
    let bytes = 0;
    let heardAfterPause = 0;
    let paused = false;
    exec.stream?.onData((from, data) => {
      if (from !== 1) return;
      bytes += data.length;
      if (paused) heardAfterPause += data.length;
      if (!paused && bytes > 1 << 20) {
        exec.stream?.pause();
        paused = true;
      }
    });
    const ended = new Promise<void>((resolve) => exec.stream?.onEnd(resolve));
    await exec.start();
    await waitFor('the pause', () => paused);
    heardAfterPause = 0;
    await sleep(300);
    expect(heardAfterPause).toBe(0);
    expect(existsSync(over)).toBe(false);
    exec.stream?.resume();
    expect(await exec.exited()).toBe(0);
    await ended;
    expect(bytes).toBe(20 << 20);
    expect(existsSync(over)).toBe(true);
    await kit.runtime.remove(box.id);
  });

  it('cleans up behind execs that a killed daemon left, when their conmon ends and not before', async () => {
    const box = await up('sleep 60');
    const exec = await kit.runtime.exec(execOf(box, 'sleep 60'));
    const { pid } = await exec.start();
    const stale = path.join(kit.folder, 'run/x/stale');
    mkdirSync(stale);
    writeFileSync(path.join(stale, 'conmon.pid'), '1');
    // The folder as a former daemon left it: this one's own clean-up must not be what removes it.
    const [folder = ''] = execFolders().filter((name) => name !== 'stale');
    kit.again();
    expect(execFolders()).toEqual([folder]);
    process.kill(pid, 'SIGKILL');
    expect(await exec.exited()).toBe(137);
    await waitFor('the end of its folder', () => execFolders().length === 0);
    mkdirSync(path.join(kit.folder, 'run/x', folder), { recursive: true });
    kit.again();
    expect(execFolders()).toEqual([]);
    await kit.runtime.remove(box.id);
  });

  it('keeps the state of another runtime apart, and drives it by its command line', async () => {
    const other = path.join(kit.folder, 'otherc');
    symlinkSync(findTool('runc'), other);
    const { id, identity } = await up('sleep 60', { runtime: other });
    expect(existsSync(path.join(kit.folder, 'run/s/otherc', id))).toBe(true);
    expect(await kit.runtime.status(id, identity)).toBe('running');
    await kit.runtime.pause(id);
    await kit.runtime.resume(id);
    const exec = await kit.runtime.exec({ ...execOf({ id, task: kit.request({ args: [] }) }, 'exit 4') });
    await exec.start();
    expect(await exec.exited()).toBe(4);
    await kit.runtime.remove(id);
    expect(readdirSync(path.join(kit.folder, 'run/s/otherc'))).toEqual([]);
  });

  it('names a runtime that the host does not have', async () => {
    const task = { ...kit.request({ args: ['true'] }), runtime: '/nowhere/runx' };
    await expect(kit.runtime.create(task)).rejects.toThrow('/nowhere/runx: no such program on this host');
    expect(await kit.runtime.bundles()).not.toContain(task.id);
  });

  it('hears of the out-of-memory killer from the kernel, whatever conmon has seen', async () => {
    const task = kit.request({
      args: ['sh', '-c', '(dd if=/dev/zero of=/dev/null bs=60M count=1); sleep 60'],
      hostConfig: { Memory: 16 << 20, MemorySwap: 16 << 20 },
    });
    await kit.runtime.create(task);
    await kit.runtime.start(task.id);
    const counter = path.join('/sys/fs/cgroup/memory', kit.name, task.id, 'memory.oom_control');
    await waitFor('the kill', () => !existsSync(counter) || /oom_kill [1-9]/.test(readFileSync(counter, 'utf8')));
    rmSync(path.join(bundle(task.id), 'oom'), { force: true });
    await kit.runtime.kill(task.id, 9);
    expect(await kit.runtime.exited(task.id)).toMatchObject({ exitCode: 137, oomKilled: true });
    await kit.runtime.remove(task.id);
  });
});
