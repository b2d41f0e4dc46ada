/** Help on stdout when asked for, usage on stderr when something was wrong. */
import { GROUPS, pathsOf } from './commands/groups.ts';
import { COMMANDS } from './commands/table.ts';
import { err, out } from './output.ts';
import type { CommandSpec } from './types.ts';
import { commandHelp, groupHelp, nearest } from './yargs.ts';

export async function printHelp(command: CommandSpec): Promise<void> {
  out(await commandHelp(command));
}

export async function printGroupHelp(group: string): Promise<void> {
  out(await groupHelp(group));
}

export async function printTopHelp(): Promise<void> {
  out(await groupHelp(undefined));
}

/** Without a verb and without a terminal there is nothing to open. */
export async function printUsage(): Promise<void> {
  err(`galley: the dashboard needs a terminal; name a command, or use --snapshot\n\n${await groupHelp(undefined)}`);
}

/** A line with the nearest command, or nothing. */
export async function suggestCommand(tried: string): Promise<string> {
  const words = tried.split(' ');
  const last = words.at(-1) as string;
  const prefix = words.slice(0, -1).join(' ');
  const known = COMMANDS.flatMap(pathsOf)
    .filter((path) => (prefix ? path.startsWith(`${prefix} `) : !path.includes(' ')))
    .map((path) => path.split(' ').at(-1) as string);
  const found = nearest(last, [...new Set([...known, ...(prefix ? [] : Object.keys(GROUPS))])]);
  return found ? `\n\nDid you mean "galley ${prefix ? `${prefix} ` : ''}${found}"?` : '';
}

/** A line with the nearest flag, or nothing. */
export async function suggestFlag(command: CommandSpec, name: string): Promise<string> {
  const found = nearest(
    name,
    command.flags.filter((flag) => !flag.hidden).map((flag) => flag.name),
  );
  return found ? `\nDid you mean --${found}?` : '';
}
