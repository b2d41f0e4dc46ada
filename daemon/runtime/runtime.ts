import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { messageOf } from '../errors/engine-error.ts';
import { runtimeErrors } from '../errors/runtime.ts';
import { cgroupFolder, cgroupIsEmpty, readCgroupFile, removeCgroups } from '../system/cgroups.ts';
import type { Log } from '../system/log.ts';
import { isSameProcess, type ProcessIdentity, readProcessIdentity } from '../system/processes.ts';
import { SeqpacketSocket } from '../system/seqpacket.ts';
import { CommandError, run } from '../system/spawn.ts';
import { type ConmonProcess, runtimeWords, spawnConmon } from './conmon.ts';
import { encodeOci } from './encode.ts';
import { Exits } from './exits.ts';
import type { HostFacts } from './host-facts.ts';
import { buildResources } from './resources.ts';
import { readSample } from './sample.ts';
import { openExecFifo } from './start.ts';
import type { ExecRequest, ExecTask, OciSpec, Runtime, TaskRequest, TaskStatus, TaskStream } from './types.ts';

export interface RuntimeOptions {
  execRoot: string;
  log: Log;
  host: HostFacts;
}

const SIGKILL = 9;
const CONMON = ['--api-version', '1', '--full-attach', '--log-level', 'error'];

function streamOf(socketPath: string): TaskStream {
  const socket = new SeqpacketSocket(socketPath);
  return {
    // The first byte names the stream: 2 is stdout, 3 stderr (field/conmon.md).
    onData: (listener) => socket.onMessage((message) => listener(message[0] === 3 ? 2 : 1, message.subarray(1))),
    onEnd: (listener) => socket.onEnd(listener),
    write: (data) => socket.write(data),
    endInput: () => socket.endInput(),
    close: () => socket.close(),
  };
}

