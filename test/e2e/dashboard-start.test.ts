/** Which engine the dashboard shows: galleyd, started when none answers; a named one and no other; another only by choice (issue 2). */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../fixtures/cache.ts';
import { isRoot } from '../fixtures/engine.ts';
import { openTerminal } from '../fixtures/terminal.ts';
import { useEngine } from '../fixtures/use-engine.ts';
import { buildOnce, galleyBundle } from './dashboard-kit.ts';

describe.skipIf(!isRoot)('the engine of the dashboard (needs root)', () => {
  const kitchen = useEngine();
  beforeAll(async () => {
    if (isRoot) await buildOnce();
  });
  /** The cgroups of an engine with the usual name, in every hierarchy. */
  const cgroups = () =>
    ['', ...fs.readdirSync('/sys/fs/cgroup')]
      .flatMap((one) => ['galley', 'galley/galleyd'].map((name) => path.join('/sys/fs/cgroup', one, name)))
      .filter((folder) => fs.existsSync(folder));
  const env = (more: Record<string, string> = {}) => ({
    PATH: process.env.PATH ?? '',
    HOME: kitchen.engine.folder,
    ...more,
  });
  const open = (args: readonly string[], more: Record<string, string> = {}) =>
    openTerminal(process.execPath, [galleyBundle, ...args], { columns: 100, rows: 30, env: env(more) });

  it('starts galleyd where none answers, and leaves it running', async () => {
    const before = cgroups();
    // A host of its own as far as galleyd's usual places go: folders, network and processes vanish with it.
    const galley = `${process.execPath} ${galleyBundle}`;
    const script = [
      'for folder in /var/lib /var/log /run; do mount -t tmpfs none $folder; done',
      'ip link set lo up',
      galley,
      `${galley} ps -a && echo "it still answers, $(ls /run/galley/galley.sock)"`,
    ].join('; ');
    const terminal = openTerminal('unshare', ['-m', '-n', '-p', '-f', '--mount-proc', 'sh', '-c', script], {
      columns: 80,
      rows: 24,
      env: env(),
      cwd: repositoryRoot,
    });
    await terminal.shows('● live', 30_000);
    expect(terminal.lines()[0]).toContain('galleyd 0.1.0  unix:///run/galley/galley.sock');
    await terminal.shows('No containers yet');
    terminal.write('q');
    await terminal.shows(/"galley daemon stop" ends\s+it\./);
    await terminal.shows('it still answers, /run/galley/galley.sock');
    expect(await terminal.exited).toBe(0);
    terminal.close();
    // Cgroups are the one thing a namespace does not take away: those that were made here go, deepest first.
    for (const folder of cgroups()
      .filter((one) => !before.includes(one))
      .toReversed())
      fs.rmdirSync(folder);
  });

  it('never starts one in the place of an engine that somebody named; connects as soon as it answers', async () => {
    await kitchen.engine.stop();
    const terminal = open(['-H', kitchen.engine.host]);
    await terminal.shows('No engine answers.');
    await terminal.shows(/Cannot connect to the engine at \S+galley\.sock/);
    await terminal.shows('This screen connects by itself');
    terminal.write('S');
    await terminal.shows('was named by you');
    expect(fs.existsSync(kitchen.engine.socket)).toBe(false);
    await kitchen.engine.start();
    await terminal.shows('● live');
    await terminal.shows('No containers yet');
    terminal.write('q');
    expect(await terminal.exited).toBe(0);
    terminal.close();
  });

  it('offers another engine that answers, and takes it only when chosen', async () => {
    const runtime = path.join(kitchen.engine.folder, 'runtime');
    fs.mkdirSync(runtime);
    fs.symlinkSync(kitchen.engine.socket, path.join(runtime, 'docker.sock'));
    const terminal = open(['-H', `unix://${kitchen.engine.folder}/nobody.sock`], { XDG_RUNTIME_DIR: runtime });
    await terminal.shows(`Another engine answers at unix://${runtime}/docker.sock: @ lets you choose it.`);
    expect(terminal.screen()).not.toContain('● live');
    terminal.write('@');
    await terminal.shows(/galley's own engine/);
    await terminal.shows(new RegExp(`unix://${runtime}/docker.sock +answers`));
    while (!terminal.screen().includes(`▸unix://${runtime}`)) {
      terminal.write('j');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    terminal.write('\r');
    await terminal.shows('● live');
    expect(terminal.lines()[0]).toContain('docker.sock');
    terminal.write('q');
    await terminal.shows('The engine keeps running');
    expect(await terminal.exited).toBe(0);
    terminal.close();
  });

  it('a terminal that can draw nothing gets a sentence instead', async () => {
    const terminal = open(['-H', kitchen.engine.host], { TERM: 'dumb' });
    await terminal.shows('TERM=dumb cannot show the dashboard');
    expect(await terminal.exited).toBe(1);
    terminal.close();
  });
});
