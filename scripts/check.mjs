// Types, lint, formatting, import rules and forgotten notes: what `npm test` checks before it runs anything.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '..'));
const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const checks = [
  ['types', bin('tsc'), ['-p', '.']],
  ['lint and formatting', bin('biome'), ['ci', '--error-on-warnings', '--reporter=summary', 'src', 'daemon', 'test', 'scripts']],
  ['import rules', bin('depcruise'), ['--config', '.dependency-cruiser.cjs', 'src', 'daemon']],
];
let failed = 0;
const report = (name, ok, output) => {
  console.log(`${ok ? 'ok' : 'FAILED'}  ${name}`);
  if (!ok) {
    failed += 1;
    console.log(output);
  }
};
for (const [name, command, args] of checks) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '0' } });
  report(name, result.status === 0, `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`);
}
const words = ['TO' + 'DO', 'FIX' + 'ME'].join('|');
const notes = spawnSync('git', ['grep', '-nE', words], { cwd: root, encoding: 'utf8' });
if (notes.status !== 128) report(`no ${words.replace('|', ' or ')} left`, notes.status === 1, notes.stdout);
process.exitCode = failed === 0 ? 0 : 1;
