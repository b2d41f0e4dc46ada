import { ExitError } from '../errors.ts';
import { readEnvironment } from '../run/values.ts';
import { checkTty, DETACHED, followSize, runSession, terminalSize } from '../session.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley exec`: the command's own exit code. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [name, ...command] = args.positionals as [string, ...string[]];
  const detach = args.bool('detach');
  const tty = args.bool('tty');
  const stdin = args.bool('interactive') && !detach;
  checkTty(stdin, tty);
  const environment = readEnvironment(args.list('env-file'), args.list('env'), context.env);
  const size = tty ? terminalSize() : undefined;
  const client = await context.client();
  const exec = await client.getContainer(name).exec({
    User: args.string('user'),
    Privileged: args.bool('privileged'),
    Tty: tty,
    ...(size ? { ConsoleSize: size } : {}),
    AttachStdin: stdin,
    AttachStdout: !detach,
    AttachStderr: !detach,
    DetachKeys: args.string('detach-keys'),
    Env: environment.length > 0 ? environment : null,
    WorkingDir: args.string('workdir'),
    Cmd: command,
  });
  if (detach) {
    await exec.startDetached();
    return 0;
  }
  let stopSize: () => void = () => undefined;
  try {
    const stream = await exec.start({ tty, ...(size ? { consoleSize: size } : {}) });
    if (tty) stopSize = followSize((rows, columns) => exec.resize(rows, columns));
    const end = await runSession({ stream, stdin, tty, detachKeys: args.string('detach-keys') });
    if (end === 'detached') throw new ExitError(1, DETACHED);
    return (await exec.inspect()).ExitCode ?? 0;
  } finally {
    stopSize();
    await client.close();
  }
}
