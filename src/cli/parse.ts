/** Flags as Docker's parser (pflag) reads them: `-dit`, `-p8080:80`, `--name=x`, `--`, and its words when they are wrong. */
import { parseDuration } from '../api/durations.ts';
import { parseBytes } from '../format/units.ts';
import type { CommandSpec, FlagSpec, ParsedArgs } from './types.ts';

/** A flag that is unknown, lacks its value or has a wrong one. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}
/** `--help` or `-h` where it is no flag of the command. */
export class HelpRequested extends Error {
  override readonly name = 'HelpRequested';
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);
const MULTIPLE = new Set(['list', 'map', 'filter', 'mount', 'network', 'ulimit']);

const shown = (flag: FlagSpec) => (flag.short ? `-${flag.short}, --${flag.name}` : `--${flag.name}`);

function checkValue(flag: FlagSpec, value: string): void {
  try {
    if (flag.type === 'bool' && !TRUE.has(value) && !FALSE.has(value)) {
      throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
    }
    if (flag.type === 'int' && !/^[+-]?\d+$/.test(value)) {
      throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    }
    if (flag.type === 'bytes' && value !== '-1') parseBytes(value);
    if (flag.type === 'duration') parseDuration(value);
    if (flag.type === 'decimal' && !/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(value)) {
      throw new Error(`failed to parse ${value} as a rational number`);
    }
    flag.check?.(value);
  } catch (error) {
    throw new FlagError(
      `invalid argument ${JSON.stringify(value)} for ${JSON.stringify(shown(flag))} flag: ${(error as Error).message}`,
    );
  }
}

/**
 * Parses what follows the command's name.
 * @throws FlagError in Docker's words, HelpRequested for --help.
 */
export function parseArgs(command: CommandSpec, argv: readonly string[]): ParsedArgs {
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  const byName = new Map(command.flags.map((flag) => [flag.name, flag]));
  const byShort = new Map(command.flags.filter((flag) => flag.short).map((flag) => [flag.short as string, flag]));
  const set = (flag: FlagSpec, value: string) => {
    checkValue(flag, value);
    const list = values.get(flag.name);
    if (list && MULTIPLE.has(flag.type)) list.push(value);
    else values.set(flag.name, [value]);
  };

  let at = 0;
  const long = (word: string) => {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const flag = byName.get(name);
    if (!flag) {
      if (name === 'help') throw new HelpRequested();
      throw new FlagError(`unknown flag: --${name}`);
    }
    if (equals >= 0) return set(flag, word.slice(equals + 1));
    if (flag.type === 'bool') return set(flag, 'true');
    if (at >= argv.length) throw new FlagError(`flag needs an argument: --${name}`);
    set(flag, argv[at++] as string);
  };
  const short = (word: string) => {
    for (let index = 1; index < word.length; index++) {
      const letter = word[index] as string;
      const flag = byShort.get(letter);
      if (!flag) {
        if (letter === 'h') throw new HelpRequested();
        throw new FlagError(`unknown shorthand flag: '${letter}' in -${word.slice(index)}`);
      }
      const rest = word.slice(index + 1);
      if (flag.type === 'bool' && !rest.startsWith('=')) {
        set(flag, 'true');
        continue;
      }
      if (rest !== '') return set(flag, rest.replace(/^=/, ''));
      if (at >= argv.length) throw new FlagError(`flag needs an argument: '${letter}' in -${word.slice(index)}`);
      return set(flag, argv[at++] as string);
    }
  };

  while (at < argv.length) {
    const word = argv[at++] as string;
    if (word === '--') {
      positionals.push(...argv.slice(at));
      break;
    }
    if (word.startsWith('--')) long(word);
    else if (word.startsWith('-') && word.length > 1) short(word);
    else if (command.interspersed === false) {
      positionals.push(word, ...argv.slice(at));
      break;
    } else positionals.push(word);
  }

  const known = (name: string): FlagSpec => {
    const flag = byName.get(name);
    if (!flag) throw new Error(`${command.name} has no flag --${name}`);
    return flag;
  };
  const last = (name: string) => values.get(known(name).name)?.at(-1);
  return {
    command,
    positionals,
    has: (name) => values.has(known(name).name),
    bool: (name) => TRUE.has(last(name) ?? known(name).default ?? 'false'),
    string: (name) => last(name) ?? known(name).default ?? '',
    number: (name) => {
      const text = last(name) ?? known(name).default;
      return text === undefined ? undefined : Number(text);
    },
    list: (name) => values.get(known(name).name) ?? [],
  };
}
