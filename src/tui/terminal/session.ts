/** A shell or an attached process that has the whole terminal while the dashboard waits. */
import { spawnSync } from 'node:child_process';
import { FrameDecoder } from '../../api/index.ts';
import type { EngineClient, ExecHandle, HijackedStream } from '../../client/index.ts';

const DETACH = Buffer.from([0x10, 0x11]);
/** bash where there is one: the shell's own search finds it, so one exec is enough. */
const SHELL = ['/bin/sh', '-c', 'command -v bash >/dev/null 2>&1 && exec bash; exec sh'];

const size = (): [rows: number, columns: number] => [process.stdout.rows || 24, process.stdout.columns || 80];

/** Joins this terminal to `stream` until the other side ends or ctrl-p ctrl-q is typed. */
async function join(stream: HijackedStream, resize: () => Promise<void>, tty: boolean): Promise<'ended' | 'detached'> {
  const { stdin, stdout } = process;
  const { socket } = stream;
  let detached = false;
  let held = false;
  const onData = (chunk: Buffer) => {
    let data = chunk;
    if (held) data = Buffer.concat([DETACH.subarray(0, 1), chunk]);
    held = false;
    const at = data.indexOf(DETACH);
    if (at >= 0) {
      detached = true;
      socket.destroy();
      return;
    }
    if (data.at(-1) === DETACH[0]) {
      held = true;
      data = data.subarray(0, -1);
    }
    if (data.length > 0) socket.write(data);
  };
  // A window that closes while the process ends has nothing left to be resized.
  const onResize = () => void resize().catch(() => undefined);
  const decoder = new FrameDecoder((_type, data) => stdout.write(data));
  if (tty) {
    stdin.setRawMode(true);
    // Node's raw mode keeps output post-processing, which the container's terminal has done already.
    spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  }
  stdin.on('data', onData);
  stdin.resume();
  stdout.on('resize', onResize);
  onResize();
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('data', (chunk: Buffer) => (stream.multiplexed ? decoder.push(chunk) : stdout.write(chunk)));
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
    if (tty) stdin.setRawMode(false);
    socket.destroy();
  }
}

/** Runs it; the text for the message line. @throws Error with the engine's words */
export async function runSession(
  client: EngineClient,
  kind: 'shell' | 'attach',
  id: string,
  name: string,
): Promise<string> {
  const container = client.getContainer(id);
  if (kind === 'attach') {
    const { Config } = await container.inspect();
    process.stdout.write(`Attached to ${name}; ctrl-p ctrl-q detaches and leaves it running.\r\n`);
    const stream = await container.attach({ stdin: true, stdout: true, stderr: true, stream: true });
    const end = await join(stream, () => (Config.Tty ? container.resize(...size()) : Promise.resolve()), true);
    return end === 'detached' ? `detached from ${name}, which runs on` : `${name} ended`;
  }
  const exec: ExecHandle = await container.exec({
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
