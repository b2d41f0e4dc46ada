import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AttachOptions, LogOptions } from '../../daemon/containers/index.ts';
import { isRoot } from '../fixtures/engine.ts';
import { client, createKit, type Kit } from './containers-kit.ts';

const ATTACH: AttachOptions = { logs: false, stream: true, stdin: false, stdout: true, stderr: true, detachKeys: '' };
const LOGS: LogOptions = {
  stdout: true,
  stderr: true,
  follow: false,
  since: 0n,
  until: 0n,
  timestamps: false,
  details: false,
  tail: -1,
};

describe.skipIf(!isRoot)('containers (needs root)', () => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await createKit();
  });
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]();
  });

  const create = async (script: string, own = {}, host = {}, name = '') =>
    (await kit.containers.create(name, undefined, kit.body({ Cmd: ['sh', '-c', script], ...own }, host))).Id;
  const ended = (id: string) =>
    kit.containers.wait(id, { condition: 'next-exit', signal: new AbortController().signal }).result;
  const runToEnd = async (id: string) => {
    const exit = ended(id);
    await kit.containers.start(id);
    return (await exit).StatusCode;
  };
  const logsOf = async (id: string, options: Partial<LogOptions> = {}) => {
    const out = { 1: '', 2: '' };
    const logs = await kit.containers.logs(id, { ...LOGS, ...options });
    await logs.run(async (stream, data) => {
      out[stream] += data.toString();
    }, new AbortController().signal);
    return out;
  };
  const actions = (id: string) => kit.events.filter((e) => e.id === id).map((e) => e.action);
  const status = async (id: string) => (await kit.containers.inspect(id, { size: false })).State.Status;

  test('runs to its end: output, exit code, state, events, list', async () => {
    const id = await create('echo out; echo err >&2; echo $FROM_IMAGE; exit 7', {}, {}, 'first');
    expect(await status(id)).toBe('created');
    expect(await runToEnd(id)).toBe(7);
    expect(await logsOf(id)).toEqual({ 1: 'out\n1\n', 2: 'err\n' });
    const view = await kit.containers.inspect('first', { size: true });
    expect(view.State).toMatchObject({ Status: 'exited', Running: false, ExitCode: 7, Pid: 0, Error: '' });
    expect(view).toMatchObject({ Path: 'sh', Name: '/first', Driver: expect.any(String), SizeRw: expect.any(Number) });
    expect(actions(id)).toEqual(['create', 'start', 'die']);
    expect(kit.events.find((e) => e.id === id && e.action === 'die')?.attributes).toMatchObject({
      exitCode: '7',
      image: 'busybox',
      name: 'first',
    });
    const [row] = await kit.containers.list({ all: true, limit: 0, size: false, filters: { name: ['first'] } });
    expect(row).toMatchObject({
      Id: id,
      State: 'exited',
      Image: 'busybox',
      Status: expect.stringMatching(/^Exited \(7\) .* ago$/),
    });
    await kit.containers.remove('first', { force: false, volumes: false, link: false });
    expect(actions(id).at(-1)).toBe('destroy');
    expect(existsSync(path.join(kit.folder, 'containers', id))).toBe(false);
    expect(await kit.layers.roots()).not.toContain(id);
  });

  test('an attached client misses nothing, in both directions, and sees the end', async () => {
    const id = await create(
      'cat; echo done >&2',
      { OpenStdin: true, StdinOnce: true, AttachStdin: true },
      { AutoRemove: true },
    );
    const removed = kit.containers.wait(id, { condition: 'removed', signal: new AbortController().signal }).result;
    const me = client();
    const session = await kit.containers.attach(id, { ...ATTACH, stdin: true });
    const running = session.run(me);
    const typed = me.type('hello\n'.repeat(20_000));
    await kit.containers.start(id);
    await typed;
    me.end();
    await running;
    expect(me.out[1]).toBe('hello\n'.repeat(20_000));
    expect(me.out[2]).toBe('done\n');
    expect(await removed).toEqual({ StatusCode: 0 });
    expect(actions(id)).toEqual(['create', 'attach', 'start', 'die', 'destroy']);
    expect(() => kit.containers.sandboxRequest(id)).toThrow(`No such container: ${id}`);
  });

  test('a tty: resize, detach keys, attach again', async () => {
    const id = await create('read x; stty size; read y; echo bye', { Tty: true, OpenStdin: true, StdinOnce: true });
    await kit.containers.start(id);
    const first = client();
    const session = (await kit.containers.attach(id, { ...ATTACH, stdin: true })).run(first);
    await kit.containers.resize(id, 33, 101);
    await first.type('\n');
    await expect.poll(() => first.out[1]).toContain('33 101');
    await first.type('\x10\x11');
    await session;
    expect(actions(id)).toContain('detach');
    expect(await status(id)).toBe('running');
    const second = client();
    const again = (await kit.containers.attach(id, { ...ATTACH, stdin: true })).run(second);
    await second.type('\n');
    await again;
    expect(second.out[1]).toContain('bye');
    expect((await logsOf(id))[1]).toContain('33 101\r\n');
  });

  test('a client that does not read falls behind, is fed from the log, and the container does not wait', async () => {
    const id = await create('seq 1 400000');
    const slow = client();
    const open = Promise.withResolvers<void>();
    const send = slow.send.bind(slow);
    slow.send = async (stream, data) => {
      await open.promise;
      await send(stream, data);
    };
    const running = (await kit.containers.attach(id, ATTACH)).run(slow);
    expect(await runToEnd(id)).toBe(0); // the exit came though nobody read
    open.resolve();
    await running;
    expect(slow.out[1]).toBe(Array.from({ length: 400_000 }, (_, i) => `${i + 1}\n`).join(''));
  });

  test('stop: the signal, the time, the kill, 304 the second time', async () => {
    const polite = await create('trap "exit 3" TERM; while :; do sleep 0.1; done');
    await kit.containers.start(polite);
    await expect(kit.containers.start(polite)).rejects.toMatchObject({ status: 304 });
    await expect(kit.containers.remove(polite, { force: false, volumes: false, link: false })).rejects.toMatchObject({
      status: 409,
    });
    await kit.containers.stop(polite, {});
    expect((await kit.containers.inspect(polite, { size: false })).State).toMatchObject({
      Status: 'exited',
      ExitCode: 3,
    });
    await expect(kit.containers.stop(polite, {})).rejects.toMatchObject({ status: 304 });
    expect(actions(polite)).toEqual(['create', 'start', 'kill', 'die', 'stop']);
    const stubborn = await create('trap "" TERM; while :; do sleep 0.1; done');
    await kit.containers.start(stubborn);
    await kit.containers.stop(stubborn, { timeout: 0 });
    expect((await kit.containers.inspect(stubborn, { size: false })).State.ExitCode).toBe(137);
    await expect(kit.containers.kill(stubborn, 'HUP')).rejects.toThrow(
      `cannot kill container: ${stubborn}: container ${stubborn} is not running`,
    );
    await expect(kit.containers.kill(stubborn, 'NOPE')).rejects.toThrow('invalid signal: NOPE');
  });

  test('pause, unpause, restart, rename, update', async () => {
    const id = await create('sleep 1000', { StopSignal: 'KILL' });
    await expect(kit.containers.pause(id)).rejects.toMatchObject({ status: 409 });
    await kit.containers.start(id);
    await kit.containers.pause(id);
    expect(await status(id)).toBe('paused');
    await expect(kit.containers.createExec(id, execBody(['true']))).rejects.toThrow('is paused');
    await kit.containers.unpause(id);
    await kit.containers.restart(id, {});
    expect(await status(id)).toBe('running');
    await kit.containers.rename(id, 'renamed');
    expect(kit.containers.nameOf(id)).toBe('renamed');
    await expect(kit.containers.rename(id, 'renamed')).rejects.toMatchObject({ status: 400 });
    await expect(kit.containers.update(id, { Memory: 1 })).rejects.toThrow('6MB');
    await kit.containers.update(id, { RestartPolicy: { Name: 'unless-stopped', MaximumRetryCount: 0 } });
    await kit.containers.pause(id);
    await kit.containers.kill(id, 'KILL');
    expect(await status(id)).toBe('exited');
    expect(actions(id)).toEqual([
      'create',
      'start',
      'pause',
      'unpause',
      'kill',
      'die',
      'stop',
      'start',
      'restart',
      'rename',
      'update',
      'pause',
      'unpause',
      'kill',
      'die',
    ]);
  });

  test('a command that is not there, or cannot run, leaves nothing but a created container', async () => {
    for (const [cmd, code] of [
      ['/nope', 127],
      ['/etc/passwd', 126],
    ] as const) {
      const { Id } = await kit.containers.create('', undefined, kit.body({ Cmd: [cmd] }));
      await expect(kit.containers.start(Id)).rejects.toMatchObject({ status: 400 });
      const { State } = await kit.containers.inspect(Id, { size: false });
      expect(State).toMatchObject({ Status: 'created', ExitCode: code });
      expect(State.Error).toMatch(/no such file|not found|permission denied/);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(Id);
      const auto = await kit.containers.create('', undefined, kit.body({ Cmd: [cmd] }, { AutoRemove: true }));
      await expect(kit.containers.start(auto.Id)).rejects.toMatchObject({ status: 400 });
      await expect(kit.containers.inspect(auto.Id, { size: false })).rejects.toMatchObject({ status: 404 });
    }
  });

  test('many at once: each runs, ends and is gone', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, (_, n) => create(`exit ${n}`, {}, { AutoRemove: true })));
    const removed = ids.map(
      (id) => kit.containers.wait(id, { condition: 'removed', signal: new AbortController().signal }).result,
    );
    await Promise.all(ids.map((id) => kit.containers.start(id)));
    expect((await Promise.all(removed)).map((r) => r.StatusCode)).toEqual(ids.map((_, n) => n));
    for (const id of ids) expect(await kit.layers.roots()).not.toContain(id);
  });

  test('removing by force: a running, a paused, one that removes itself, and twice at once', async () => {
    const running = await create('sleep 1000', {}, { Binds: ['/anon'] });
    await kit.containers.start(running);
    const first = kit.containers.remove(running, { force: true, volumes: true, link: false });
    await expect(kit.containers.remove(running, { force: true, volumes: true, link: false })).rejects.toThrow(
      `removal of container ${running} is already in progress`,
    );
    await first;
    expect(actions(running)).toEqual(['create', 'start', 'kill', 'die', 'destroy']);
    const paused = await create('sleep 1000');
    await kit.containers.start(paused);
    await kit.containers.pause(paused);
    await kit.containers.remove(paused, { force: true, volumes: false, link: false });
    const auto = await create('sleep 1000', {}, { AutoRemove: true });
    await kit.containers.start(auto);
    const gone = kit.containers.wait(auto, { condition: 'removed', signal: new AbortController().signal }).result;
    await kit.containers.kill(auto, 'KILL');
    expect(await gone).toEqual({ StatusCode: 137 });
    for (const id of [running, paused, auto])
      await expect(kit.containers.inspect(id, { size: false })).rejects.toMatchObject({ status: 404 });
  });

  test('logs rotate while the container writes, and a follower sees every line', async () => {
    const id = await create(
      'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; [ $((i % 300)) = 0 ] && sleep 0.1; done; sleep 0.3',
      {},
      { LogConfig: { Type: 'json-file', Config: { 'max-size': '10k', 'max-file': '9' } } },
    );
    await kit.containers.start(id);
    let seen = '';
    const logs = await kit.containers.logs(id, { ...LOGS, follow: true });
    const following = logs.run(async (_stream, data) => {
      seen += data.toString();
    }, new AbortController().signal);
    await following;
    expect(existsSync(path.join(kit.folder, 'containers', id, 'ctr.log.1'))).toBe(true);
    expect(seen).toBe(Array.from({ length: 3000 }, (_, i) => `line ${i + 1}\n`).join(''));
    await expect(
      create('true', {}, { LogConfig: { Type: 'none', Config: null } }).then((other) =>
        kit.containers.logs(other, LOGS),
      ),
    ).rejects.toThrow('does not support reading');
  });

  test('what cannot be created leaves nothing', async () => {
    const before = await kit.layers.roots();
    await expect(kit.containers.create('', undefined, kit.body({ Image: 'nope' }))).rejects.toThrow(
      'No such image: nope:latest',
    );
    await expect(create('true', {}, { Mounts: [{ Type: 'bind', Source: '/missing', Target: '/x' }] })).rejects.toThrow(
      'bind source path does not exist: /missing',
    );
    await create('true', {}, {}, 'taken');
    await expect(create('true', {}, { VolumesFrom: ['nobody'] })).rejects.toMatchObject({ status: 400 });
    await expect(create('true', {}, {}, 'taken')).rejects.toThrow('The container name "/taken" is already in use');
    expect((await kit.layers.roots()).length).toBe(before.length + 1);
  });

  test('binds, volumes with copy-up, tmpfs, working directory, hosts', async () => {
    const host = path.join(kit.folder, 'host', 'made');
    const id = await create(
      'echo x > /bind/file; cat /etc/hostname; cat /vol/passwd | head -1; ls -d $PWD; touch /tmpfs/y; touch /ro/z 2>/dev/null || echo ro; grep -c localhost /etc/hosts',
      { WorkingDir: '/new/dir', Hostname: 'named' },
      { Binds: [`${host}:/bind`, 'data:/vol', `${kit.folder}:/ro:ro`], Tmpfs: { '/tmpfs': 'size=1m' } },
    );
    const copied = await create('ls /etc2', {}, { Binds: ['etc:/etc'] }); // copy-up of a folder that the image has
    expect(existsSync(path.join(kit.folder, 'volumes/etc/_data/passwd'))).toBe(true);
    mkdirSync(path.join(kit.folder, 'volumes/data/_data'), { recursive: true });
    writeFileSync(path.join(kit.folder, 'volumes/data/_data/passwd'), 'kept\n');
    expect(await runToEnd(id)).toBe(0);
    expect((await logsOf(id))[1]).toBe('named\nkept\n/new/dir\nro\n1\n');
    expect(readFileSync(path.join(host, 'file'), 'utf8')).toBe('x\n');
    const view = await kit.containers.inspect(id, { size: false });
    expect(view.Mounts.map((m) => [m.Type, m.Destination, m.RW])).toEqual([
      ['bind', '/bind', true],
      ['bind', '/ro', false],
      ['volume', '/vol', true],
    ]);
    expect(copied).toHaveLength(64);
  });

  test('restart policies back off, count, and end with a stop', async () => {
    const id = await create('exit 1', {}, { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } });
    await kit.containers.start(id);
    await expect.poll(() => actions(id).filter((a) => a === 'die').length, { timeout: 20_000 }).toBe(3);
    await expect.poll(() => status(id)).toBe('exited');
    expect((await kit.containers.inspect(id, { size: false })).RestartCount).toBe(2);
    const always = await create('exit 0', {}, { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } });
    await kit.containers.start(always);
    await expect
      .poll(() => actions(always).filter((a) => a === 'start').length, { timeout: 20_000 })
      .toBeGreaterThan(2);
    await kit.containers.stop(always, {});
    expect(await status(always)).toBe('exited');
    const starts = actions(always).filter((a) => a === 'start').length;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(actions(always).filter((a) => a === 'start').length).toBe(starts);
    await kit.containers.remove(always, { force: false, volumes: false, link: false });
  });

  const execBody = (Cmd: string[], own = {}) => ({
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    DetachKeys: '',
    Tty: false,
    Env: null,
    Cmd,
    Privileged: false,
    User: '',
    WorkingDir: '',
    ...own,
  });

  test('exec: output, input, exit codes, errors in the stream', async () => {
    const id = await create('sleep 1000', { StopSignal: 'KILL' });
    await expect(kit.containers.createExec(id, execBody(['true']))).rejects.toThrow(`container ${id} is not running`);
    await kit.containers.start(id);
    const run = async (body: ReturnType<typeof execBody>, input?: string) => {
      const { Id } = await kit.containers.createExec(id, body);
      expect(kit.containers.inspectExec(Id)).toMatchObject({ Running: false, ExitCode: null });
      const me = client();
      const running = (await kit.containers.startExec(Id, { Detach: false, Tty: body.Tty })).run(me);
      await expect(kit.containers.startExec(Id, { Detach: false, Tty: body.Tty })).rejects.toThrow(
        `exec command ${Id} has already run`,
      );
      if (input !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        await me.type(input);
        me.end();
      }
      await running;
      return { ...me.out, ...kit.containers.inspectExec(Id) };
    };
    expect(await run(execBody(['sh', '-c', 'echo o; echo e >&2; exit 5']))).toMatchObject({
      1: 'o\n',
      2: 'e\n',
      ExitCode: 5,
      Running: false,
    });
    expect(await run(execBody(['cat'], { AttachStdin: true }), 'typed\n')).toMatchObject({ 1: 'typed\n', ExitCode: 0 });
    const missing = await run(execBody(['nope']));
    expect(missing[1]).toMatch(
      /^OCI runtime exec failed: exec failed: .*"nope": executable file not found in \$PATH.*: unknown\r\n$/,
    );
    expect(missing.ExitCode).toBe(127);
    await expect(kit.containers.createExec(id, execBody([]))).rejects.toThrow('No exec command specified');
    expect(() => kit.containers.inspectExec('nope')).toThrow('No such exec instance: nope');
    expect(actions(id).filter((a) => a.startsWith('exec_'))).toEqual(
      expect.arrayContaining(['exec_create: cat ', 'exec_start: cat ', 'exec_die']),
    );
    await kit.containers.stop(id, {});
  });

  test('health: starting, healthy, unhealthy, in inspect and events', async () => {
    const id = await create('touch /ok; sleep 1000', {
      StopSignal: 'KILL',
      Healthcheck: { Test: ['CMD-SHELL', 'cat /ok'], Interval: 2e8, Retries: 2 },
    });
    await kit.containers.start(id);
    expect((await kit.containers.inspect(id, { size: false })).State.Health?.Status).toBe('starting');
    await expect.poll(() => actions(id), { timeout: 10_000 }).toContain('health_status: healthy');
    const { Id } = await kit.containers.createExec(id, execBody(['rm', '/ok']));
    await (await kit.containers.startExec(Id, { Detach: true, Tty: false })).runDetached();
    await expect.poll(() => actions(id), { timeout: 10_000 }).toContain('health_status: unhealthy');
    const { Health } = (await kit.containers.inspect(id, { size: false })).State;
    expect(Health?.Log.at(-1)).toMatchObject({ ExitCode: 1, Output: expect.stringContaining('/ok') });
    await kit.containers.stop(id, {});
  });

  test('logs follow to the end; stats of a running and a stopped container; top', async () => {
    const id = await create('for i in 1 2 3 4 5; do echo $i; sleep 0.2; done; printf last');
    await kit.containers.start(id);
    const seen: string[] = [];
    await kit.containers.stats(
      id,
      { stream: false, oneShot: false, signal: new AbortController().signal },
      async (s) => {
        seen.push(s.preread);
      },
    );
    expect(seen).toHaveLength(1);
    expect((await logsOf(id, { follow: true }))[1]).toBe('1\n2\n3\n4\n5\nlast');
    expect((await logsOf(id, { tail: 2 }))[1]).toBe('5\nlast');
    await expect.poll(() => status(id)).toBe('exited');
    await kit.containers.stats(
      id,
      { stream: false, oneShot: false, signal: new AbortController().signal },
      async (s) => {
        expect(s).toMatchObject({ id, os_type: 'linux' });
      },
    );
    await expect(kit.containers.top(id, '')).rejects.toThrow('is not running');
  });

  test('galleyd dies: what runs is adopted, an exit of the time between is told, a cut removal is finished', async () => {
    const old = kit.containers;
    const lives = await create('sleep 1000', { StopSignal: 'KILL' }, {}, 'lives');
    const ends = await create('sleep 0.5; exit 9', {}, {}, 'ends');
    await old.start(lives);
    await old.start(ends);
    const cut = await create('true', {}, { Binds: ['/anonymous'] }, 'cut');
    await old.close(); // as good as dead: nothing that happens from now on is handled by it
    await new Promise((resolve) => setTimeout(resolve, 1200));
    kit.db
      .sql(`UPDATE containers SET record = json_set(record, '$.removing', json('{"volumes":true}')) WHERE id = ?`)
      .run(cut);
    const next = await kit.reboot();
    await expect(next.inspect('cut', { size: false })).rejects.toMatchObject({ status: 404 });
    expect(existsSync(path.join(kit.folder, 'containers', cut))).toBe(false);
    expect(next.running().has(lives)).toBe(true);
    expect((await next.inspect('ends', { size: false })).State).toMatchObject({ Status: 'exited', ExitCode: 9 });
    expect(kit.events.some((e) => e.id === ends && e.action === 'die' && e.attributes['exitCode'] === '9')).toBe(true);
    await next.stop('lives', {});
    expect((await next.inspect(lives, { size: false })).State.ExitCode).toBe(137);
    await next.prune({});
    expect(await next.list({ all: true, limit: 0, size: false, filters: {} })).toEqual([]);
    expect(await kit.layers.roots()).toEqual([]);
  });
});
