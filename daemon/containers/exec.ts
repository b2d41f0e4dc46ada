import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CreateExecBody, ExecInspect, StartExecBody } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import { messageOf } from '../errors/engine-error.ts';
import type { ExecTask } from '../runtime/types.ts';
import { carryInput } from './attach.ts';
import { ClientFeed } from './client-feed.ts';
import type { Core } from './core.ts';
import { detachKeysOf } from './detach-keys.ts';
import { spawnExec } from './exec-process.ts';
import { isAlive } from './record.ts';
import type { Entry } from './store.ts';
import type { ClientStream } from './types.ts';

const KEEP_MS = 5 * 60_000;
const SWEEP_MS = 60_000;
const DRAIN_MS = 3000;

interface Exec {
  readonly id: string;
  readonly containerId: string;
  readonly body: CreateExecBody;
  state: 'created' | 'running' | 'ended';
  exitCode: number | null;
  pid: number;
  task: ExecTask | null;
  endedAt: number;
}

/** Docker derives the exit code of an exec that cannot start from the runtime's words. */
export function execFailure(error: unknown): { exitCode: number; message: string } {
  const words = messageOf(error);
  const message = /^(OCI runtime|unable to find (user|group))/.test(words)
    ? words
    : `OCI runtime exec failed: ${words.startsWith('exec failed') ? words : `exec failed: ${words}`}: unknown`;
  return {
    exitCode: /permission denied|is a directory/i.test(words) ? 126 : /not found|no such file/i.test(words) ? 127 : 126,
    message,
  };
}

/** As events have it: a program without arguments is followed by a blank. */
const shownCommand = ([program = '', ...args]: readonly string[]) => `${program} ${args.join(' ')}`;

