/** galleyd: flags and config file, boot order, shutdown. */
import './boot/threads.ts';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { createEngine, makeRoots, openDatabase } from './boot/engine.ts';
import { checkHosts, listen } from './boot/listen.ts';
import { claimName, lockRoot } from './boot/lock.ts';
import { purge } from './boot/purge.ts';
import { readSettings, type Settings, SettingsError, USAGE } from './boot/settings.ts';
import { checkTools } from './boot/tools.ts';
import { messageOf } from './errors/index.ts';
import { replaceFileSync } from './system/files.ts';
import { createLog, type Log } from './system/log.ts';
import { openLogFile } from './system/log-file.ts';
import { enterOwnCgroup, enterOwnSession } from './system/own-place.ts';
import { readProcessIdentity } from './system/processes.ts';

/** How long streams may take to end before galleyd goes without them. */
const SHUTDOWN_MS = 10_000;

async function serve(settings: Settings, log: Log): Promise<void> {
  // Another galleyd that has one of these is found before anything is made or changed.
  await checkHosts(settings);
  const claims = [await claimName(settings.name)];
  makeRoots(settings);
  claims.push(lockRoot(settings.dataRoot, 'data-root'), lockRoot(settings.execRoot, 'exec-root'));
  const db = openDatabase(settings.dataRoot);
  enterOwnSession();
  for (const { hierarchy, error } of enterOwnCgroup(settings.name))
    log.warn('galleyd has no cgroup of its own here', { hierarchy, error });
  const engine = await createEngine(settings, log, db);
  // Reads are answered from here on; restore goes on behind them (design section 4).
  const servers = await listen(engine.api, settings, log).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });
  const pidFile = path.join(settings.execRoot, 'galleyd.pid');
  replaceFileSync(pidFile, JSON.stringify(readProcessIdentity(process.pid)), 0o644);

  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info('stopping; containers run on', { signal });
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    await engine.close();
    rmSync(pidFile, { force: true });
    for (const host of settings.hosts)
      if (host.startsWith('unix://')) rmSync(host.slice('unix://'.length), { force: true });
    for (const claim of claims) claim[Symbol.dispose]();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(signal).catch((error: unknown) => {
        log.error('could not stop cleanly', { error: messageOf(error) });
        process.exit(1);
      });
    });
  }
  process.on('SIGHUP', () => log.info('SIGHUP: nothing to reload; restart galleyd for new settings'));
  await engine.restore();
  log.info('galleyd is ready', { name: settings.name, dataRoot: settings.dataRoot, execRoot: settings.execRoot });
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(USAGE);
    return;
  }
  // Bundles hold secrets and layers hold setuid files: nothing that galleyd makes is readable to others unless it says so.
  process.umask(0o077);
  const settings = readSettings(argv);
  if (process.getuid?.() !== 0)
    throw new SettingsError('galleyd needs root: it mounts file systems and makes namespaces; use sudo');
  // A purge takes the log away as well, so it speaks to whoever called it.
  const toFile = settings.logFile && !settings.purge;
  const log = toFile ? createLog(settings.logLevel, openLogFile(settings.logFile)) : createLog(settings.logLevel);
  process.on('unhandledRejection', (error) =>
    log.error('unhandled rejection', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
  if (settings.purge) return purge(settings, log);
  checkTools();
  await serve(settings, log);
}

main().catch((error: unknown) => {
  process.stderr.write(
    `galleyd: ${error instanceof SettingsError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
});
