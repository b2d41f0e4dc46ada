/** A clone of galley as it lies here, that a test may pull into, break and set up. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../fixtures/cache.ts';
import { mustRun } from '../fixtures/exec.ts';

const certificates = '/etc/ssl/certs/ca-certificates.crt';

/** The host's own npm and Node, as a person would use them; not the Node 24 of this test run. */
export const hostEnv: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: (process.env.PATH ?? '')
    .split(':')
    .filter((folder) => !folder.includes('node_modules'))
    .join(':'),
  npm_config_prefer_offline: 'true',
  npm_config_update_notifier: 'false',
  ...(process.env.NODE_EXTRA_CA_CERTS || !fs.existsSync(certificates) ? {} : { NODE_EXTRA_CA_CERTS: certificates }),
};

const PARTS = ['src', 'daemon', 'assets', 'bin', 'scripts', 'package.json', 'package-lock.json', '.npmrc', 'README.md'];

export interface Clone {
  /** Holds origin/ and clone/; anybody may enter it. */
  readonly folder: string;
  readonly path: string;
  /** Commits a change of a file in origin: the file's text goes through `edit`. */
  push(file: string, edit: (text: string) => string): Promise<void>;
  remove(): void;
}

/** git, as nobody in particular. */
const git = (cwd: string, ...args: string[]): Promise<string> =>
  mustRun('git', ['-c', 'user.name=cook', '-c', 'user.email=cook@example.com', ...args], { cwd });

/**
 * A repository `origin` of this folder's files as they are, and a clone of it. `installed` gives the clone node_modules, as a finished
 * `npm ci` left them: hard links, which npm replaces and never writes through.
 */
export async function makeClone({ installed }: { installed: boolean }): Promise<Clone> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'galley-clone-'));
  fs.chmodSync(folder, 0o755);
  const origin = path.join(folder, 'origin');
  const clone = path.join(folder, 'clone');
  fs.mkdirSync(origin);
  await mustRun('cp', ['-a', ...PARTS.map((part) => path.join(repositoryRoot, part)), origin]);
  fs.writeFileSync(path.join(origin, '.gitignore'), 'node_modules/\ndist/\n.cache/\n');
  await git(origin, 'init', '-q', '-b', 'main');
  await git(origin, 'add', '-A');
  await git(origin, 'commit', '-qm', 'as it lies here');
  await git(folder, 'clone', '-q', origin, clone);
  if (installed) {
    const modules = path.join(repositoryRoot, 'node_modules');
    await mustRun('sh', [
      '-c',
      'cp -al "$1" "$2" 2>/dev/null || { rm -rf "$2" && cp -a "$1" "$2"; }',
      'sh',
      modules,
      `${clone}/node_modules`,
    ]);
    const marker = path.join(clone, 'node_modules/.galley-lock');
    fs.rmSync(marker, { force: true });
    fs.copyFileSync(path.join(clone, 'package-lock.json'), marker);
  }
  return {
    folder,
    path: clone,
    async push(file, edit) {
      const target = path.join(origin, file);
      fs.writeFileSync(target, edit(fs.readFileSync(target, 'utf8')));
      await git(origin, 'commit', '-qam', `change ${file}`);
    },
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}
