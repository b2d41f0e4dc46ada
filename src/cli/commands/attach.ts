import { ExitError } from '../errors.ts';
import { checkTty, DETACHED, followSize, proxySignals, runSession, terminalSize } from '../session.ts';
import type { CliContext, ParsedArgs } from '../types.ts';
import { exitCode } from './run.ts';

/** `galley attach`: until the container ends (its exit code) or the detach keys (1, as docker has it). */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const found = await client.getContainer(args.positionals[0] as string).inspect();
  const { State, Config } = found;
  if (!State.Running) throw new ExitError(1, 'You cannot attach to a stopped container, start it first');
  if (State.Paused) throw new ExitError(1, 'You cannot attach to a paused container, unpause it first');
  if (State.Restarting) throw new ExitError(1, 'You cannot attach to a restarting container, wait until it is running');
  const container = client.getContainer(found.Id);
  const stdin = !args.bool('no-stdin') && Config.OpenStdin;
  const tty = Config.Tty;
  checkTty(stdin, tty);
  const detachKeys = args.string('detach-keys');
  const stopProxy =
    args.bool('sig-proxy') && !tty ? proxySignals((signal) => container.kill({ signal })) : () => undefined;
  let stopSize: () => void = () => undefined;
  try {
    const wait = await container.wait({ condition: found.HostConfig.AutoRemove ? 'removed' : 'not-running' });
    const stream = await container.attach({ stdin, stdout: true, stderr: true, ...(detachKeys ? { detachKeys } : {}) });
    if (tty) {
      // A program redraws only when the size changes: one row more and back brings the prompt of a second attach.
      const size = terminalSize();
      if (size) await container.resize(size[0] + 1, size[1] + 1).catch(() => undefined);
      stopSize = followSize((rows, columns) => container.resize(rows, columns));
    }
    const end = await runSession({ stream: tty ? { ...stream, multiplexed: false } : stream, stdin, tty, detachKeys });
    if (end === 'detached') throw new ExitError(1, DETACHED);
    return exitCode(await wait.result);
  } finally {
    stopSize();
    stopProxy();
    await client.close();
  }
}