/** conmon's FIFO; nobody reads it once conmon is gone, and then there is nothing to control. */
function control(folder: string, line: string): void {
  let fd: number;
  try {
    fd = openSync(path.join(folder, 'ctl'), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return;
  }
  try {
    writeSync(fd, line);
  } finally {
    closeSync(fd);
  }
}

/** Containers by conmon and an OCI runtime. All state is on disk below the exec root, so a new galleyd takes over where the old one stopped. */
export function createRuntime({ execRoot, log, host }: RuntimeOptions): Runtime {
  const bundles = path.join(execRoot, 'b');
  const execs = path.join(execRoot, 'x');
  const stateRoot = path.join(execRoot, 'runc');
  for (const folder of [bundles, execs, stateRoot]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const bundleOf = (id: string) => path.join(bundles, id);
  const exits = new Exits(path.join(execRoot, 'exits'), (id) => path.join(bundleOf(id), 'oom'));

  const runtimeOf = (id: string): string => {
    try {
      return readFileSync(path.join(bundleOf(id), 'runtime'), 'utf8');
    } catch {
      return 'runc';
    }
  };
  const identityOf = (id: string): ProcessIdentity | null => {
    try {
      return readProcessIdentity(Number(readFileSync(path.join(bundleOf(id), 'pidfile'), 'utf8')));
    } catch {
      return null;
    }
  };
  const isRunc = (id: string) => path.basename(runtimeOf(id)) === 'runc';
  /** Path of the container's cgroup from its spec, without the slash in front; '' when there is no telling. */
  const cgroupOf = (id: string): string => {
    try {
      const spec = JSON.parse(readFileSync(path.join(bundleOf(id), 'config.json'), 'utf8')) as OciSpec;
      const cgroup = spec.linux['cgroupsPath'];
      return typeof cgroup === 'string' ? cgroup.replace(/^\/+/, '') : '';
    } catch {
      return '';
    }
  };
  /** No process of it is left, also none that shared a PID namespace and so outlived the first one. */
  const hasEnded = (id: string): boolean => {
    const init = identityOf(id);
    const cgroup = cgroupOf(id);
    return cgroup !== '' && !(init && isSameProcess(init)) && cgroupIsEmpty(cgroup);
  };
  const oci = (id: string, args: readonly string[], input?: string) =>
    run(runtimeOf(id), ['--root', stateRoot, ...args], input === undefined ? {} : { input });

  function conmonArguments(runtime: string, id: string, folder: string, name: string): string[] {
    return [
      ...CONMON,
      ...['-c', id, '-u', name, '-r', runtimePath(runtime), '-b', folder, '-p', path.join(folder, 'pidfile')],
      ...['--conmon-pidfile', path.join(folder, 'conmon.pid'), '--socket-dir-path', folder],
      `--runtime-arg=--root=${stateRoot}`,
    ];
  }

  async function firstWord(conmon: ConmonProcess): Promise<number> {
    const line = await conmon.sync.next();
    if (line && line.data >= 0) return line.data;
    throw new Error(runtimeWords(line?.message || conmon.errors() || 'conmon ended without a word'));
  }

  const runtime: Runtime = {
    async create(request: TaskRequest) {
      const { id } = request;
      const bundle = bundleOf(id);
      mkdirSync(bundle, { recursive: true, mode: 0o700 });
      writeFileSync(path.join(bundle, 'config.json'), encodeOci(request.spec), { mode: 0o600 });
      writeFileSync(path.join(bundle, 'runtime'), request.runtime);
      const conmon = await spawnConmon(
        [
          ...conmonArguments(request.runtime, id, bundle, id),
          ...[
            '--exit-dir',
            exits.folder,
            '--persist-dir',
            bundle,
            '-l',
            request.logPath === null ? 'none:' : `k8s-file:${request.logPath}`,
          ],
          ...(request.stdin ? ['-i'] : []),
          ...(request.tty ? ['-t'] : []),
          ...(request.leaveStdinOpen ? ['--leave-stdin-open'] : []),
        ],
        request.portDescriptors,
        bundle,
      );
      try {
        return readProcessIdentity(await firstWord(conmon));
      } catch (error) {
        await runtime.remove(id);
        throw runtimeErrors.createFailed(messageOf(error));
      } finally {
        conmon.startPipe.destroy();
      }
    },

    async start(id) {
      const init = identityOf(id);
      if (isRunc(id) && init && (await openExecFifo(path.join(stateRoot, id, 'exec.fifo'), init))) return;
      await oci(id, ['start', id]).catch((error: unknown) => {
        throw runtimeErrors.startFailed(
          error instanceof CommandError ? runtimeWords(error.result.stderr) : messageOf(error),
        );
      });
    },

    async kill(id, signal, options = {}) {
      const identity = identityOf(id);
      if (!identity || !isSameProcess(identity)) return;
      if (options.all) {
        await oci(id, ['kill', '--all', id, String(signal)]);
        return;
      }
      // kill(2) on the init from here is what the runtime would do, without a spawn.
      try {
        process.kill(identity.pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended just now
      }
    },

    async pause(id) {
      await oci(id, ['pause', id]);
    },
    async resume(id) {
      await oci(id, ['resume', id]);
    },

    async remove(id) {
      const bundle = bundleOf(id);
      const known = existsSync(path.join(stateRoot, id));
      if (!known && !existsSync(bundle)) return;
      if (known && isRunc(id) && hasEnded(id)) {
        // All that `runc delete` does for a container without hooks whose processes have ended.
        removeCgroups(cgroupOf(id));
        rmSync(path.join(stateRoot, id), { recursive: true, force: true });
      } else if (known) {
        await oci(id, ['delete', '--force', id]).catch((error: unknown) =>
          log.warn('the runtime could not delete a container', { container: id, error: messageOf(error) }),
        );
      }
      endConmon(bundle);
      rmSync(bundle, { recursive: true, force: true });
      exits.forget(id);
    },

    attach: async (id) => streamOf(path.join(bundleOf(id), 'attach')),

    async resize(id, rows, columns) {
      control(bundleOf(id), `1 ${rows} ${columns}\n`);
    },
    async reopenLog(id) {
      control(bundleOf(id), '2 0 0\n');
    },

    async exec(request: ExecRequest): Promise<ExecTask> {
      const init = identityOf(request.containerId);
      if (!init || !isSameProcess(init)) throw runtimeErrors.notRunning(request.containerId);
      const folder = path.join(execs, request.execId.slice(0, 16));
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const processFile = path.join(folder, 'process.json');
      writeFileSync(processFile, encodeOci(request.process), { mode: 0o600 });
      const conmon = await spawnConmon(
        [
          ...conmonArguments(request.runtime, request.containerId, folder, request.execId.slice(0, 16)),
          ...['-l', 'none:', '-e', '--exec-process-spec', processFile, '--exit-dir', folder, '--exec-attach'],
          ...(request.stdin ? ['-i'] : []),
          ...(request.tty ? ['-t'] : []),
        ],
        [],
        folder,
      );
      const cleanUp = () => rmSync(folder, { recursive: true, force: true });
      conmon.startPipe.write('1');
      const ready = await conmon.attach.next();
      if (!ready || ready.data < 0) {
        const words = runtimeWords(ready?.message || conmon.errors() || 'conmon ended without a word');
        cleanUp();
        throw runtimeErrors.execFailed(words);
      }
      const stream = streamOf(path.join(folder, 'attach'));
      if (!request.attach) {
        stream.onData(() => {}); // drained, or the process would stall
        stream.endInput();
      }
      const code = Promise.withResolvers<number>();
      return {
        stream: request.attach ? stream : null,
        async start() {
          conmon.startPipe.end('2');
          const started = await conmon.sync.next();
          if (!started || started.data < 0) {
            stream.close();
            cleanUp();
            code.resolve(-1);
            throw runtimeErrors.execFailed(
              runtimeWords(started?.message || conmon.errors() || 'conmon ended without a word'),
            );
          }
          void conmon.sync.next().then((line) => {
            code.resolve(line?.data ?? 255);
            cleanUp();
          });
          return { pid: started.data };
        },
        async resize(rows, columns) {
          control(folder, `1 ${rows} ${columns}\n`);
        },
        exited: () => code.promise,
      };
    },

    exited: (id) => exits.wait(id, identityOf(id)),

    async status(id, identity): Promise<TaskStatus> {
      if (!identity) return 'absent';
      if (!isSameProcess(identity)) return exits.read(id) || existsSync(bundleOf(id)) ? 'stopped' : 'absent';
      if (existsSync(path.join(stateRoot, id, 'exec.fifo'))) return 'created';
      const frozen =
        readCgroupFile(cgroupFolder(identity.pid, 'freezer'), 'freezer.state') ??
        readCgroupFile(cgroupFolder(identity.pid, ''), 'cgroup.freeze');
      return frozen === 'FROZEN' || frozen === '1' ? 'paused' : 'running';
    },

    sample: async (id, pid) => readSample(id, pid),

    async processes(id) {
      const identity = identityOf(id);
      if (!identity || !isSameProcess(identity)) return [];
      const text = readCgroupFile(cgroupFolder(identity.pid, 'pids'), 'cgroup.procs') ?? '';
      return text.split('\n').filter(Boolean).map(Number);
    },

    async top(id, psArgs) {
      // A renamed PID column could pass another number off as one of the container's.
      if (/pid\s*=/i.test(psArgs)) throw runtimeErrors.psFailed('specifying "pid=" in ps arguments is not allowed');
      const pids = new Set(await runtime.processes(id));
      const { stdout } = await run('ps', (psArgs || '-ef').split(/\s+/).filter(Boolean)).catch((error: unknown) => {
        throw runtimeErrors.psFailed(
          error instanceof CommandError ? `ps: ${error.result.stderr.trim()}` : messageOf(error),
        );
      });
      const [head = '', ...lines] = stdout.trimEnd().split('\n');
      const Titles = head.trim().split(/\s+/);
      const column = Titles.indexOf('PID');
      if (column < 0) throw runtimeErrors.psFailed("Couldn't find PID field in ps output");
      const Processes = lines.flatMap((line) => {
        const words = line.trim().split(/\s+/);
        if (!pids.has(Number(words[column]))) return [];
        return [[...words.slice(0, Titles.length - 1), words.slice(Titles.length - 1).join(' ')]];
      });
      return { Titles, Processes };
    },

    async update(id, hostConfig) {
      await oci(id, ['update', '--resources', '-', id], JSON.stringify(buildResources(hostConfig, host)));
    },

    bundles: async () => readdirSync(bundles),
  };
  return runtime;
}

function runtimePath(name: string): string {
  if (name.startsWith('/')) return name;
  return (
    ['/usr/local/sbin', '/usr/sbin', '/usr/local/bin', '/usr/bin', '/sbin', '/bin']
      .map((folder) => path.join(folder, name))
      .find((file) => existsSync(file)) ?? name
  );
}

/** conmon ends by itself with its container; one that waits for a container which never started is ended here. */
function endConmon(bundle: string): void {
  try {
    const pid = Number(readFileSync(path.join(bundle, 'conmon.pid'), 'utf8'));
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(bundle)) process.kill(pid, SIGKILL);
  } catch {
    // it has ended
  }
}
