/** What the dashboard's tests share: the built program in a pty, pointed at the test's own engine. */
import path from 'node:path';
import { repositoryRoot } from '../fixtures/cache.ts';
import { mustRun } from '../fixtures/exec.ts';
import { openTerminal, type Terminal } from '../fixtures/terminal.ts';
import type { Kitchen } from '../fixtures/use-engine.ts';

export const galleyBundle = path.join(repositoryRoot, 'dist/galley.cjs');

/** The bundle of the sources as they are. */
export async function buildOnce(): Promise<void> {
  await mustRun(process.execPath, [path.join(repositoryRoot, 'scripts/build.mjs'), '--if-needed']);
}

export interface OpenOptions {
  env?: Record<string, string>;
  args?: readonly string[];
}

/** galley without a command, as a person starts it. CI is set, because somebody's shell may have it. */
export function openDashboard(
  kitchen: Kitchen,
  columns: number,
  rows: number,
  options: OpenOptions = {},
): Terminal & Disposable {
  const terminal = openTerminal(process.execPath, [galleyBundle, '-H', kitchen.engine.host, ...(options.args ?? [])], {
    columns,
    rows,
    cwd: kitchen.engine.folder,
    env: { PATH: process.env.PATH ?? '', HOME: kitchen.engine.folder, CI: 'true', ...options.env },
  });
  return { ...terminal, [Symbol.dispose]: () => terminal.close() };
}
