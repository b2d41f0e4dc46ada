import { completionScript, isShell, SHELLS } from '../completion.ts';
import { ExitError } from '../errors.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley completion [bash|zsh|fish]`; the shell in use when none is named. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const shell = args.positionals[0] ?? (context.env['SHELL'] ?? '').split('/').at(-1) ?? '';
  if (!isShell(shell))
    throw new ExitError(
      2,
      `galley: completion for ${JSON.stringify(shell)} is not known: name one of ${SHELLS.join(', ')}`,
    );
  context.out(completionScript(shell, context.commands));
  return 0;
}
