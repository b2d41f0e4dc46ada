/** What a runtime does at the edges: out of memory, execs that come too late, processes that outlive the first one. Needs root. */
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSameProcess } from '../../daemon/system/processes.ts';
import { bindPort, closeDescriptor, makeNode } from '../../daemon/system/syscalls.ts';
import { isRoot, type Kit, makeKit } from './runtime-kit.ts';

/** Command lines of the processes that name the kit's folder. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes(`${folder}/`) ? [line] : [];
      } catch {
        return []; // it ended while we looked
      }
    });
}

describe.skipIf(!isRoot)('the runtime at its edges (root)', () => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await makeKit();
  });
  afterAll(() => kit.close());

  const up = async (wish: Parameters<Kit['request']>[0]) => {
    const task = kit.request(wish);
    const identity = await kit.runtime.create(task);
    await kit.runtime.start(task.id);
    return { id: task.id, task, identity };
  };

  it('knows an end by the out-of-memory killer, and litters no folder of the daemon with it', async () => {
    const before = existsSync('oom');
    const { id } = await up({
      args: [
        'sh',
        '-c',
        'dd if=/dev/zero of=/dev/shm/fill bs=1M count=60; dd if=/dev/zero of=/dev/null bs=60M count=1',
      ],
      hostConfig: { Memory: 16 << 20, MemorySwap: 16 << 20, ShmSize: 128 << 20 },
    });
    expect((await kit.runtime.exited(id)).oomKilled).toBe(true);
    await kit.runtime.remove(id);
    expect(existsSync('oom')).toBe(before);
  });

  it('refuses an exec in a container that has ended, and leaves no conmon waiting', async () => {
    const { id, task } = await up({ args: ['true'] });
    await kit.runtime.exited(id);
    const late = kit.runtime.exec({
      containerId: id,
      execId: 'e'.repeat(64),
      process: task.spec.process,
      stdin: false,
      tty: false,
      attach: true,
      runtime: 'runc',
    });
    await expect(late).rejects.toThrow(`container ${id} is not running`);
    await kit.runtime.remove(id);
    expect(processesOf(kit.folder)).toEqual([]);
  });

  it('ends what outlives the first process when the PID namespace is the host’s', async () => {
    const task = kit.request({ args: ['sh', '-c', 'sleep 600 & exit 3'] });
    const namespaces = task.spec.linux['namespaces'] as { type: string }[];
    task.spec.linux['namespaces'] = namespaces.filter(({ type }) => type !== 'pid');
    const identity = await kit.runtime.create(task);
    await kit.runtime.start(task.id);
    while (isSameProcess(identity)) await sleep(5);
    const processes = () =>
      readdirSync('/proc').filter((pid) => {
        try {
          return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(task.id);
        } catch {
          return false;
        }
      });
    await kit.runtime.remove(task.id);
    for (let i = 0; processes().length > 0 && i < 200; i += 1) await sleep(10); // until the host's init has reaped it
    expect(processes()).toEqual([]);
    expect(existsSync(path.join('/sys/fs/cgroup/pids', kit.name, task.id))).toBe(false);
  });

  it('passes on a folder of devices, to be used and not only seen', async () => {
    const folder = path.join(kit.folder, 'devices');
    mkdirSync(path.join(folder, 'sub'), { recursive: true });
    makeNode(path.join(folder, 'sub/nil'), 0o020666, 1, 3);
    makeNode(path.join(folder, 'full'), 0o020666, 1, 7);
    const { out } = await kit.output({
      args: ['sh', '-c', 'echo x >/dev/own/sub/nil && echo written; echo x >/dev/own/full || echo full; ls /dev/own'],
      hostConfig: { Devices: [{ PathOnHost: folder, PathInContainer: '/dev/own', CgroupPermissions: 'rwm' }] },
    });
    expect(out).toBe('written\nfull\nfull\nsub\n');
  });

  it('gives a terminal its first size before the process looks', async () => {
    const { out } = await kit.output({
      args: ['stty', 'size'],
      tty: true,
      hostConfig: { ConsoleSize: [33, 111] },
    });
    expect(out.trim()).toBe('33 111');
  });

  it('starts once: the second start fails in the runtime’s words', async () => {
    const { id } = await up({ args: ['sleep', '60'] });
    await expect(kit.runtime.start(id)).rejects.toThrow(/cannot start/);
    await kit.runtime.remove(id);
  });

  it('says what is wrong with the arguments of ps', async () => {
    const { id } = await up({ args: ['sleep', '60'] });
    await expect(kit.runtime.top(id, '-o comm')).rejects.toThrow(/^Couldn't find PID field in ps output$/);
    await expect(kit.runtime.top(id, '-eo pid=COMMAND,ppid=PID')).rejects.toThrow(/pid=/);
    await kit.runtime.remove(id);
  });

  it('gives a published port to conmon for the container’s life, and not to the container', async () => {
    const fd = bindPort('tcp', '127.0.0.1', 0);
    const socket = readlinkSync(`/proc/self/fd/${fd}`);
    const task = kit.request({ args: ['sleep', '60'] });
    const identity = await kit.runtime.create({ ...task, portDescriptors: [fd] });
    await kit.runtime.start(task.id);
    closeDescriptor(fd);
    const open = (pid: number) =>
      readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
        try {
          return [readlinkSync(`/proc/${pid}/fd/${name}`)];
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
          return []; // closed since it was listed
        }
      });
    const conmon = Number(readFileSync(path.join(kit.folder, 'run/b', task.id, 'conmon.pid'), 'utf8'));
    expect(open(conmon)).toContain(socket);
    expect(open(identity.pid)).not.toContain(socket);
    await kit.runtime.remove(task.id);
  });
});
