/**
 * Draws assets/dashboard.svg: the real dashboard over a real engine with work to do, as a terminal shows it.
 * Needs root, as galleyd does. Usage: npm run picture [-- FILE]
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { dockerCli } from '../test/fixtures/docker.ts';
import { startEngine } from '../test/fixtures/engine.ts';
import { mustRun } from '../test/fixtures/exec.ts';
import { busyboxImage, nginxImage, pushImage } from '../test/fixtures/images.ts';
import { startRegistry } from '../test/fixtures/registry.ts';
import { setScene } from '../test/fixtures/scene.ts';
import { openTerminal } from '../test/fixtures/terminal.ts';
import { svgOf } from './terminal-svg.ts';

const root = path.join(import.meta.dirname, '..');
const COLUMNS = 142;
const ROWS = 40;
const SETTLE_MS = 25_000;

const { positionals } = parseArgs({ allowPositionals: true });
const target = path.resolve(positionals[0] ?? path.join(root, 'assets/dashboard.svg'));

await mustRun(process.execPath, [path.join(root, 'scripts/build.mjs'), '--if-needed']);
const registry = await startRegistry();
try {
  await pushImage(registry, 'library/busybox:latest', await busyboxImage());
  await pushImage(registry, 'library/nginx:latest', await nginxImage());
  const engine = await startEngine({ mirrors: [registry.url] });
  const docker = await dockerCli(engine.host);
  try {
    await setScene(docker);
    // The picture shows the address that a person has: in a mount namespace of its own the scene's engine is there.
    const script =
      'mount -t tmpfs none /run && mkdir /run/galley && ln -s "$1" /run/galley/galley.sock && exec "$2" "$3"';
    const words = ['sh', engine.socket, process.execPath, path.join(root, 'dist/galley.cjs')];
    const terminal = openTerminal('unshare', ['-m', 'sh', '-c', script, ...words], {
      columns: COLUMNS,
      rows: ROWS,
      env: { PATH: process.env['PATH'] ?? '', HOME: engine.folder },
    });
    await terminal.shows(/running +worker-1/);
    while (!/▸ ● running +worker-1/.test(terminal.screen())) {
      terminal.write('j');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // Enough samples for the numbers, and a screenful of logs.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    fs.writeFileSync(
      target,
      svgOf(
        terminal.emulator,
        'The dashboard of galley: lists of containers, images, volumes and networks, logs at the right',
      ),
    );
    terminal.write('q');
    await terminal.exited;
    terminal.close();
    console.log(`${path.relative(process.cwd(), target)}: ${fs.statSync(target).size} bytes`);
  } finally {
    const left = await docker.must(['ps', '-aq']);
    if (left !== '') await docker.must(['rm', '-f', ...left.split('\n')]);
    docker.close();
    await engine.purge();
  }
} finally {
  await registry.stop();
}
process.exit(0);
