/** `npm run bench NAME`: measurements, against a real dockerd where there is one to compare with; each has a page in docs/. */
import { benchDashboard } from './dashboard.ts';
import { benchMany } from './many.ts';
import { benchPull } from './pull.ts';
import { benchRun } from './run.ts';

const benches: Readonly<Record<string, () => Promise<void>>> = {
  run: benchRun,
  many: benchMany,
  pull: benchPull,
  dashboard: benchDashboard,
};
const bench = benches[process.argv[2] ?? ''];
if (bench) await bench();
else {
  console.error(`usage: npm run bench ${Object.keys(benches).join('|')}   (GALLEY_BENCH_ROUNDS=15)`);
  process.exitCode = 2;
}
