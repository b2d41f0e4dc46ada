/** Starting galleyd in the background: only `run`, `daemon start` and the dashboard may (issue 2). */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { Endpoint } from '../client/endpoint.ts';

export interface StartOptions {
  env: NodeJS.ProcessEnv;
  /** Flags for galleyd. */
  args?: readonly string[];
  /** Told in one line when a galleyd is started. */
  say?: (line: string) => void;
}

/** galleyd did not come up; the message names the reason, the log and the way out. */
export class EngineStartError extends Error {
  override readonly name = 'EngineStartError';
}

const WAIT_MS = 20_000;

/**
 * Where a galleyd in the background logs: --log-file, else in a data root of its own, else /var/log/galleyd.log.
 * flags: those for galleyd, as `--flag=value`.
 */
export function logFileOf(flags: readonly string[]): string {
  const value = (name: string) => flags.findLast((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3);
  const dataRoot = value('data-root');
  return value('log-file') ?? (dataRoot ? join(dataRoot, 'galleyd.log') : '/var/log/galleyd.log');
}

/** True when something accepts connections at the endpoint. */
export function answers(endpoint: Endpoint): Promise<boolean> {
  if (endpoint.kind === 'ssh') return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = endpoint.kind === 'unix' ? connect(endpoint.socketPath) : connect(endpoint.port, endpoint.hostname);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Waits until something accepts connections at the endpoint; false when nothing does within 20 s. */
export async function waitForEngine(endpoint: Endpoint): Promise<boolean> {
  for (const end = Date.now() + WAIT_MS; Date.now() < end; ) {
    if (await answers(endpoint)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

/** The program and arguments that run galleyd: the bundle beside this program, or the sources beside its folder. */
export function daemonProgram(entry: string = process.argv[1] ?? ''): [string, ...string[]] {
  const folder = dirname(realpathSync(entry));
  const candidates = [
    join(folder, 'galleyd.mjs'),
    join(folder, '../dist/galleyd.mjs'),
    join(folder, '../daemon/main.ts'),
  ];
  // Beside sources the sources count: a stale bundle would run other code than the one looked at.
  const ordered = entry.endsWith('.ts') ? candidates.toReversed() : candidates;
  const found = ordered.find((file) => existsSync(file));
  if (!found)
    throw new EngineStartError(
      `galleyd is missing beside ${entry}: run npm start (or npm run build) in galley's folder`,
    );
  return [process.execPath, found];
}

/**
 * Starts a galleyd unless one answers. It gets its own session, so it outlives this terminal.
 * @returns whether it was started now.
 * @throws EngineStartError without root, or when it ends or does not answer in time (with its last words).
 */
export async function ensureEngine(endpoint: Endpoint, options: StartOptions): Promise<boolean> {
  if (endpoint.kind !== 'unix')
    throw new EngineStartError(`galleyd can only be started on a unix socket, not on ${endpoint.host}`);
  if (await answers(endpoint)) return false;
  if (existsSync(endpoint.socketPath) && process.getuid?.() !== 0) {
    throw new EngineStartError(
      `no access to ${endpoint.socketPath}: run the command through sudo, or join its group (sudo usermod -aG galley $USER, then log in again)`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new EngineStartError(
      'galleyd is not running, and starting it needs root: run "sudo galley daemon start" once',
    );
  }
  const flags = options.args ?? [];
  const logFile = logFileOf(flags);
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a', 0o640);
  const [program, ...rest] = daemonProgram();
  const named = flags.some((flag) => flag === '-H' || flag === '--host' || flag.startsWith('--host='));
  const child = spawn(program, [...rest, ...flags, ...(named ? [] : ['-H', endpoint.host]), `--log-file=${logFile}`], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    env: options.env,
  });
  options.say?.(`galleyd is not running: starting it (${endpoint.host}, log ${logFile})`);
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = `it ended with ${signal ?? `code ${code}`}`;
  });
  for (const end = Date.now() + WAIT_MS; Date.now() < end; ) {
    if (await answers(endpoint)) {
      child.unref();
      child.removeAllListeners();
      return true;
    }
    if (ended !== undefined) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.unref();
  const why = ended ?? `it did not answer at ${endpoint.host} within ${WAIT_MS / 1000} s`;
  throw new EngineStartError(`could not start galleyd: ${why}\n${lastWords(logFile)}(whole log: ${logFile})`);
}

function lastWords(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-5);
  return lines.map((line) => `  ${line}\n`).join('');
}
