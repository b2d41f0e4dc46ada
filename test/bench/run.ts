/** `npm run bench run`: the docker CLI against galleyd and against a real dockerd, interleaved, and galley's own ps against bare Node. */
import path from 'node:path';
import { repositoryRoot } from '../fixtures/cache.ts';
import { mustRun } from '../fixtures/exec.ts';
import { machine, median, onStage, publish } from './stage.ts';

type Try = (round: number) => Promise<void>;
interface Work {
  name: string;
  galley: Try;
  peer: Try | undefined;
  peerName: string;
}

const rounds = Number(process.env.GALLEY_BENCH_ROUNDS ?? 15);

/** Runs a program to its end; a failure ends the bench. */
async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  await mustRun(command, args, { env });
}

async function timed(side: Try, round: number): Promise<number> {
  const start = process.hrtime.bigint();
  await side(round);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/** One warm-up, then both sides in turn, the first one changing each round. */
async function measure(work: Work): Promise<{ galley: number; peer: number | undefined }> {
  const taken: { galley: number[]; peer: number[] } = { galley: [], peer: [] };
  for (let round = 0; round <= rounds; round++) {
    const sides: ['galley' | 'peer', Try | undefined][] = [
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

/** The docker CLI against both engines, and galley's own ps against bare Node. */
export async function benchRun(): Promise<void> {
  await onStage(async ({ galley, dockerd, peerVersion }) => {
    for (const side of [galley, dockerd])
      await side?.cli.must(['run', '-d', '--name', 'exec-target', 'bench', 'sleep', '3600']);
    const docker = (args: string[]): Pick<Work, 'galley' | 'peer' | 'peerName'> => ({
      galley: () => run(galley.cli.path, args, galley.cli.env),
      peer: dockerd && (() => run(dockerd.cli.path, args, dockerd.cli.env)),
      peerName: 'dockerd',
    });
    const works: Work[] = [
      { name: '`docker run --rm busybox true`, bridge', ...docker(['run', '--rm', 'bench', 'true']) },
      { name: 'the same, `--network none`', ...docker(['run', '--rm', '--network', 'none', 'bench', 'true']) },
      { name: '`docker exec` of `true`', ...docker(['exec', 'exec-target', 'true']) },
      { name: '`docker ps`', ...docker(['ps']) },
      {
        name: '`galley ps`',
        galley: () => run(path.join(repositoryRoot, 'bin/galley'), ['-H', galley.host, 'ps'], process.env),
        peer: () => run(process.execPath, ['-e', '0'], process.env),
        peerName: '`node -e 0`',
      },
    ];
    const head = `Medians of ${rounds} rounds, the two sides in turn, on ${machine()}; dockerd ${peerVersion}.\n`;
    publish('bench-run.md', 'What a run costs', `${head}\n${await table(works)}`);
  });
}
