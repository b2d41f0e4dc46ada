import { closeSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { z } from 'zod';
import { messageOf } from '../errors/engine-error.ts';
import { runtimeErrors } from '../errors/runtime.ts';
import { findTool } from '../system/find-tool.ts';
import { devNull, openPipe, spawnProcess } from '../system/posix-spawn.ts';

/** A line of conmon's sync and attach pipes (field/conmon.md). */
const lineSchema = z.object({ data: z.number(), message: z.string().optional() });
export type ConmonLine = z.infer<typeof lineSchema>;

/** Lines of one pipe in order; `next` waits for the following one, undefined at the pipe's end. */
export class ConmonPipe {
  readonly #lines: ConmonLine[] = [];
  #waiting: ((line: ConmonLine | undefined) => void)[] = [];
  #ended = false;

  /** null: there is no such pipe, nothing ever comes. */
  constructor(pipe: Socket | null) {
    this.#ended = pipe === null;
    if (!pipe) return;
    let text = '';
    pipe.setEncoding('utf8');
    pipe.on('data', (piece: string) => {
      text += piece;
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
        this.#take(text.slice(0, at));
        text = text.slice(at + 1);
      }
    });
    const end = () => {
      if (text.trim() !== '') this.#take(text);
      text = '';
      this.#ended = true;
      for (const waiter of this.#waiting.splice(0)) waiter(undefined);
    };
    pipe.on('close', end);
    pipe.on('error', () => {}); // 'close' follows
  }

  #take(text: string): void {
    let line: ConmonLine;
    try {
      line = lineSchema.parse(JSON.parse(text));
    } catch {
      line = { data: -1, message: `conmon said: ${text}` };
    }
    const waiter = this.#waiting.shift();
    if (waiter) waiter(line);
    else this.#lines.push(line);
  }

  next(): Promise<ConmonLine | undefined> {
    const line = this.#lines.shift();
    if (line || this.#ended) return Promise.resolve(line);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** What conmon is told for a container and for an exec alike: `name` is its own, unique on this exec root. */
export function conmonArguments(what: {
  id: string;
  name: string;
  folder: string;
  runtimePath: string;
  state: string;
}): string[] {
  return [
    ...['--api-version', '1', '--full-attach', '--log-level', 'error'],
    ...[
      '-c',
      what.id,
      '-u',
      what.name,
      '-r',
      what.runtimePath,
      '-b',
      what.folder,
      '-p',
      path.join(what.folder, 'pidfile'),
    ],
    ...['--conmon-pidfile', path.join(what.folder, 'conmon.pid'), '--socket-dir-path', what.folder],
    `--runtime-arg=--root=${what.state}`,
  ];
}

export interface ConmonProcess {
  sync: ConmonPipe;
  /** Says when the attach socket of an exec is there; ends at once otherwise. */
  attach: ConmonPipe;
  /** conmon waits for a byte before each step of an exec. */
  next(last: boolean): void;
  /** Gives the pipes back; conmon lives on. */
  release(): void;
  /** Why it gave no answer: what it printed. */
  failure(): string;
}

function reader(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: false });
}

/**
 * Starts conmon with its pipes on 3, and on 4 and 5 for an exec; `inherit` follow and stay open in it for its life. It leaves with a
 * double fork and a session of its own, so it outlives galleyd; its first line on the sync pipe tells of the container.
 * @throws EngineError when it cannot be started
 */
export function launchConmon(
  args: readonly string[],
  options: { folder: string; exec: boolean; inherit?: readonly number[] },
): ConmonProcess {
  const errors = openPipe();
  const sync = openPipe();
  const start = options.exec ? openPipe() : null;
  const attach = options.exec ? openPipe() : null;
  const given = [errors.write, sync.write, ...(start && attach ? [start.read, attach.write] : [])];
  const kept = [errors.read, sync.read, ...(start && attach ? [start.write, attach.read] : [])];
  // The OCI runtime makes mount points, and an exec's files, with the mask that it inherits: galleyd's 077 would shut out other users.
  const own = process.umask(0o022);
  try {
    spawnProcess(findTool('conmon'), args, {
      cwd: options.folder, // conmon leaves its `oom` mark where it stands unless it is told another place
      env: {
        PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
        _OCI_SYNCPIPE: '3',
        ...(options.exec ? { _OCI_STARTPIPE: '4', _OCI_ATTACHPIPE: '5' } : {}),
      },
      descriptors: [devNull(), devNull(), ...given, ...(options.inherit ?? [])],
    });
  } catch (error) {
    for (const fd of kept) closeSync(fd);
    throw runtimeErrors.conmonFailed(messageOf(error));
  } finally {
    process.umask(own);
    for (const fd of given) closeSync(fd);
  }
  let printed = '';
  const stderr = reader(errors.read);
  stderr.on('error', () => {}); // nothing more of it
  stderr.on('data', (piece: Buffer) => {
    printed = (printed + piece.toString()).slice(-4096);
  });
  const readers = [stderr, reader(sync.read), ...(attach ? [reader(attach.read)] : [])] as const;
  let startDescriptor = start?.write ?? -1;
  const closeStart = () => {
    if (startDescriptor >= 0) closeSync(startDescriptor);
    startDescriptor = -1;
  };
  return {
    sync: new ConmonPipe(readers[1]),
    attach: new ConmonPipe(readers[2] ?? null),
    next(last) {
      try {
        if (startDescriptor >= 0) writeSync(startDescriptor, '1');
      } catch {
        // conmon has ended: the sync pipe tells why
      }
      if (last) closeStart();
    },
    release() {
      closeStart();
      for (const one of readers) one?.destroy();
    },
    failure: () => printed.trim() || 'conmon ended without a word',
  };
}
