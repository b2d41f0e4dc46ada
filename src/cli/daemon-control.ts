/** The background galleyd: who it is, and how to stop it without ever hitting a process that only has its number. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Endpoint, galleyEndpoint, parseHost } from '../client/endpoint.ts';
import { DAEMON_FLAGS } from './commands/daemon-flags.ts';
import type { ParsedArgs } from './types.ts';

export interface Identity {
  pid: number;
  startTime: string;
  bootId: string;
}

/** The flags a person gave, as galleyd takes them. */
export function daemonArgs(args: ParsedArgs): string[] {
  return DAEMON_FLAGS.flatMap((flag) => {
    if (!args.has(flag.name)) return [];
    if (flag.type === 'bool') return args.bool(flag.name) ? [`--${flag.name}`] : [];
    const values = flag.type === 'list' ? args.list(flag.name) : [args.string(flag.name)];
    return values.map((value) => `--${flag.name}=${value}`);
  });
}

function configValue(args: ParsedArgs, key: string): unknown {
  const file = args.string('config') || '/etc/galley/daemon.json';
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)[key];
  } catch (error) {
    // galleyd itself reports a config file that is wrong; here only its absence is ordinary.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !args.has('config')) return undefined;
    throw new Error(`cannot read the config file ${file}: ${(error as Error).message}`, { cause: error });
  }
}

export function execRootOf(args: ParsedArgs): string {
  const configured = configValue(args, 'exec-root');
  return args.string('exec-root') || (typeof configured === 'string' ? configured : '/run/galley');
}

/** Where the galleyd of these flags listens: its first unix socket. */
export function endpointOf(args: ParsedArgs, env: NodeJS.ProcessEnv): Endpoint {
  const configured = configValue(args, 'hosts');
  const hosts =
    args.list('host').length > 0 ? args.list('host') : Array.isArray(configured) ? configured.map(String) : [];
  const unix = hosts.find((host) => host.startsWith('unix://'));
  if (unix) return parseHost(unix, 'galley');
  const root = execRootOf(args);
  return root === '/run/galley' ? galleyEndpoint(env) : parseHost(`unix://${join(root, 'galley.sock')}`, 'galley');
}

/** Start time of a process (clock ticks since boot); undefined when it is gone or a zombie. */
function startTimeOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The running galleyd that wrote the pid file; undefined when there is none, or the number is another process by now. */
export function runningDaemon(execRoot: string): Identity | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(join(execRoot, 'galleyd.pid'), 'utf8'));
  } catch {
    return undefined;
  }
  const { pid, startTime, bootId } = parsed as Record<string, unknown>;
  if (typeof pid !== 'number') return undefined;
  const identity = { pid, startTime: String(startTime), bootId: String(bootId) };
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return identity.bootId === boot && startTimeOf(pid) === identity.startTime ? identity : undefined;
}

const STOP_MS = 15_000;

/** SIGTERM and wait. @throws Error when it is still there after 15 s, or the signal is not allowed. */
export async function stopDaemon(identity: Identity): Promise<void> {
  try {
    process.kill(identity.pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
    throw new Error(`cannot stop galleyd (pid ${identity.pid}): ${(error as Error).message}; try it through sudo`, {
      cause: error,
    });
  }
  for (const end = Date.now() + STOP_MS; Date.now() < end; ) {
    if (startTimeOf(identity.pid) !== identity.startTime) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(
    `galleyd (pid ${identity.pid}) did not stop within ${STOP_MS / 1000} s; its log says what it waits for`,
  );
}

/** Seconds since the process started. */
export function uptimeOf(identity: Identity): number {
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return Math.max(0, uptime - Number(identity.startTime) / 100);
}
