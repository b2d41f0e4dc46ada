/** A terminal joined to a hijacked connection: raw mode and its restore, detach keys, half-close, resize, signals. */
import { isatty } from 'node:tty';
import { DetachScanner, parseDetachKeys } from '../api/detach-keys.ts';
import type { HijackedStream } from '../client/types.ts';
import { copyOutput } from './copy-output.ts';
import { ExitError } from './errors.ts';
import { err } from './output.ts';

export interface SessionOptions {
  stream: HijackedStream;
  /** Pass stdin on. */
  stdin: boolean;
  tty: boolean;
  detachKeys: string;
}

/** What docker says on stderr when the keys end an attach or exec. */
export const DETACHED = 'read escape sequence';

/** Rows and columns of this terminal; undefined when stdout is none. */
export function terminalSize(): [rows: number, columns: number] | undefined {
  const size = isatty(1) ? process.stdout.getWindowSize() : undefined;
  return size && size[0] > 0 && size[1] > 0 ? [size[1], size[0]] : undefined;
}

/** A terminal for the command needs one here. @throws ExitError 1 in Docker's words. */
export function checkTty(stdin: boolean, tty: boolean): void {
  if (stdin && tty && !isatty(0)) throw new ExitError(1, 'the input device is not a TTY');
}

/** Puts the terminal into raw mode; the returned function gives it back, as does any end of the process. */
function rawMode(): () => void {
  const { stdin } = process;
  if (!stdin.isTTY || stdin.isRaw) return () => undefined;
  stdin.setRawMode(true);
  // Node's raw mode still turns \n into \r\n on the way out, which the container's terminal has done already (and a
  // full-screen program means a bare \n). setRawMode(false) gives this back too; without stty lines are only spaced oddly.
  process
    .getBuiltinModule('node:child_process')
    .spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  const restore = () => {
    process.off('exit', restore);
    stdin.setRawMode(false);
  };
  process.on('exit', restore);
  return restore;
}

function pumpStdin(options: SessionOptions, onDetach: () => void): () => void {
  const { socket } = options.stream;
  const { stdin } = process;
  const watcher = options.tty && stdin.isTTY ? new DetachScanner(parseDetachKeys(options.detachKeys)) : undefined;
  const onData = (chunk: Buffer) => {
    const { forward, detached } = watcher ? watcher.push(chunk) : { forward: chunk, detached: false };
    if (forward.length > 0 && !socket.write(forward)) {
      stdin.pause();
      socket.once('drain', () => stdin.resume());
    }
    if (detached) onDetach();
  };
  const onEnd = () => socket.end();
  stdin.on('data', onData);
  stdin.on('end', onEnd);
  // Reading from a terminal that went away is its end.
  stdin.on('error', onEnd);
  return () => {
    stdin.off('data', onData);
    stdin.off('end', onEnd);
    stdin.pause();
  };
}

/**
 * Runs until the other side ends or the detach keys are typed.
 * @throws Error when the connection breaks or the engine reports an error in the stream.
 */
export async function runSession(options: SessionOptions): Promise<'ended' | 'detached'> {
  const { socket, multiplexed } = options.stream;
  let detached = false;
  const restore = options.tty && options.stdin ? rawMode() : () => undefined;
  const stop = options.stdin
    ? pumpStdin(options, () => {
        detached = true;
        socket.destroy();
      })
    : () => undefined;
  // A write to a container that has ended is no failure of the session.
  socket.on('error', () => undefined);
  try {
    await copyOutput(socket, multiplexed);
    return detached ? 'detached' : 'ended';
  } catch (error) {
    if (detached) return 'detached';
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE') return 'ended';
    throw error;
  } finally {
    stop();
    restore();
    socket.destroy();
  }
}

const RESIZE_TRIES = 10;

/**
 * Keeps the container's terminal as large as this one. The first resize may come before the process has its terminal:
 * it is tried again for a while, as Docker does. The returned function ends the watch.
 */
export function followSize(resize: (rows: number, columns: number) => Promise<void>): () => void {
  let stopped = false;
  const send = async (tries: number): Promise<void> => {
    const size = terminalSize();
    if (!size || stopped) return;
    try {
      await resize(...size);
    } catch {
      if (tries > 1 && !stopped) setTimeout(() => void send(tries - 1), 20).unref();
    }
  };
  const onResize = () => void send(1);
  void send(RESIZE_TRIES);
  process.on('SIGWINCH', onResize);
  return () => {
    stopped = true;
    process.off('SIGWINCH', onResize);
  };
}

const PROXIED = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGTSTP',
] as const;
const GIVE_UP_AFTER = 3;

/** Passes signals on to the container. A third SIGINT or SIGTERM ends the client itself. */
export function proxySignals(kill: (signal: string) => Promise<void>): () => void {
  let endings = 0;
  const forward = (signal: NodeJS.Signals) => {
    if ((signal === 'SIGINT' || signal === 'SIGTERM') && ++endings >= GIVE_UP_AFTER) {
      err(`got ${GIVE_UP_AFTER} SIGTERM/SIGINTs, forcefully exiting\n`);
      process.exit(1);
    }
    kill(signal.slice('SIG'.length)).catch((error: unknown) => {
      // The container may have ended in this moment.
      err(
        `unsupported signal or container gone: ${signal}: ${error instanceof Error ? error.message : String(error)}\n`,
      );
    });
  };
  for (const signal of PROXIED) process.on(signal, forward);
  return () => {
    for (const signal of PROXIED) process.off(signal, forward);
  };
}
