// Types, lint, formatting, import rules and forgotten notes: what `npm test` checks before it runs anything.
// Usage: check.mjs [folder of a checkout] [--only NAME]
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const home = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const words = process.argv.slice(2);
const only = words.includes('--only') ? words.splice(words.indexOf('--only'), 2)[1] : undefined;
const root = path.resolve(words[0] ?? home);
const bin = (name) => path.join(home, 'node_modules', '.bin', name);
const notes = ['TO' + 'DO', 'FIX' + 'ME'].join('|');
// git grep exits 1 when it finds nothing, which is what is wanted; outside a repository there is nothing to look through.
const checks = [
  ['types', bin('tsc'), ['-p', '.'], [0]],
  ['lint', bin('biome'), ['ci', '--error-on-warnings', '--reporter=summary', '.'], [0]],
  ['imports', bin('depcruise'), ['--config', '.dependency-cruiser.cjs', 'src', 'daemon'], [0]],
  ['unused', bin('knip'), ['--no-progress', '--no-config-hints'], [0]],
  ['notes', 'git', ['grep', '-nE', notes], [1, 128]],
];
if (only && !checks.some(([name]) => name === only)) {
  console.error(`check: no check named ${only}; there are ${checks.map(([name]) => name).join(', ')}`);
  process.exit(2);
}
// The tools start by `#!/usr/bin/env node`, which must be the Node that runs this.
const searchPath = `${path.dirname(process.execPath)}:${process.env.PATH}`;
const env = { ...process.env, PATH: searchPath, NO_COLOR: '1' };
delete env.FORCE_COLOR;
for (const [name, command, args, good] of checks) {
  if (only && only !== name) continue;
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', env, maxBuffer: 1 << 26 });
  const ok = good.includes(result.status);
  console.log(`${ok ? 'ok' : 'FAILED'}  ${name}`);
  if (ok) continue;
  process.exitCode = 1;
  console.log(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`);
}
