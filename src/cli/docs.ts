/** Markdown for the README, made from the command table. */
import { COMMANDS } from './commands/table.ts';
import type { CommandSpec } from './types.ts';

const cell = (text: string) => text.replaceAll('|', '\\|');

/** `| command | what it does |` for every command, in the table's order. */
export function commandTable(): string {
  const rows = COMMANDS.map((command) => {
    const aliases = (command.aliases ?? []).map((one) => `\`${one}\``).join(', ');
    return `| \`galley ${cell(command.name)}\` | ${cell(command.summary)} | ${aliases} |`;
  });
  return ['| command | what it does | also |', '|---|---|---|', ...rows, ''].join('\n');
}

/** `| flag | value | meaning |` of one command. */
export function flagTable(command: CommandSpec): string {
  const rows = command.flags
    .filter((flag) => !flag.hidden)
    .map(
      (flag) =>
        `| \`${flag.short ? `-${flag.short}, ` : ''}--${flag.name}\` | ${flag.type === 'bool' ? '' : flag.type} | ${cell(flag.help)} |`,
    );
  return ['| flag | value | meaning |', '|---|---|---|', ...rows, ''].join('\n');
}
