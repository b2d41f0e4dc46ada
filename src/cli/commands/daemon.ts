import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { daemonArgs } from '../daemon-control.ts';
import { daemonProgram } from '../engine-start.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** `galley daemon`: galleyd in the foreground, with its exit code. Node cannot exec, so signals are handed on. */
export function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [program, ...rest] = daemonProgram();
  const child = spawn(program, [...rest, ...daemonArgs(args)], { stdio: 'inherit', env: context.env });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
