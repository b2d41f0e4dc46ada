// `npm test`: host packages, checks, then every test; the last line counts them. `--long` runs the long ones whole.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const node = path.join(root, 'node_modules', '.bin', 'node');
if (Number(process.versions.node.split('.')[0]) < 22 && existsSync(node)) {
  process.exit(spawnSync(node, process.argv.slice(1), { stdio: 'inherit' }).status ?? 1);
}
const step = (command, args, env = {}) => spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;

let failures = 0;
if (process.getuid?.() === 0 && !step('sh', ['scripts/host-packages.sh'])) failures += 1;
if (!step(process.execPath, ['scripts/check.mjs'])) failures += 1;
const cache = path.join(root, '.cache');
mkdirSync(cache, { recursive: true });
const report = path.join(cache, 'report.json');
rmSync(report, { force: true });
const ran = step(path.join(root, 'node_modules', '.bin', 'vitest'), ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`], {
  GALLEY_TEST_LONG: process.argv.includes('--long') ? '1' : '',
});
let passed = 0;
let skipped = 0;
if (existsSync(report)) {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  for (const file of testResults) {
    if (file.assertionResults.length === 0) failures += 1; // a file that could not even be loaded
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passed += 1;
      else if (test.status === 'failed') failures += 1;
      else {
        skipped += 1;
        console.log(`skipped: ${test.fullName}`);
      }
    }
  }
} else failures += 1;
if (!ran && failures === 0) failures += 1;
console.log(`${passed} passed, ${failures} failed, ${skipped} skipped`);
process.exitCode = failures === 0 ? 0 : 1;
