/** A busybox root, a Runtime on an exec root of its own, and specs with Docker's defaults. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {
  buildSpec,
  createRuntime,
  type HostFacts,
  type Runtime,
  readHostFacts,
  resolveUser,
  type TaskRequest,
} from '../../daemon/runtime/index.ts';
import { removeCgroups } from '../../daemon/system/cgroups.ts';
import { createLog } from '../../daemon/system/log.ts';
import type { ContainerConfig, HostConfig } from '../../src/api/index.ts';
import { unpackedDebs } from '../fixtures/debs.ts';
import { configOf, hostConfigOf } from '../unit/containers/samples.ts';

export const isRoot = process.getuid?.() === 0;

export const plainConfig: ContainerConfig = configOf({ Hostname: 'box', AttachStdout: true, AttachStderr: true });
export const plainHostConfig: HostConfig = hostConfigOf({
  LogConfig: { Type: 'json-file', Config: null },
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  IpcMode: 'private',
});

export interface Wish {
  args: string[];
  config?: Partial<ContainerConfig>;
  hostConfig?: Partial<HostConfig>;
  stdin?: boolean;
  tty?: boolean;
  leaveStdinOpen?: boolean;
  portDescriptors?: number[];
  initPath?: string;
}

export interface Kit {
  folder: string;
  name: string;
  rootfs: string;
  host: HostFacts;
  runtime: Runtime;
  /** Another Runtime on the same exec root, as after a restart of galleyd. */
  again(): Runtime;
  request(wish: Wish): TaskRequest;
  /** Creates, attaches, starts, waits, removes. */
  output(wish: Wish): Promise<{ out: string; err: string; exitCode: number }>;
  close(): Promise<void>;
}

export async function makeKit(): Promise<Kit> {
  const name = `grt${randomBytes(3).toString('hex')}`;
  const folder = fs.mkdtempSync(`/tmp/${name}-`);
  const rootfs = path.join(folder, 'rootfs');
  for (const part of ['bin', 'proc', 'dev', 'sys', 'etc', 'tmp', 'root'])
    fs.mkdirSync(path.join(rootfs, part), { recursive: true });
  const debs = await unpackedDebs('busybox-static', ['busybox-static']);
  fs.copyFileSync(path.join(debs, 'bin/busybox'), path.join(rootfs, 'bin/busybox'));
  for (const applet of 'sh true false cat echo sleep stty head dd id env ls touch hostname mount ulimit pwd grep wc tr sync kill ps printf ip nsenter unshare'.split(
    ' ',
  ))
    fs.symlinkSync('busybox', path.join(rootfs, 'bin', applet));
  fs.writeFileSync(path.join(rootfs, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1001::/:/bin/sh\n');
  fs.writeFileSync(path.join(rootfs, 'etc/group'), 'root:x:0:\nstaff:x:50:alice\nusers:x:1001:\n');
  fs.writeFileSync(path.join(rootfs, 'bin/data'), 'not a program', { mode: 0o644 });
  const log = createLog('error');
  const host = readHostFacts();
  const again = () => createRuntime({ execRoot: path.join(folder, 'run'), log, host });
  const runtime = again();
  const request = (wish: Wish): TaskRequest => {
    const id = randomBytes(32).toString('hex');
    const config = { ...plainConfig, Tty: wish.tty ?? false, ...wish.config };
    const hostConfig = { ...plainHostConfig, ...wish.hostConfig };
    const spec = buildSpec(
      {
        id,
        config,
        hostConfig,
        rootfs,
        args: wish.args,
        user: resolveUser(rootfs, config.User, hostConfig.GroupAdd ?? []),
        mounts: [],
        namespaces: {
          network: { kind: 'private' },
          pid: { kind: 'private' },
          ipc: { kind: 'private' },
          uts: { kind: 'private' },
          cgroup: { kind: 'host' },
        },
        cgroupsPath: `/${name}/${id}`,
        initPath: wish.initPath ?? null,
      },
      host,
    );
    return {
      id,
      spec,
      logPath: path.join(folder, `${id.slice(0, 12)}.log`),
      stdin: wish.stdin ?? false,
      tty: wish.tty ?? false,
      leaveStdinOpen: wish.leaveStdinOpen ?? false,
      runtime: 'runc',
      portDescriptors: wish.portDescriptors ?? [],
    };
  };
  const output = async (wish: Wish) => {
    const task = request(wish);
    await runtime.create(task);
    const stream = await runtime.attach(task.id);
    const parts: Record<1 | 2, Buffer[]> = { 1: [], 2: [] };
    stream.onData((from, data) => parts[from].push(data));
    const ended = new Promise<void>((resolve) => stream.onEnd(resolve));
    await runtime.start(task.id);
    const { exitCode } = await runtime.exited(task.id);
    await ended;
    await runtime.remove(task.id);
    return { out: Buffer.concat(parts[1]).toString(), err: Buffer.concat(parts[2]).toString(), exitCode };
  };
  return {
    folder,
    name,
    rootfs,
    host,
    runtime,
    again,
    request,
    output,
    async close() {
      for (const id of await runtime.bundles()) await runtime.remove(id);
      await removeCgroups(name);
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
