/**
 * The command table. Everything that must agree about commands reads it: the parser of the fast path, help and completion
 * (yargs), the documentation, and the dashboard where it shows what a key would be on the command line.
 */
import type { CommandSpec } from '../types.ts';
import { CHANGE_COMMANDS } from './table-changes.ts';
import { CONTAINER_COMMANDS } from './table-containers.ts';
import { IMAGE_COMMANDS } from './table-images.ts';
import { OBJECT_COMMANDS } from './table-objects.ts';
import { SYSTEM_COMMANDS } from './table-system.ts';

const ALL: readonly CommandSpec[] = [
  ...CONTAINER_COMMANDS,
  ...CHANGE_COMMANDS,
  ...IMAGE_COMMANDS,
  ...OBJECT_COMMANDS,
  ...SYSTEM_COMMANDS,
];

/** What help, completion and documentation tell of. */
export const COMMANDS: readonly CommandSpec[] = ALL.filter((command) => !command.hidden);

/** The command that `words` start with and what follows it; undefined when there is none. */
export function findCommand(words: readonly string[]): { command: CommandSpec; rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    if (words.length < length) continue;
    const path = words.slice(0, length).join(' ');
    const command = ALL.find((one) => one.name === path || one.aliases?.includes(path));
    if (command) return { command, rest: words.slice(length) };
  }
  return undefined;
}
