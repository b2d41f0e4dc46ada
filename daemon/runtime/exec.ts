import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../errors/engine-error.ts';
import { runtimeErrors } from '../errors/runtime.ts';
import { warmCgroups } from '../system/cgroup-warmth.ts';
import { onProcessEnd } from '../system/pidfd.ts';
import { conmonOf, type RuntimePaths } from './bundle.ts';
import { type ConmonProcess, conmonArguments, launchConmon } from './conmon.ts';
import { control } from './control.ts';
import { encodeOci } from './encode.ts';
import { openTaskStream } from './task-stream.ts';
import type { ExecRequest, ExecTask, TaskStream } from './types.ts';
import { runtimeWords } from './words.ts';

/** The code of a process whose conmon died. */
const LOST = 255;

/** Docker's codes for what could not be started. */
function codeOf(words: string): number {
  return /permission denied|is a directory/i.test(words) ? 126 : 127;
}

async function connect(conmon: ConmonProcess, folder: string): Promise<TaskStream> {
  conmon.next(false);
  const ready = await conmon.attach.next();
  if (ready && ready.data >= 0) return openTaskStream(path.join(folder, 'attach'));
  const line = ready ?? (await conmon.sync.next());
  throw new Error(runtimeWords(line?.message || conmon.failure()));
}

/** Prepares an exec up to the moment before its process starts; its attach socket is connected (field/conmon.md). @throws EngineError */
export async function prepareExec(request: ExecRequest, runtimePath: string, paths: RuntimePaths): Promise<ExecTask> {
  warmCgroups();
  const folder = paths.exec(request.execId);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const processFile = path.join(folder, 'process.json');
  writeFileSync(processFile, encodeOci(request.process), { mode: 0o600 });
  const identity = { id: request.containerId, name: path.basename(folder), folder };
  let conmon: ConmonProcess | null = null;
  let stream: TaskStream;
  try {
    conmon = launchConmon(
      [
        ...conmonArguments({ ...identity, runtimePath, state: paths.state(runtimePath) }),
        ...['-l', 'none:', '-e', '--exec-process-spec', processFile, '--exit-dir', folder, '--exec-attach'],
        ...(request.stdin ? ['-i'] : []),
        ...(request.tty ? ['-t'] : []),
      ],
      { folder, exec: true },
    );
    stream = await connect(conmon, folder);
  } catch (error) {
    conmon?.release();
    removeBehindConmon(folder);
    throw runtimeErrors.execFailed(messageOf(error));
  }
  const running = conmon;
  if (!request.attach) {
    stream.onData(() => {}); // drained, or the process would stall
    stream.endInput();
  }
  const code = Promise.withResolvers<number>();
  const end = (exitCode: number) => {
    running.release();
    code.resolve(exitCode);
    removeBehindConmon(folder);
  };
  return {
    stream: request.attach ? stream : null,
    async start() {
      warmCgroups();
      running.next(true);
      const started = await running.sync.next();
      if (!started || started.data < 0) {
        const words = runtimeWords(started?.message || running.failure());
        stream.close();
        end(codeOf(words));
        throw runtimeErrors.execFailed(words);
      }
      void running.sync.next().then((line) => end(line?.data ?? LOST));
      return { pid: started.data };
    },
    resize: (rows, columns) => control(folder, `1 ${rows} ${columns}`),
    exited: () => code.promise,
  };
}

/** An exec's folder goes with its conmon, which writes its exit file there at the very end. */
function removeBehindConmon(folder: string): void {
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const conmon = conmonOf(folder);
  if (conmon) onProcessEnd(conmon, remove);
  else remove();
}

/** Folders of execs that a former galleyd started: nobody else hears of their ends any more. */
export function adoptExecs(paths: RuntimePaths): void {
  for (const name of readdirSync(paths.execs)) removeBehindConmon(path.join(paths.execs, name));
}
