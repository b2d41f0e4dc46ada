/** `npm run bench NAME`: measurements against a real dockerd, each with a page in docs/. */
import { benchMany } from './many.ts';
import { benchPull } from './pull.ts';
import { benchRun } from './run.ts';

const benches: Readonly<Record<string, () => Promise<void>>> = { run: benchRun, many: benchMany, pull: benchPull };
const bench = benches[process.argv[2] ?? ''];
if (bench) await bench();
else {
  console.error(`usage: npm run bench ${Object.keys(benches).join('|')}   (GALLEY_BENCH_ROUNDS=15)`);
  process.exitCode = 2;
}
