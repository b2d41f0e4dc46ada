/** Opens the dashboard: a bundle of its own, loaded only here. */

import type { Endpoint } from '../client/endpoint.ts';
import { createContext } from './context.ts';
import type { GlobalFlags } from './types.ts';

/** What src/tui/main.tsx exports. */
export interface DashboardOptions {
  endpoint: Endpoint;
  env: NodeJS.ProcessEnv;
  debug: boolean;
}
export interface SnapshotOptions extends DashboardOptions {
  columns: number;
  rows: number;
}
interface DashboardModule {
  startDashboard(options: DashboardOptions): Promise<number>;
  snapshot(options: SnapshotOptions): Promise<string>;
}

const DEFAULT_SIZE = '200x50';

/**
 * The dashboard's bundle beside this program (dist/tui.mjs), or its source when run from source. The path is computed so
 * that neither this bundle nor the types of one-shot commands reach into React.
 */
async function load(): Promise<DashboardModule> {
  const { existsSync, realpathSync } = await import('node:fs');
  const { dirname, join } = await import('node:path');
  const { pathToFileURL } = await import('node:url');
  const folder = dirname(realpathSync(process.argv[1] ?? ''));
  const found = [join(folder, 'tui.mjs'), join(folder, '../dist/tui.mjs')].find((file) => existsSync(file));
  if (!found)
    throw new Error(
      `the dashboard's bundle dist/tui.mjs is missing beside ${process.argv[1]}: run npm run build in galley's folder`,
    );
  process.env['NODE_ENV'] ??= 'production';
  return (await import(pathToFileURL(found).href)) as DashboardModule;
}

const optionsOf = (globals: GlobalFlags): DashboardOptions => {
  const context = createContext(globals, '');
  return { endpoint: context.endpoint, env: context.env, debug: globals.debug };
};

/** Runs the dashboard until it ends; its exit code. */
export async function openDashboard(globals: GlobalFlags): Promise<number> {
  const options = optionsOf(globals);
  return (await load()).startDashboard(options);
}

/** `galley --snapshot [--size COLUMNSxROWS]`. */
export async function printSnapshot(globals: GlobalFlags, size: string | undefined): Promise<number> {
  const match = /^(\d{2,4})x(\d{2,4})$/.exec(size ?? DEFAULT_SIZE);
  const { err, out } = await import('./output.ts');
  if (!match) {
    err(`galley: --size ${size}: use COLUMNSxROWS, as in ${DEFAULT_SIZE}\n`);
    return 2;
  }
  const text = await (await load()).snapshot({
    ...optionsOf(globals),
    columns: Number(match[1]),
    rows: Number(match[2]),
  });
  out(text.endsWith('\n') ? text : `${text}\n`);
  return 0;
}
