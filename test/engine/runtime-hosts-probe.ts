/** What runtime-hosts.test.ts runs in a mount namespace of its own: one container's life, told as JSON. Argument: the OCI runtime. */
import { readFileSync } from 'node:fs';
import { cgroupIsEmpty } from '../../daemon/system/cgroups.ts';
import { makeKit } from './runtime-kit.ts';

const kit = await makeKit();
try {
  const { runtime } = kit;
  const task = { ...kit.request({ args: ['sh', '-c', 'echo up; sleep 60'] }), runtime: process.argv[2] ?? 'runc' };
  const init = await runtime.create(task);
  const created = await runtime.status(task.id, init);
  const stream = await runtime.attach(task.id);
  let out = '';
  const heard = new Promise<void>((resolve) =>
    stream.onData((_from, data) => {
      out += data.toString();
      resolve();
    }),
  );
  await runtime.start(task.id);
  await heard;
  const running = await runtime.status(task.id, init);
  const place = readFileSync(`/proc/${init.pid}/cgroup`, 'utf8')
    .split('\n')
    .find((line) => line.startsWith('0::'));
  await runtime.pause(task.id);
  const paused = await runtime.status(task.id, init);
  await runtime.resume(task.id);
  const exec = await runtime.exec({
    containerId: task.id,
    execId: 'probe',
    process: { ...task.spec.process, args: ['sh', '-c', 'exit 5'] },
    stdin: false,
    tty: false,
    attach: true,
    runtime: task.runtime,
  });
  exec.stream?.onData(() => {});
  await exec.start();
  const execCode = await exec.exited();
  const processes = (await runtime.processes(task.id)).includes(init.pid);
  const cpu = (await runtime.sample(task.id, init.pid)).cpu_stats.cpu_usage.total_usage > 0;
  await runtime.kill(task.id, 9);
  const { exitCode } = await runtime.exited(task.id);
  const stopped = await runtime.status(task.id, init);
  await runtime.remove(task.id);
  const version = kit.host.cgroupVersion;
  const gone = cgroupIsEmpty(`${kit.name}/${task.id}`) && (await runtime.status(task.id, init)) === 'absent';
  const inside = place === `0::/${kit.name}/${task.id}`;
  const states = [created, running, paused, stopped];
  console.log(JSON.stringify({ version, inside, states, out, execCode, processes, cpu, exitCode, gone }));
} finally {
  await kit.close();
}
