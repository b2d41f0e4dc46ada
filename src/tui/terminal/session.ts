/** A shell or an attached process that has the whole terminal while the dashboard waits. */
import { spawnSync } from 'node:child_process';
import { DetachScanner, FrameDecoder, parseDetachKeys } from '../../api/index.ts';
import type { EngineClient, HijackedStream } from '../../client/index.ts';
import { RESET_MODES } from './guard.ts';

/** bash where there is one: the shell's own search finds it, so one exec is enough. */
const SHELL = ['/bin/sh', '-c', 'command -v bash >/dev/null 2>&1 && exec bash; exec sh'];
const CTRL_C = 3;

const size = (): [rows: number, columns: number] => [process.stdout.rows || 24, process.stdout.columns || 80];

/** What is typed, made fit for a process without a terminal of its own: seen by the person, lines ended as it expects. */
function echoed(data: Buffer): Buffer {
  const text = Buffer.from(data.toString('latin1').replaceAll('\r', '\n'), 'latin1');
  process.stdout.write(text);
  return text;
}

/** Joins this terminal to `stream` until the other side ends or ctrl-p ctrl-q is typed (ctrl-c too where there is no terminal to take it). */
async function join(stream: HijackedStream, resize: () => Promise<void>, tty: boolean): Promise<'ended' | 'detached'> {
  const { stdin, stdout } = process;
  const { socket } = stream;
  const keys = new DetachScanner(parseDetachKeys(''));
  let detached = false;
  const leave = () => {
    detached = true;
    socket.destroy();
  };
  // Ink sets an encoding on stdin, which cannot be taken back: what arrives is text.
  const onData = (chunk: Buffer | string) => {
    const data = Buffer.from(chunk as string);
    if (!tty && data.includes(CTRL_C)) return leave();
    const { forward, detached: left } = keys.push(data);
    if (forward.length > 0) socket.write(tty ? forward : echoed(forward));
    if (left) leave();
  };
  // A window that closes while the process ends has nothing left to be resized.
  const onResize = () => void resize().catch(() => undefined);
  const decoder = new FrameDecoder((_type, data) => stdout.write(data));
  stdin.setRawMode(true);
  // Node's raw mode keeps output post-processing, which the container's terminal has done already.
  if (tty) spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  stdin.on('data', onData);
  stdin.resume();
  stdout.on('resize', onResize);
  onResize();
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('data', (chunk: Buffer) => {
        if (stream.multiplexed) decoder.push(chunk);
        else stdout.write(chunk);
      });
      socket.once('end', resolve);
      socket.once('close', resolve);
      socket.once('error', (error: NodeJS.ErrnoException) =>
        detached || error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve() : reject(error),
      );
      socket.resume();
    });
    return detached ? 'detached' : 'ended';
  } finally {
    stdin.off('data', onData);
    stdout.off('resize', onResize);
    stdin.pause();
    stdin.setRawMode(false);
    socket.destroy();
    // What the process left of its modes must not stay, and a frame begins where the cursor stands.
    stdout.write(`${RESET_MODES}\r\n`);
    // Node stops reading a paused stdin one tick later: who listens before that is never told anything again.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export type SessionKind = 'shell' | 'attach';

/** Runs it; the text for the message line. @throws Error with the engine's words */
export async function runSession(client: EngineClient, kind: SessionKind, id: string, name: string): Promise<string> {
  const container = client.getContainer(id);
  if (kind === 'attach') {
    const { Config } = await container.inspect();
    const ways = Config.Tty ? 'ctrl-p ctrl-q' : 'ctrl-c or ctrl-p ctrl-q';
    process.stdout.write(`Attached to ${name}; ${ways} comes back and leaves it running.\r\n`);
    const stream = await container.attach({ stdin: Config.OpenStdin, stdout: true, stderr: true, stream: true });
    const resize = () => (Config.Tty ? container.resize(...size()) : Promise.resolve());
    // A program that draws a whole screen draws it anew only for a window that changed.
    if (Config.Tty) await container.resize(size()[0] + 1, size()[1]);
    const end = await join(stream, resize, Config.Tty);
    return end === 'detached' ? `detached from ${name}, which runs on` : `${name} ended`;
  }
  const exec = await container.exec({
    Cmd: SHELL,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: true,
  });
  process.stdout.write(`Shell in ${name}; exit or ctrl-d comes back.\r\n`);
  const stream = await exec.start({ tty: true, consoleSize: size() });
  const end = await join(stream, () => exec.resize(...size()), true);
  if (end === 'detached') return `left the shell in ${name} running`;
  const { ExitCode } = await exec.inspect();
  if (ExitCode === 126 || ExitCode === 127) throw new Error(`no shell in ${name}: the image has no /bin/sh`);
  return `shell in ${name} ended${ExitCode ? ` with ${ExitCode}` : ''}`;
}
