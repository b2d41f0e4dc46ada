/** `npm run bench many`: many containers through the Engine API, and what both engines hold in memory for a hundred that run. */
import fs from 'node:fs';
import { requestUnix } from '../fixtures/engine.ts';
import { machine, median, onStage, publish, type Side } from './stage.ts';

const MANY = 100;
const AT_ONCE = 10;
const rounds = Number(process.env.GALLEY_BENCH_ROUNDS ?? 5);

async function ask(side: Side, method: string, url: string, body?: unknown): Promise<string> {
  const answer = await requestUnix(side.socket, method, url, body);
  if (answer.status >= 300) throw new Error(`${side.name}: ${method} ${url}: ${answer.status} ${answer.text}`);
  return answer.text;
}

async function create(side: Side, command: string[]): Promise<string> {
  const text = await ask(side, 'POST', '/containers/create', { Image: 'bench', Cmd: command });
  return (JSON.parse(text) as { Id: string }).Id;
}

/** Create, start, wait for the end, remove: the whole life of a container on the bridge. */
async function life(side: Side): Promise<void> {
  const id = await create(side, ['true']);
  await ask(side, 'POST', `/containers/${id}/start`);
  await ask(side, 'POST', `/containers/${id}/wait`);
  await ask(side, 'DELETE', `/containers/${id}`);
}

/** `count` times `work`, never more than AT_ONCE at the same time. */
async function crowd(count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** MiB that the processes of an engine hold, shared pages divided among their users: the daemon's own, and its supervisors'. */
function memory(side: Side): { daemon: number; supervisors: number } {
  const sums = { daemon: 0, supervisors: 0 };
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (!words.includes(`${side.folder}/`)) continue;
      const pss = Number(/^Pss:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
      sums[/^\S*(conmon|containerd-shim\S*) /.test(words) ? 'supervisors' : 'daemon'] += pss / 1024;
    } catch {
      // it ended while we looked
    }
  }
  return sums;
}

type Row = { work: string; unit: string; digits: number; take: (side: Side) => Promise<number> };

/** Each side in turn, the first one changing each round; a median of the rounds. */
async function measure(row: Row, sides: readonly Side[], times: number): Promise<number[]> {
  const taken = sides.map((): number[] => []);
  for (let round = 0; round < times; round += 1) {
    const order = [...sides.entries()];
    if (round % 2) order.reverse();
    for (const [index, side] of order) taken[index]?.push(await row.take(side));
  }
  return taken.map(median);
}

export async function benchMany(): Promise<void> {
  await onStage(async ({ galley, dockerd, peerVersion }) => {
    const sides = dockerd ? [galley, dockerd] : [galley];
    const lines = ['| work | galleyd | dockerd | ratio |', '|---|---|---|---|'];
    const write = (work: string, unit: string, digits: number, [mine, theirs]: (number | undefined)[]) => {
      const show = (value: number | undefined) =>
        value === undefined ? 'none here' : `${value.toFixed(digits)} ${unit}`;
      const ratio = mine === undefined || theirs === undefined ? '' : (mine / theirs).toFixed(2);
      lines.push(`| ${work} | ${show(mine)} | ${show(theirs)} | ${ratio} |`);
      process.stderr.write(`${lines.at(-1)}\n`);
    };
    const row = async (one: Row, times: number) =>
      write(one.work, one.unit, one.digits, await measure(one, sides, times));

    for (const side of sides) await life(side); // warm
    await row(
      {
        work: 'one container through the API, create to removal, bridge',
        unit: 'ms',
        digits: 1,
        take: (side) => timed(() => life(side)),
      },
      rounds * 3,
    );
    await row(
      {
        work: `${MANY} of them, ${AT_ONCE} at once`,
        unit: '/s',
        digits: 1,

        take: async (side) => (MANY * 1000) / (await timed(() => crowd(MANY, () => life(side)))),
      },
      rounds,
    );
    for (const side of sides)
      await crowd(
        MANY,
        async () => void (await ask(side, 'POST', `/containers/${await create(side, ['sleep', '3600'])}/start`)),
      );
    await row(
      {
        work: `\`GET /containers/json\`, ${MANY} containers`,
        unit: 'ms',
        digits: 2,

        take: (side) => timed(() => ask(side, 'GET', '/containers/json')),
      },
      rounds * 10,
    );
    const held = sides.map(memory);
    write(
      `memory of the daemon, ${MANY} running (PSS)`,
      'MiB',
      0,
      held.map((one) => one.daemon),
    );
    write(
      'memory of the supervisors',
      'MiB',
      0,
      held.map((one) => one.supervisors),
    );
    write(
      'together',
      'MiB',
      0,
      held.map((one) => one.daemon + one.supervisors),
    );
    const head = `Medians of ${rounds} rounds and more, the two sides in turn, through the Engine API on ${machine()}; dockerd ${peerVersion}.\n`;
    publish('bench-many.md', 'What many containers cost', `${head}\n${lines.join('\n')}\n`);
  });
}
