/** The one entry of the client: reads the global flags, then loads only what the command needs (design section 9). */
import { err, out } from './cli/output.ts';
import type { GlobalFlags } from './cli/types.ts';

interface TopLevel {
  globals: GlobalFlags;
  rest: string[];
  help: boolean;
  version: boolean;
  snapshot: boolean;
  size?: string;
}

const VALUES: Readonly<Record<string, keyof GlobalFlags | 'size' | 'logLevel'>> = {
  '-H': 'host',
  '--host': 'host',
  '-c': 'context',
  '--context': 'context',
  '--config': 'config',
  '--tlscacert': 'tlscacert',
  '--tlscert': 'tlscert',
  '--tlskey': 'tlskey',
  '--size': 'size',
  '-l': 'logLevel',
  '--log-level': 'logLevel',
};

class UsageError extends Error {}

function readTopLevel(argv: readonly string[]): TopLevel {
  const globals: GlobalFlags = { debug: false };
  const top: TopLevel = { globals, rest: [], help: false, version: false, snapshot: false };
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at] as string;
    if (!word.startsWith('-') || word === '-') break;
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const attached = !word.startsWith('--') && word.length > 2 && VALUES[word.slice(0, 2)] !== undefined;
    const name = equals > 0 ? word.slice(0, equals) : attached ? word.slice(0, 2) : word;
    const key = VALUES[name];
    if (key !== undefined) {
      const value = equals > 0 ? word.slice(equals + 1) : attached ? word.slice(2).replace(/^=/, '') : argv[++at];
      if (value === undefined) throw new UsageError(`flag needs an argument: ${name}`);
      if (key === 'size') top.size = value;
      else if (key !== 'logLevel') Object.assign(globals, { [key]: value });
    } else if (word === '-D' || word === '--debug') globals.debug = true;
    else if (word === '--tls') globals.tls = true;
    else if (word === '--tlsverify') globals.tlsverify = true;
    else if (word === '-v' || word === '--version') top.version = true;
    else if (word === '-h' || word === '--help') top.help = true;
    else if (word === '--snapshot') top.snapshot = true;
    else throw new UsageError(`unknown flag: ${word}`);
  }
  top.rest = argv.slice(at);
  return top;
}

async function main(argv: readonly string[]): Promise<number> {
  let top: TopLevel;
  try {
    top = readTopLevel(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    err(`galley: ${error.message}\n\nUsage:  galley [OPTIONS] COMMAND\n\nRun 'galley --help' for more information\n`);
    return 2;
  }
  if (top.rest[0] === 'help') {
    top.rest.shift();
    if (top.rest.length === 0) top.help = true;
    else top.rest.push('--help');
  }
  if (top.version) {
    const { GALLEY_VERSION } = await import('./api/version.ts');
    out(`galley version ${GALLEY_VERSION}\n`);
    return 0;
  }
  if (top.rest.length > 0) {
    const { runCommandLine } = await import('./cli/dispatch.ts');
    return runCommandLine(top.rest, top.globals);
  }
  if (top.help) {
    await (await import('./cli/help.ts')).printTopHelp();
    return 0;
  }
  if (top.snapshot) return (await import('./cli/dashboard.ts')).printSnapshot(top.globals, top.size);
  // fs.fstat costs less than node:tty, and only the answer "no" must be quick.
  const { isatty } = await import('node:tty');
  if (isatty(0) && isatty(1)) return (await import('./cli/dashboard.ts')).openDashboard(top.globals);
  await (await import('./cli/help.ts')).printUsage();
  return 2;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    err(`galley: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
