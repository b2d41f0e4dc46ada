/** Opens the dashboard: a bundle of its own, loaded only here. */
import type { DashboardModule } from '../store/options.ts';
import { createContext } from './context.ts';
import type { GlobalFlags } from './types.ts';

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
  // Ink's libraries read it once, while they are loaded, and would take the colours away from whoever has it in the shell.
  const { CI } = process.env;
  delete process.env['CI'];
  try {
    return (await import(pathToFileURL(found).href)) as DashboardModule;
  } finally {
    if (CI !== undefined) process.env['CI'] = CI;
  }
}

/** Runs the dashboard until it ends; its exit code. */
export async function openDashboard(globals: GlobalFlags): Promise<number> {
  const { endpoint, env } = createContext(globals, '');
  if (env['TERM'] === 'dumb') {
    const { err } = await import('./output.ts');
    err(
      'galley: TERM=dumb cannot show the dashboard; "galley --help" lists the commands, "galley --snapshot" prints one frame\n',
    );
    return 1;
  }
  return (await load()).startDashboard({
    endpoint,
    env,
    debug: globals.debug,
    startEngine: async (target, say) => (await import('./engine-start.ts')).ensureEngine(target, { env, say }),
    answers: async (target) => (await import('./engine-start.ts')).answers(target),
    otherEngines: async () => (await import('./unreachable.ts')).answeringEngines(env),
  });
}

/** `galley --snapshot [--size COLUMNSxROWS]`. */
export async function printSnapshot(globals: GlobalFlags, size: string | undefined): Promise<number> {
  const match = /^(\d{2,4})x(\d{2,4})$/.exec(size ?? DEFAULT_SIZE);
  const { err, out } = await import('./output.ts');
  if (!match) {
    err(`galley: --size ${size}: use COLUMNSxROWS, as in ${DEFAULT_SIZE}\n`);
    return 2;
  }
  const { endpoint } = createContext(globals, '');
  const text = await (await load()).snapshot({ endpoint, columns: Number(match[1]), rows: Number(match[2]) });
  out(text.endsWith('\n') ? text : `${text}\n`);
  return 0;
}
