import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { runtimeErrors } from '../errors/runtime.ts';

/** A line of conmon's sync and attach pipes (field/conmon.md). */
const lineSchema = z.object({ data: z.number(), message: z.string().optional() });
export type ConmonLine = z.infer<typeof lineSchema>;

/** Lines of one pipe in order; `next` waits for the following one, undefined at the pipe's end. */
export class ConmonPipe {
  readonly #lines: ConmonLine[] = [];
  #waiting: ((line: ConmonLine | undefined) => void)[] = [];
  #ended = false;

  constructor(pipe: Readable) {
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
    pipe.on('end', end);
    pipe.on('error', end);
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

export interface ConmonProcess {
  child: ChildProcess;
  sync: ConmonPipe;
  attach: ConmonPipe;
  /** conmon waits for a write here before each step of an exec. */
  startPipe: Writable;
  /** What conmon printed, for when it fails without a word on the pipes. */
  errors(): string;
}

/** Descriptors 3, 4 and 5 are conmon's pipes; `inherit` follow and stay open in it for its life. @throws EngineError when it cannot be spawned. */
export async function spawnConmon(
  args: readonly string[],
  inherit: readonly number[],
  folder: string,
): Promise<ConmonProcess> {
  const exec = args.includes('-e');
  const child = spawn('conmon', [...args], {
    cwd: folder, // conmon leaves its `oom` mark where it stands unless it is told another place
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', 'pipe', ...inherit],
    env: {
      PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
      _OCI_SYNCPIPE: '3',
      ...(exec ? { _OCI_STARTPIPE: '4', _OCI_ATTACHPIPE: '5' } : {}),
    },
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(runtimeErrors.conmonFailed(error.message)));
  });
  let errors = '';
  child.stderr?.on('data', (piece: Buffer) => {
    errors = (errors + piece.toString()).slice(-4096);
  });
  const startPipe = child.stdio[4] as unknown as Writable;
  startPipe.on('error', () => {}); // conmon may end first; the sync pipe tells why
  return {
    child,
    sync: new ConmonPipe(child.stdio[3] as Readable),
    attach: new ConmonPipe((child.stdio as unknown as Readable[])[5] as Readable),
    startPipe,
    errors: () => errors.trim(),
  };
}

/** runc logs `time="…" level=error msg="…"`: only its words are for people. */
export function runtimeWords(text: string): string {
  const messages = [...text.matchAll(/msg="((?:[^"\\]|\\.)*)"/g)].map((match) =>
    (match[1] as string).replace(/\\(.)/g, '$1'),
  );
  return (messages.at(-1) ?? text).trim();
}
