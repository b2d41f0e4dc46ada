import type { TopResponse } from '../../src/api/index.ts';
import { messageOf } from '../errors/engine-error.ts';
import { runtimeErrors } from '../errors/runtime.ts';
import { CommandError, run } from '../system/spawn.ts';

/** `docker top`: the host's ps with the caller's options, cut down to the container's processes. @throws EngineError 400 with ps' words */
export async function topOf(processes: readonly number[], psArgs: string): Promise<TopResponse> {
  // A renamed PID column could pass another number off as one of the container's.
  if (/pid\s*=/i.test(psArgs)) throw runtimeErrors.psFailed('specifying "pid=" in ps arguments is not allowed');
  const pids = new Set(processes);
  const { stdout } = await run('ps', (psArgs || '-ef').split(/\s+/).filter(Boolean)).catch((error: unknown) => {
    throw runtimeErrors.psFailed(
      error instanceof CommandError ? `ps: ${error.result.stderr.trim().split('\n', 1)[0]}` : messageOf(error),
    );
  });
  const [head = '', ...lines] = stdout.trimEnd().split('\n');
  const Titles = head.trim().split(/\s+/);
  const column = Titles.indexOf('PID');
  if (column < 0) throw runtimeErrors.psFailed("Couldn't find PID field in ps output");
  const Processes = lines.flatMap((line) => {
    const words = line.trim().split(/\s+/);
    if (!pids.has(Number(words[column]))) return [];
    return [[...words.slice(0, Titles.length - 1), words.slice(Titles.length - 1).join(' ')]];
  });
  return { Titles, Processes };
}