/** Exec objects live in memory: from their creation until their container stops, at least five minutes after their own end. */
export class Execs {
  readonly #core: Core;
  readonly #execs = new Map<string, Exec>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(core: Core) {
    this.#core = core;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  #sweep(): void {
    for (const exec of this.#execs.values()) {
      const entry = this.#core.store.get(exec.containerId);
      const stale = exec.state === 'ended' && Date.now() - exec.endedAt > KEEP_MS;
      if (!entry || (!isAlive(entry.record) && (stale || exec.state === 'created'))) this.#execs.delete(exec.id);
    }
  }

  close(): void {
    clearInterval(this.#sweeper);
  }

  /** Ids of a container's execs that have not ended, for inspect. */
  idsOf(containerId: string): string[] | null {
    const ids = [...this.#execs.values()]
      .filter((e) => e.containerId === containerId && e.state !== 'ended')
      .map((e) => e.id);
    return ids.length > 0 ? ids : null;
  }

  #find(id: string): Exec {
    const exec = this.#execs.get(id);
    if (!exec) throw containerErrors.noSuchExec(id);
    return exec;
  }

  #entryOf(exec: Exec): Entry {
    const entry = this.#core.store.get(exec.containerId);
    if (!entry) throw containerErrors.noSuchExec(exec.id);
    return entry;
  }

  #emit(exec: Exec, action: string, extra: Record<string, string> = {}): void {
    const entry = this.#core.store.get(exec.containerId);
    if (entry) this.#core.emit(entry.record, action, { execID: exec.id, ...extra });
  }

  /** @throws EngineError 400, 409 */
  create(entry: Entry, body: CreateExecBody): { Id: string } {
    const { record } = entry;
    if (!body.Cmd || body.Cmd.length === 0) throw containerErrors.noExecCommand();
    detachKeysOf(body.DetachKeys);
    if (record.status === 'paused') throw containerErrors.paused(record.name, 'exec');
    if (record.status === 'restarting') throw containerErrors.restarting(record.name);
    if (!isAlive(record)) throw containerErrors.execContainerStopped(record.id);
    const exec: Exec = {
      id: randomBytes(32).toString('hex'),
      containerId: record.id,
      body,
      state: 'created',
      exitCode: null,
      pid: 0,
      task: null,
      endedAt: 0,
    };
    this.#execs.set(exec.id, exec);
    this.#emit(exec, `exec_create: ${shownCommand(body.Cmd)}`);
    return { Id: exec.id };
  }

  /** @throws EngineError 404, 409; errors of the start itself go into the stream */
  start(
    execId: string,
    options: StartExecBody,
  ): { tty: boolean; run(client: ClientStream): Promise<void>; runDetached(): Promise<void> } {
    const exec = this.#find(execId);
    if (exec.state !== 'created') throw containerErrors.execHasRun(execId);
    const entry = this.#entryOf(exec);
    if (entry.record.status === 'paused') throw containerErrors.paused(entry.record.name, 'exec');
    if (!isAlive(entry.record)) throw containerErrors.execContainerStopped(entry.record.id);
    exec.state = 'running';
    return {
      tty: exec.body.Tty,
      run: (client) => this.#run(exec, entry, options, client),
      runDetached: () => this.#runDetached(exec, entry),
    };
  }

  #fail(exec: Exec, error: unknown): string {
    const { exitCode, message } = execFailure(error);
    this.#finish(exec, exitCode);
    return message;
  }

  #finish(exec: Exec, exitCode: number): void {
    exec.state = 'ended';
    exec.exitCode = exitCode;
    exec.endedAt = Date.now();
    exec.task = null;
  }

  async #spawn(exec: Exec, entry: Entry, body: CreateExecBody): Promise<ExecTask> {
    const task = await spawnExec(this.#core, entry.record, exec.id, body);
    exec.task = task;
    return task;
  }

  async #begin(exec: Exec, task: ExecTask, size: [number, number] | null | undefined): Promise<void> {
    if (exec.body.Tty && size && size[0] > 0 && size[1] > 0) await task.resize(size[0], size[1]);
    this.#emit(exec, `exec_start: ${shownCommand(exec.body.Cmd ?? [])}`);
    exec.pid = (await task.start()).pid;
  }

  async #runDetached(exec: Exec, entry: Entry): Promise<void> {
    let task: ExecTask;
    try {
      task = await this.#spawn(exec, entry, {
        ...exec.body,
        AttachStdin: false,
        AttachStdout: false,
        AttachStderr: false,
      });
      await this.#begin(exec, task, exec.body.ConsoleSize);
    } catch (error) {
      throw containerErrors.runtimeFailed(this.#fail(exec, error), 'caller', error);
    }
    void task.exited().then((exitCode) => {
      this.#finish(exec, exitCode);
      this.#emit(exec, 'exec_die', { exitCode: String(exitCode) });
    });
  }

  async #run(exec: Exec, entry: Entry, options: StartExecBody, client: ClientStream): Promise<void> {
    const { body } = exec;
    let task: ExecTask;
    let feed: ClientFeed;
    const drained = Promise.withResolvers<void>();
    try {
      task = await this.#spawn(exec, entry, body);
      const { stream } = task;
      feed = new ClientFeed(
        client,
        { stdout: body.AttachStdout, stderr: body.AttachStderr },
        { flow: stream }, // an exec has no log to be fed from: a slow client holds its process up, as in Docker
      );
      if (stream) {
        const counts = { 1: 0, 2: 0 };
        stream.onData((from, data) => {
          feed.push(from, data, counts[from]);
          counts[from] += data.length;
        });
        stream.onEnd(() => drained.resolve());
        if (body.AttachStdin)
          carryInput(client, body.Tty ? detachKeysOf(body.DetachKeys) : null, {
            write: (data) => stream.write(data),
            end: async () => stream.endInput(),
            detached: () => {
              this.#emit(exec, 'exec_detach');
              feed.drop();
            },
          });
      } else drained.resolve();
      await this.#begin(exec, task, options.ConsoleSize ?? body.ConsoleSize);
    } catch (error) {
      const message = this.#fail(exec, error);
      try {
        await client.send(1, Buffer.from(`${message}\r\n`));
      } finally {
        client.close();
      }
      return;
    }
    const exited = task.exited().then(async (exitCode) => {
      await Promise.race([drained.promise, sleep(DRAIN_MS, undefined, { ref: false })]);
      // Before the stream ends: the client asks for the exit code as soon as it sees the end.
      this.#finish(exec, exitCode);
      this.#emit(exec, 'exec_die', { exitCode: String(exitCode) });
      // What a slow client has not taken yet still waits in the kernel.
      while (feed.holdsUp) await Promise.race([drained.promise, feed.done, sleep(DRAIN_MS, undefined, { ref: false })]);
      feed.end();
    });
    await Promise.race([exited, feed.done]);
    await feed.done;
  }

  /** @throws EngineError 404 */
  inspect(execId: string): ExecInspect {
    const { body, ...exec } = this.#find(execId);
    const [entrypoint = '', ...args] = body.Cmd ?? [];
    return {
      ID: exec.id,
      Running: exec.state === 'running',
      ExitCode: exec.exitCode,
      ProcessConfig: { tty: body.Tty, entrypoint, arguments: args, privileged: body.Privileged, user: body.User },
      OpenStdin: body.AttachStdin,
      OpenStderr: body.AttachStderr,
      OpenStdout: body.AttachStdout,
      CanRemove: exec.state === 'ended',
      ContainerID: exec.containerId,
      DetachKeys: body.DetachKeys,
      Pid: exec.pid,
    };
  }

  /** @throws EngineError 400 when it does not run, 404 */
  async resize(execId: string, rows: number, columns: number): Promise<void> {
    const exec = this.#find(execId);
    if (exec.state !== 'running' || !exec.task) throw containerErrors.execNotStarted(execId);
    await exec.task.resize(rows, columns);
  }
}
