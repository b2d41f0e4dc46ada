import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pathsOf } from '../../../src/cli/commands/groups.ts';
import { COMMANDS, findCommand } from '../../../src/cli/commands/table.ts';
import { completionScript } from '../../../src/cli/completion.ts';
import { commandTable } from '../../../src/cli/docs.ts';
import { HelpRequested, parseArgs } from '../../../src/cli/parse.ts';
import { ProgressView, progressBar } from '../../../src/cli/progress.ts';
import { commandHelp } from '../../../src/cli/yargs.ts';

const parse = (line: string) => {
  const found = findCommand(line.split(' '));
  if (!found) throw new Error(`no command in ${line}`);
  return parseArgs(found.command, found.rest);
};

describe('flags', () => {
  it('come joined, attached, with = and repeated', () => {
    const args = parse('run -dit -p8080:80 -p 81:81 --name=web -eA=1 -m 64m img -x --rm');
    expect([args.bool('detach'), args.bool('tty'), args.bool('rm')]).toEqual([true, true, false]);
    expect(args.list('publish')).toEqual(['8080:80', '81:81']);
    expect(args.list('env')).toEqual(['A=1']);
    expect(args.positionals).toEqual(['img', '-x', '--rm']);
  });
  it('stand anywhere where the command allows it, until --', () => {
    const args = parse('rm a -f b -- -v');
    expect(args.positionals).toEqual(['a', 'b', '-v']);
    expect([args.bool('force'), args.bool('volumes')]).toEqual([true, false]);
  });
  it('have defaults, and can be turned off', () => {
    expect(parse('attach x').bool('sig-proxy')).toBe(true);
    expect(parse('attach --sig-proxy=false x').bool('sig-proxy')).toBe(false);
    expect(parse('ps').number('last')).toBe(-1);
  });
  it.each([
    ['run --foo x', 'unknown flag: --foo'],
    ['run -x y', "unknown shorthand flag: 'x' in -x"],
    ['run --memory', 'flag needs an argument: --memory'],
    ['ps -n', "flag needs an argument: 'n' in -n"],
    [
      'run --rm=maybe x',
      'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    ['run -m abc x', 'invalid argument "abc" for "-m, --memory" flag: invalid size: \'abc\''],
    ['run --cpus x y', 'invalid argument "x" for "--cpus" flag: failed to parse x as a rational number'],
    ['run -a foo y', 'valid streams are STDIN, STDOUT and STDERR'],
    ['run --ulimit x y', 'invalid ulimit argument: x'],
    ['run --mount x y', "invalid field 'x' must be a key=value pair"],
    ['stop -t x y', 'invalid argument "x" for "-t, --timeout" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  ])('%s: %s', (line, words) => expect(() => parse(line)).toThrow(words));
  it('ask for help', () => {
    expect(() => parse('ps --help')).toThrow(HelpRequested);
    expect(() => parse('ps -h')).toThrow(HelpRequested);
    expect(parse('run -h host img').string('hostname')).toBe('host');
  });
});

describe('the command table', () => {
  it('names each path once, and each short flag once a command', () => {
    const paths = COMMANDS.flatMap(pathsOf);
    expect(paths.filter((path, index) => paths.indexOf(path) !== index)).toEqual([]);
    for (const command of COMMANDS) {
      const names = command.flags.flatMap((flag) => [flag.name, ...(flag.short ? [flag.short] : [])]);
      expect(
        names.filter((name, index) => names.indexOf(name) !== index),
        command.name,
      ).toEqual([]);
    }
  });
  it('has a module behind each command', async () => {
    for (const command of COMMANDS) expect(typeof (await command.load()).run, command.name).toBe('function');
  });
  it.each(['bash', 'zsh', 'fish'] as const)(
    'made the %s completion in assets (else: galley completion SHELL > assets/completions/galley.SHELL)',
    (shell) => {
      const file = new URL(`../../../assets/completions/galley.${shell}`, import.meta.url);
      expect(readFileSync(file, 'utf8')).toBe(completionScript(shell, COMMANDS));
    },
  );
  it('feeds help, docs and completion', async () => {
    const run = findCommand(['run'])!.command;
    expect(await commandHelp(run)).toContain('--publish');
    expect(commandTable()).toContain('| `galley run` |');
    for (const shell of ['bash', 'zsh', 'fish'] as const) expect(completionScript(shell, COMMANDS)).toContain('volume');
  });
});

describe('pull progress', () => {
  const collect = (columns: number | undefined) => {
    let text = '';
    const view = new ProgressView({ write: (piece) => (text += piece), columns });
    view.show({ status: 'Pulling from library/x', id: 'latest' });
    view.show({ status: 'Pulling fs layer', id: 'aaa', progressDetail: {} });
    view.show({ status: 'Pulling fs layer', id: 'bbb', progressDetail: {} });
    view.show({ status: 'Downloading', id: 'aaa', progressDetail: { current: 500, total: 1000 } });
    view.show({ status: 'Pull complete', id: 'bbb', progressDetail: {} });
    view.show({ status: 'Status: Downloaded newer image for x:latest' });
    return text;
  };
  it('is plain lines without a terminal, and no bars', () => {
    expect(collect(undefined)).toBe(
      'latest: Pulling from library/x\naaa: Pulling fs layer\nbbb: Pulling fs layer\nbbb: Pull complete\nStatus: Downloaded newer image for x:latest\n',
    );
  });
  it('redraws the line of a layer on a terminal', () => {
    const text = collect(120);
    expect(text).toContain(
      `\x1b[2A\r\x1b[2Kaaa: Downloading [${'='.repeat(25)}>${' '.repeat(24)}]      500B/1kB\r\x1b[2B`,
    );
    expect(text).toContain('\x1b[1A\r\x1b[2Kbbb: Pull complete\r\x1b[1B');
  });
  it('leaves the bar out where it does not fit', () => {
    expect(progressBar({ current: 500, total: 1000 }, 80)).toBe('    500B/1kB');
    expect(progressBar({}, 80)).toBe('');
  });
});
