/** The dashboard in a pty: its first useful frame, what it costs while nothing happens, and how soon a key is answered. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repositoryRoot } from '../fixtures/cache.ts';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { type Engine, isRoot, startEngine } from '../fixtures/engine.ts';
import { mustRun } from '../fixtures/exec.ts';
import { busyboxImage, pushImage } from '../fixtures/images.ts';
import { startRegistry } from '../fixtures/registry.ts';
import { openTerminal, type Terminal } from '../fixtures/terminal.ts';
import { machine, median, publish } from './stage.ts';

const OPENINGS = 15;
const IDLE_MS = 30_000;
const CONTAINERS = 250;
const RUNNING = 10;
const KEYS = 120;
const KEY_PAUSE_MS = 173;
const LINES_A_SECOND = 1000;

const quantile = (values: readonly number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN;
/** Milliseconds on a cpu, all threads. */
function cpuOf(pid: number): number {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
const memoryOf = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Resolves as soon as the screen satisfies `check`; asks far more often than a person could see. */
async function soon(check: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !check(); ) {
    if (performance.now() > end) throw new Error('the screen did not change within 20 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const open = (engine: Engine) =>
  openTerminal(process.execPath, [path.join(repositoryRoot, 'dist/galley.cjs'), '-H', engine.host], {
    columns: 200,
    rows: 50,
    env: { PATH: process.env['PATH'] ?? '', HOME: engine.folder },
  });
async function leave(terminal: Terminal): Promise<void> {
  terminal.write('q');
  await terminal.exited;
  terminal.close();
}

async function firstFrame(engine: Engine): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < OPENINGS; round += 1) {
    const start = performance.now();
    const terminal = open(engine);
    await soon(() => terminal.screen().includes('● live'));
    times.push(performance.now() - start);
    await leave(terminal);
  }
  return `| from \`galley\` to the first useful frame | median ${median(times).toFixed(0)} ms, best ${quantile(times, 0).toFixed(0)} ms | 220 ms |`;
}

async function idle(engine: Engine): Promise<string> {
  const terminal = open(engine);
  await terminal.shows('● live');
  await sleep(3000);
  const [cpu, length] = [cpuOf(terminal.pty.pid), terminal.output().length];
  await sleep(IDLE_MS);
  const share = ((cpuOf(terminal.pty.pid) - cpu) / IDLE_MS) * 100;
  const bytes = terminal.output().length - length;
  await leave(terminal);
  return `| ${IDLE_MS / 1000} s in which nothing happens | ${share.toFixed(2)} % of a core, ${bytes} bytes | < 1 %, 0 bytes |`;
}

async function keys(engine: Engine): Promise<string> {
  const terminal = open(engine);
  await terminal.shows('● live');
  await sleep(3000);
  const selected = () => terminal.lines().find((line) => line.includes('▸'));
  const times: number[] = [];
  const [cpu, start] = [cpuOf(terminal.pty.pid), performance.now()];
  for (let at = 0; at < KEYS; at += 1) {
    const before = selected();
    const pressed = performance.now();
    terminal.write(at % 40 < 30 ? 'j' : 'k');
    await soon(() => selected() !== before);
    times.push(performance.now() - pressed);
    await sleep(KEY_PAUSE_MS);
  }
  const share = ((cpuOf(terminal.pty.pid) - cpu) / (performance.now() - start)) * 100;
  const memory = memoryOf(terminal.pty.pid);
  await leave(terminal);
  return `| a key to its frame, ${CONTAINERS} containers, ${RUNNING} of them with stats | median ${median(times).toFixed(1)} ms, p95 ${quantile(times, 0.95).toFixed(1)} ms; ${share.toFixed(1)} % of a core, ${memory.toFixed(0)} MB | p95 16 ms, 12 % |`;
}

async function logs(engine: Engine): Promise<string> {
  const terminal = open(engine);
  await terminal.shows('● live');
  terminal.write('/loud\r');
  await terminal.shows(/▸ ● running +loud/);
  await sleep(3000);
  const [cpu, start] = [cpuOf(terminal.pty.pid), performance.now()];
  await sleep(10_000);
  const share = ((cpuOf(terminal.pty.pid) - cpu) / (performance.now() - start)) * 100;
  const memory = memoryOf(terminal.pty.pid);
  await leave(terminal);
  return `| following ${LINES_A_SECOND} log lines a second | ${share.toFixed(1)} % of a core, ${memory.toFixed(0)} MB | 12 %, 220 MB |`;
}

async function fill(docker: DockerCli): Promise<void> {
  const create = (from: number, to: number): Promise<void> =>
    mustRun('sh', [
      '-c',
      `i=${from}; while [ $i -lt ${to} ]; do ${docker.path} create --name c$i bench sleep 1000 >/dev/null || exit 1; i=$((i+1)); done`,
    ]).then(() => undefined);
  await create(0, CONTAINERS);
  await docker.must(['start', ...Array.from({ length: RUNNING }, (_, at) => `c${at}`)]);
}

export async function benchDashboard(): Promise<void> {
  if (!isRoot) throw new Error('the bench starts an engine: run it as root');
  await mustRun(process.execPath, [path.join(repositoryRoot, 'scripts/build.mjs'), '--if-needed']);
  const registry = await startRegistry();
  const engine = await startEngine();
  const docker = await dockerCli(engine.host);
  try {
    const reference = await pushImage(registry, 'library/bench', await busyboxImage());
    await docker.must(['pull', '-q', reference]);
    await docker.must(['tag', reference, 'bench']);
    const rows = [await firstFrame(engine), await idle(engine)];
    process.env['DOCKER_HOST'] = engine.host;
    await fill(docker);
    rows.push(await keys(engine));
    const batch = `while :; do i=0; while [ $i -lt ${LINES_A_SECOND / 10} ]; do echo "line $i of many, with some words in it"; i=$((i+1)); done; sleep 0.1; done`;
    await docker.must(['run', '-d', '--name', 'loud', 'bench', 'sh', '-c', batch]);
    rows.push(await logs(engine));
    const head = `At 200x50 in a pty, on ${machine()}, load average ${os.loadavg()[0]?.toFixed(1)} when it ended.\n`;
    publish(
      'bench-dashboard.md',
      'What the dashboard costs',
      `${head}\n| what | measured | the aim |\n|---|---|---|\n${rows.join('\n')}\n`,
    );
  } finally {
    const left = await docker.must(['ps', '-aq']);
    if (left !== '') await docker.must(['rm', '-f', ...left.split('\n')]);
    docker.close();
    await engine.purge();
    await registry.stop();
  }
}
