/** From the words of a command line to an exit code. */
import { compareVersions } from '../api/version.ts';
import { EndpointError } from '../client/endpoint.ts';
import { EngineUnreachableError } from '../client/failure.ts';
import { TemplateError } from '../format/template-parser.ts';
import { isGroup } from './commands/groups.ts';
import { COMMANDS, findCommand } from './commands/table.ts';
import { createContext } from './context.ts';
import { ExitError, errorText } from './errors.ts';
import { err } from './output.ts';
import { FlagError, HelpRequested, parseArgs } from './parse.ts';
import type { CliContext, CommandSpec, GlobalFlags, ParsedArgs } from './types.ts';

const USAGE_OWN = 2;
/** Docker's code for a flag it does not understand, on every verb. */
const USAGE_FLAG = 125;

function plural(n: number): string {
  return n === 1 ? '1 argument' : `${n} arguments`;
}

/** Docker's sentence for a wrong number of arguments, or undefined when it is right. */
function countError(command: CommandSpec, count: number): { words: string; see: string } | undefined {
  const { min, max } = command.args;
  const name = `'galley ${command.name}'`;
  if (max === 0 && count > 0) return { words: `${name} accepts no arguments`, see: 'Run' };
  if (min === max && count !== min) return { words: `${name} requires ${plural(min)}`, see: 'Run' };
  if (max === Number.POSITIVE_INFINITY) {
    return count < min ? { words: `${name} requires at least ${plural(min)}`, see: 'See' } : undefined;
  }
  if (count < min || count > max) {
    const words = min === 0 ? `requires at most ${plural(max)}` : `requires at least ${min} and at most ${plural(max)}`;
    return { words: `${name} ${words}`, see: 'Run' };
  }
  return undefined;
}

const usageLine = (command: CommandSpec) => `Usage:  galley ${command.name} ${command.usage}`.trimEnd();

/** Runs one command line (without global flags). Prints every error; never throws. */
export async function runCommandLine(words: readonly string[], globals: GlobalFlags): Promise<number> {
  const found = findCommand(words);
  if (!found) return unknownCommand(words);
  const { command, rest } = found;
  const context = createContext(globals, words.join(' '), COMMANDS);
  let args: ParsedArgs;
  try {
    args = parseArgs(command, rest);
  } catch (error) {
    if (error instanceof HelpRequested) {
      await (await import('./help.ts')).printHelp(command);
      return 0;
    }
    if (!(error instanceof FlagError)) throw error;
    const suggestion = /^unknown flag: --(.+)$/.exec(error.message);
    const hint = suggestion ? await (await import('./help.ts')).suggestFlag(command, suggestion[1] as string) : '';
    err(
      `${error.message}${hint}\n\n${usageLine(command)}\n\nRun 'galley ${command.name} --help' for more information\n`,
    );
    return command.own ? USAGE_OWN : USAGE_FLAG;
  }
  for (const flag of command.flags) {
    if (flag.instead && args.has(flag.name))
      err(`Flag --${flag.name} has been deprecated, use --${flag.instead} instead\n`);
  }
  const wrong = countError(command, args.positionals.length);
  if (wrong) {
    err(
      `galley: ${wrong.words}\n\n${usageLine(command)}\n\n${wrong.see} 'galley ${command.name} --help' for more information\n`,
    );
    return command.own ? USAGE_OWN : 1;
  }
  return runParsed(context, command, args);
}

async function runParsed(context: CliContext, command: CommandSpec, args: ParsedArgs): Promise<number> {
  try {
    await checkVersions(context, command, args);
    return await (await command.load()).run(context, args);
  } catch (error) {
    if (error instanceof ExitError) {
      if (error.message) err(`${error.message}\n`);
      return error.code;
    }
    if (context.globals.debug && error instanceof Error) err(`${error.stack}\n`);
    const code = command.name === 'run' ? USAGE_FLAG : 1;
    if (error instanceof EngineUnreachableError) {
      err(`galley: ${await (await import('./unreachable.ts')).explainUnreachable(error, context)}\n`);
      return code;
    }
    if (error instanceof EndpointError) err(`galley: ${error.message}\n`);
    else if (error instanceof TemplateError) err(`template parsing error: ${error.message}\n`);
    else err(`${errorText(error)}\n`);
    return code;
  }
}

/** A flag that came later than the engine's API would be ignored by it without a word. @throws ExitError 1 in Docker's words. */
async function checkVersions(context: CliContext, command: CommandSpec, args: ParsedArgs): Promise<void> {
  const used = command.flags.filter((flag) => flag.since !== undefined && args.has(flag.name));
  if (used.length === 0) return;
  const theirs = await (await context.client({ start: command.name === 'run' })).apiVersion();
  const words = used
    .filter((flag) => compareVersions(theirs, flag.since as string) < 0)
    .map(
      ({ name, since }) => `"--${name}" requires API version ${since}, but the Docker daemon API version is ${theirs}`,
    );
  if (words.length > 0) throw new ExitError(1, words.join('\n'));
}

async function unknownCommand(words: readonly string[]): Promise<number> {
  const { printGroupHelp, suggestCommand } = await import('./help.ts');
  const name = words[0] as string;
  const group = isGroup(name);
  if (group && (words.length === 1 || words[1] === '--help' || words[1] === '-h')) {
    await printGroupHelp(name);
    return 0;
  }
  const tried = group ? words.slice(0, 2).join(' ') : name;
  const usage = group ? `\n\nUsage:  galley ${name} COMMAND` : '';
  const see = `Run 'galley${group ? ` ${name}` : ''} --help' for more information`;
  err(`galley: unknown command: galley ${tried}${await suggestCommand(tried)}${usage}\n\n${see}\n`);
  return 1;
}
