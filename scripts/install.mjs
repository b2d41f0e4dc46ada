// npm ci as a step with progress. Runs on the host's own Node, before the project's own is there.
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, say, step } from './steps.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const marker = path.join(root, 'node_modules/.galley-lock');
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  say(
    `set-up needs Node 20.19 or newer, this is ${process.versions.node}: install a newer one, then run npm start again`,
  );
  process.exit(1);
}

const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
const fits = ({ os, cpu, libc }) =>
  (!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch)) && (!libc || libc.includes('glibc'));
const wanted = Object.entries(lock.packages)
  .filter(([name, entry]) => name && fits(entry))
  .map(([name]) => path.join(root, name, 'package.json'));
const count = () => `${wanted.filter((file) => existsSync(file)).length} of ${wanted.length}`;

// Away before npm touches anything: a half-done node_modules must not count as done.
rmSync(marker, { force: true });
// npm waits up to a minute before it tries a dead network again.
const patience = ['--fetch-retries=3', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];
// On a full disk npm only warns about each file that it could not write, and ends with 0 over half a node_modules.
const strict = { fatal: /TAR_ENTRY_ERROR/, noise: /^npm warn EBADENGINE/ };
const command = ['npm', 'ci', '--loglevel=warn', '--no-fund', '--no-audit', '--no-progress', ...patience];
const again = process.argv.includes('--dashboard') ? 'npm start' : 'npm run setup';
process.chdir(root);
await step('npm packages', command, { count, again, ...strict });
try {
  copyFileSync(path.join(root, 'package-lock.json'), marker);
} catch (error) {
  fail('npm packages', error.code, error.message, again);
}
