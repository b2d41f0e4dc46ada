/** `npm run bench run`: the docker CLI against galleyd and against a real dockerd, interleaved, and galley's own ps against bare Node. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../fixtures/cache.ts';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { type Dockerd, dockerdAvailable, startDockerd } from '../fixtures/dockerd.ts';
import { isRoot, startEngine } from '../fixtures/engine.ts';
import { mustRun } from '../fixtures/exec.ts';
import { busyboxImage, pushImage } from '../fixtures/images.ts';
import { startRegistry } from '../fixtures/registry.ts';
import { benchPull } from './pull.ts';

type Side = (round: number) => Promise<void>;
interface Work {
  name: string;
  galley: Side;
  peer: Side | undefined;
  peerName: string;
}

const rounds = Number(process.env.GALLEY_BENCH_ROUNDS ?? 15);

/** Runs a program to its end; a failure ends the bench. */
async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  await mustRun(command, args, { env });
}

async function timed(side: Side, round: number): Promise<number> {
  const start = process.hrtime.bigint();
  await side(round);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** One warm-up, then both sides in turn, the first one changing each round. */
async function measure(work: Work): Promise<{ galley: number; peer: number | undefined }> {
  const taken: { galley: number[]; peer: number[] } = { galley: [], peer: [] };
  for (let round = 0; round <= rounds; round++) {
    const sides: ['galley' | 'peer', Side | undefined][] = [
      ['galley', work.galley],
      ['peer', work.peer],
    ];
    if (round % 2) sides.reverse();
    for (const [name, side] of sides) {
      if (!side) continue;
      const ms = await timed(side, round);
      if (round > 0) taken[name].push(ms);
    }
  }
  return { galley: median(taken.galley), peer: taken.peer.length > 0 ? median(taken.peer) : undefined };
}

async function table(works: Work[]): Promise<string> {
  const lines = ['| work | galley, ms | peer, ms | ratio |', '|---|---|---|---|'];
  for (const work of works) {
    const { galley, peer } = await measure(work);
    const right =
      peer === undefined
        ? `no ${work.peerName} here | `
        : `${peer.toFixed(1)} (${work.peerName}) | ${(galley / peer).toFixed(2)}`;
    const line = `| ${work.name} | ${galley.toFixed(1)} | ${right} |`;
    process.stderr.write(`${line}\n`);
    lines.push(line);
  }
  return `${lines.join('\n')}\n`;
}

async function prepare(cli: DockerCli, image: string): Promise<void> {
  await cli.must(['pull', '-q', image]);
  await cli.must(['tag', image, 'bench']);
  await cli.must(['run', '-d', '--name', 'exec-target', 'bench', 'sleep', '3600']);
}

async function main(): Promise<void> {
  if (!isRoot) throw new Error('the bench starts engines: run it as root');
  const engine = await startEngine();
  const closers: (() => unknown)[] = [() => engine.purge()];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  // A cut bench leaves no engine behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void close().then(() => process.exit(130)));
  try {
    const image = await busyboxImage();
    const registry = await startRegistry();
    closers.push(registry.stop);
    const mine = await dockerCli(engine.host);
    closers.push(mine.close);
    await prepare(mine, await pushImage(registry, 'library/bench', image));
    let dockerd: Dockerd | undefined;
    let theirs: DockerCli | undefined;
    if (await dockerdAvailable()) {
      dockerd = await startDockerd();
      closers.push(dockerd.stop);
      const near = await startRegistry({ address: dockerd.hostAddress });
      closers.push(near.stop);
      theirs = await dockerCli(dockerd.host);
      closers.push(theirs.close);
      await prepare(theirs, await pushImage(near, 'library/bench', image));
    }
    const docker = (args: string[]): Pick<Work, 'galley' | 'peer' | 'peerName'> => ({
      galley: () => run(mine.path, args, mine.env),
      peer: theirs && (() => run(theirs.path, args, theirs.env)),
      peerName: 'dockerd',
    });
    const works: Work[] = [
      { name: '`docker run --rm busybox true`, bridge', ...docker(['run', '--rm', 'bench', 'true']) },
      { name: 'the same, `--network none`', ...docker(['run', '--rm', '--network', 'none', 'bench', 'true']) },
      { name: '`docker exec` of `true`', ...docker(['exec', 'exec-target', 'true']) },
      { name: '`docker ps`', ...docker(['ps']) },
      {
        name: '`galley ps`',
        galley: () => run(path.join(repositoryRoot, 'bin/galley'), ['-H', engine.host, 'ps'], process.env),
        peer: () => run(process.execPath, ['-e', '0'], process.env),
        peerName: '`node -e 0`',
      },
    ];
    const version = theirs ? await theirs.must(['version', '--format', '{{.Server.Version}}']) : 'none';
    const head = `Medians of ${rounds} rounds, the two sides in turn, on ${os.cpus().length} cores (${os.cpus()[0]?.model.trim()}), Linux ${os.release()}, Node ${process.version}; dockerd ${version}.\n`;
    const body = `${head}\n${await table(works)}`;
    process.stdout.write(body);
    fs.mkdirSync(path.join(repositoryRoot, 'docs'), { recursive: true });
    fs.writeFileSync(path.join(repositoryRoot, 'docs/bench-run.md'), `# What a run costs\n\n${body}`);
  } finally {
    await close();
  }
}

if (process.argv[2] === 'run') await main();
else if (process.argv[2] === 'pull') await benchPull();
else {
  console.error('usage: npm run bench run|pull   (GALLEY_BENCH_ROUNDS=15)');
  process.exitCode = 2;
}
