import { stat } from 'node:fs/promises';
import type { HostConfig } from '../../src/api/index.ts';
import { messageOf } from '../errors/engine-error.ts';
import type { Core } from './core.ts';
import { parseSize } from './host-config.ts';
import { rotateLog } from './log-files.ts';
import { isAlive } from './record.ts';
import type { Entry } from './store.ts';

const CHECK_MS = 5000;
const DEFAULT_SIZE = 10 * 1024 * 1024;
const DEFAULT_FILES = 5;

/** Bytes and number of files; dockerd's own default (grow for ever) fills disks, so galley's is 10 MB times five. */
export function rotationOf({ LogConfig }: Pick<HostConfig, 'LogConfig'>): { size: number; files: number } {
  const { 'max-size': size, 'max-file': files } = LogConfig.Config ?? {};
  if (size === '-1') return { size: Number.POSITIVE_INFINITY, files: 1 };
  return { size: (size && parseSize(size)) || DEFAULT_SIZE, files: Number(files) || (size ? 1 : DEFAULT_FILES) };
}

/** Rotates one log when it is too large. Under the container's lock: a start or a removal must not happen in between. */
export async function rotateIfLarge(core: Core, entry: Entry): Promise<void> {
  const { id, hostConfig } = entry.record;
  if (hostConfig.LogConfig.Type === 'none' || !isAlive(entry.record)) return;
  const { log } = core.paths(id);
  const { size, files } = rotationOf(hostConfig);
  if ((await stat(log)).size <= size) return;
  await entry.mutex.run('log rotation', async () => {
    if (!isAlive(entry.record)) return;
    await rotateLog(log, files);
    await core.deps.runtime.reopenLog(id);
  });
}

/** Looks at the logs of what runs every few seconds. */
export function startRotation(core: Core): { stop(): void } {
  const timer = setInterval(() => {
    for (const entry of core.store.all())
      if (isAlive(entry.record))
        rotateIfLarge(core, entry).catch((error: unknown) => {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
            core.deps.log.warn('log rotation failed', { container: entry.record.id, error: messageOf(error) });
        });
  }, core.deps.logCheckMs ?? CHECK_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
