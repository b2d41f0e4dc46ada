import type { CommandSpec } from '../types.ts';

/** Words that stand before a command, and what they gather. */
export const GROUPS: Readonly<Record<string, string>> = {
  container: 'Manage containers',
  image: 'Manage images',
  volume: 'Manage volumes',
  network: 'Manage networks',
  system: 'The engine itself',
  daemon: 'Run and manage galleyd',
};

export const isGroup = (word: string): boolean => Object.hasOwn(GROUPS, word);

/** Every path a command answers to. */
export const pathsOf = (command: CommandSpec): readonly string[] => [command.name, ...(command.aliases ?? [])];
