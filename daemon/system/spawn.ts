import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { messageOf } from '../errors/engine-error.ts';
import { findTool } from './find-tool.ts';
import { devNull, type Exit, openPipe, spawnProcess } from './posix-spawn.ts';

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

export class CommandError extends Error {
  readonly result: RunResult;
  constructor(command: string, args: readonly string[], result: RunResult) {
    super(`${command} ${args.join(' ')} failed (exit ${result.code}): ${(result.stderr || result.stdout).trim()}`);
    this.name = 'CommandError';
    this.result = result;
  }
}

export interface RunOptions {
  input?: string | Buffer;
  timeoutMs?: number;
  /** Resolve with the result whatever the exit code (default: throw CommandError when it is not 0). */
  allowFailure?: boolean;
}

/** All that comes out of a pipe, until its other end is closed everywhere. */
function collect(fd: number): Promise<string> {
  const socket = new Socket({ fd, readable: true, writable: false });
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  socket.on('error', () => {}); // 'close' follows
  return new Promise((resolve) => socket.on('close', () => resolve(Buffer.concat(pieces).toString())));
}

function feed(fd: number, input: string | Buffer): void {
  const socket = new Socket({ fd, readable: false, writable: true });
  socket.on('error', () => {}); // the tool may end before it has read its input; its exit code tells
  socket.end(input);
}

/**
 * Runs a host tool to its end and gives back what it printed.
 * @throws CommandError when it exits non-zero (unless allowFailure); Error when it cannot be started or timed out.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const input = options.input === undefined ? null : openPipe();
  const [out, err] = [openPipe(), openPipe()];
  const given = [...(input ? [input.read] : []), out.write, err.write];
  const kept = [...(input ? [input.write] : []), out.read, err.read];
  const ended = Promise.withResolvers<Exit>();
  let pid: number;
  try {
    pid = spawnProcess(findTool(command), args, {
      env: process.env,
      descriptors: [input?.read ?? devNull(), out.write, err.write],
      exited: ended.resolve,
    });
  } catch (error) {
    for (const fd of kept) closeSync(fd);
    throw new Error(`cannot run ${command}: ${messageOf(error)}`, { cause: error });
  } finally {
    for (const fd of given) closeSync(fd);
  }
  if (input) feed(input.write, options.input ?? '');
  let late = false;
  const timer = options.timeoutMs
    ? setTimeout(() => {
        late = true;
        process.kill(pid, 'SIGKILL'); // not reaped yet, so it is no other process
      }, options.timeoutMs)
    : undefined;
  const [{ code, signal }, stdout, printed] = await Promise.all([
    ended.promise.finally(() => clearTimeout(timer)),
    collect(out.read),
    collect(err.read),
  ]);
  if (late) throw new Error(`${command} ${args.join(' ')} did not end within ${options.timeoutMs} ms`);
  const result = { code, stdout, stderr: printed || (signal ? `killed by signal ${signal}` : '') };
  if (code !== 0 && !options.allowFailure) throw new CommandError(command, args, result);
  return result;
}
