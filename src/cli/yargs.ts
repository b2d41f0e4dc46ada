/** The command table as yargs sees it: for help and suggestions only, so a one-shot command never loads it. */
import yargs, { type Argv } from 'yargs';
import { GROUPS } from './commands/groups.ts';
import { COMMANDS } from './commands/table.ts';
import type { CommandSpec, FlagSpec } from './types.ts';

const WIDTH = 100;

const yargsType = (flag: FlagSpec): 'boolean' | 'number' | 'string' =>
  flag.type === 'bool' ? 'boolean' : flag.type === 'int' ? 'number' : 'string';

function base(): Argv {
  return yargs([])
    .scriptName('galley')
    .help(false)
    .version(false)
    .exitProcess(false)
    .locale('en')
    .wrap(Math.min(WIDTH, process.stdout.columns ?? WIDTH));
}

/** The usage line of a command. */
const usageOf = (command: CommandSpec): string => `galley ${command.name} ${command.usage}`.trimEnd();

/** Help of one command: usage, aliases, options, examples. */
export async function commandHelp(command: CommandSpec): Promise<string> {
  const aliases = command.aliases?.length
    ? `\n\nAliases:  ${[command.name, ...command.aliases].map((one) => `galley ${one}`).join(', ')}`
    : '';
  const parser = base().usage(`Usage:  ${usageOf(command)}\n\n${command.summary}${aliases}`);
  for (const flag of command.flags) {
    if (flag.hidden) continue;
    parser.option(flag.name, {
      describe: flag.help,
      type: yargsType(flag),
      ...(flag.short ? { alias: flag.short } : {}),
      ...(flag.default ? { defaultDescription: flag.default } : {}),
    });
  }
  for (const [example, meaning] of command.examples ?? []) parser.example(example, meaning);
  return `${await parser.getHelp()}\n`;
}

/** Help of a group, or of the whole program (name undefined). */
export async function groupHelp(group: string | undefined): Promise<string> {
  const title = group
    ? `Usage:  galley ${group} COMMAND\n\n${GROUPS[group]}`
    : 'Usage:  galley [OPTIONS] [COMMAND]\n\nWithout a command, galley opens its dashboard.';
  // yargs puts the script's name before each command.
  const parser = base()
    .usage(title)
    .scriptName(group ? `galley ${group}` : 'galley');
  const seen = new Set<string>();
  for (const command of COMMANDS) {
    const paths = group
      ? [command.name, ...(command.aliases ?? [])].filter((path) => path.startsWith(`${group} `))
      : [command.name].filter((path) => !path.includes(' '));
    const path = paths[0];
    const word = group ? path?.slice(group.length + 1) : path;
    if (word === undefined || seen.has(word)) continue;
    seen.add(word);
    parser.command(word, command.summary);
  }
  if (!group) {
    for (const [name, meaning] of Object.entries(GROUPS))
      if (!seen.has(name)) parser.command(`${name} COMMAND`, meaning);
    globalOptions(parser);
    parser.epilogue('galley COMMAND --help says more about a command.');
  }
  return `${await parser.getHelp()}\n`;
}

function globalOptions(parser: Argv): void {
  parser
    .option('host', {
      alias: 'H',
      type: 'string',
      describe: 'engine to talk to: unix://PATH, tcp://HOST:PORT, ssh://HOST',
    })
    .option('context', { alias: 'c', type: 'string', describe: 'docker context to use' })
    .option('config', { type: 'string', describe: 'folder of config.json (default ~/.docker)' })
    .option('debug', { alias: 'D', type: 'boolean', describe: 'say more when something fails' })
    .option('snapshot', { type: 'boolean', describe: 'print one frame of the dashboard as text' })
    .option('size', { type: 'string', describe: 'size of the snapshot, COLUMNSxROWS' })
    .option('tls', { type: 'boolean', describe: 'use TLS' })
    .option('tlsverify', { type: 'boolean', describe: 'use TLS and verify the engine' })
    .option('tlscacert', { type: 'string', describe: 'CA of the engine' })
    .option('tlscert', { type: 'string', describe: 'client certificate' })
    .option('tlskey', { type: 'string', describe: 'client key' })
    .option('version', { alias: 'v', type: 'boolean', describe: 'print the version' });
}

/** yargs' own "Did you mean": the nearest of `known`, or undefined. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let suggestion: string | undefined;
  const parser = base()
    .recommendCommands()
    .strictCommands()
    .demandCommand(1)
    .fail((message) => {
      suggestion = /^Did you mean (.*)\?$/m.exec(message)?.[1] ?? suggestion;
    });
  for (const one of known) parser.command(one, false);
  parser.parse([word]);
  // yargs allows three changed letters, which makes any short word like any other.
  return suggestion?.[0] === word[0] || word.length > 5 ? suggestion : undefined;
}
