// Set-up after npm ci: build, host packages, group, link, galleyd. Says only what it does; silent when all is in place.
// Flags: --yes (answer y for whoever has no terminal), --no-daemon, --no-link, --no-packages, --link-into FOLDER.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { build, buildHash, isCurrent } from './build.mjs';

const root = realpathSync(path.join(path.dirname(fileURLToPath(import.meta.url)), '..'));
const launcher = path.join(root, 'bin/galley');
const socket = '/run/galley/galley.sock';
const asRoot = process.getuid() === 0;
const say = (line) => process.stderr.write(`galley: ${line}\n`);

function has(tool) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(path.join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The commands that install what is missing, each a list of arguments; none when nothing is. */
function packageCommands() {
  const needed = [
    ['runc', 'runc'],
    ['conmon', 'conmon'],
    ['nft', 'nftables'],
    ['ip', has('dnf') ? 'iproute' : 'iproute2'],
  ];
  const missing = needed.filter(([tool]) => !has(tool)).map(([, name]) => name);
  if (!existsSync('/usr/bin/tini-static') && !has('tini')) missing.push('tini');
  if (missing.length === 0) return [];
  if (has('apt-get')) {
    const install = ['apt-get', '-qq', '-y', '--no-install-recommends', 'install'];
    const commands = [
      ['apt-get', '-qq', 'update'],
      ['env', 'DEBIAN_FRONTEND=noninteractive', ...install, ...missing],
    ];
    // igzip only makes pulls faster, and not every release packages it.
    if (!has('igzip'))
      commands.push(['sh', '-c', `${install.join(' ')} isal || echo 'galley: no isal here: Node decompresses'`]);
    return commands;
  }
  if (has('dnf')) return [['dnf', '-q', '-y', 'install', ...missing]];
  if (has('apk')) return [['apk', 'add', '--quiet', ...missing]];
  say(`this host has no apt-get, dnf or apk. Install by hand, then run this again: ${missing.join(' ')}`);
  process.exit(1);
}

function groupExists() {
  return readFileSync('/etc/group', 'utf8')
    .split('\n')
    .some((line) => line.startsWith('galley:'));
}

function groupMembers() {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('galley:'));
  return line ? (line.split(':')[3] ?? '').split(',') : [];
}

/** What answers on galley's socket: its build hash, 'none', or 'denied'. */
function runningBuild() {
  return new Promise((resolve) => {
    const request = http.get({ socketPath: socket, path: '/version', timeout: 5000 }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        try {
          const component = JSON.parse(text).Components.find((entry) => entry.Name === 'galley');
          resolve(component?.Details?.BuildHash ?? 'unknown');
        } catch {
          resolve('unknown');
        }
      });
    });
    request.on('timeout', () => request.destroy());
    request.on('error', (error) => resolve(error.code === 'EACCES' ? 'denied' : 'none'));
  });
}

const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
const shown = (command) => command.map(quote).join(' ');

function runAll(commands, prefix = []) {
  for (const command of commands) {
    say(shown([...prefix, ...command]));
    const [program, ...args] = [...prefix, ...command];
    const result = spawnSync(program, args, { stdio: ['inherit', 'ignore', 'inherit'] });
    if (result.status !== 0) {
      say(
        `that failed${result.error ? `: ${result.error.message}` : ` (exit ${result.status})`}; nothing after it was done. Put it right, then run this again.`,
      );
      process.exit(1);
    }
  }
}

async function agreed() {
  if (process.argv.includes('--yes')) return true;
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question('Run them through sudo now? [y/N] ');
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Links galley into a folder of PATH; a file there that is not our link stays. */
function link() {
  const at = process.argv.indexOf('--link-into');
  const usual = asRoot ? '/usr/local/bin' : path.join(os.homedir(), '.local/bin');
  const folders = [(at > 0 && process.argv[at + 1]) || usual];
  for (const folder of folders) {
    const target = path.join(folder, 'galley');
    try {
      const found = lstatSync(target, { throwIfNoEntry: false });
      if (found?.isSymbolicLink()) {
        const to = readlinkSync(target);
        if (to === launcher) return;
        // A link that another clone of galley made is ours to move; anything else is not.
        const dead = !existsSync(target);
        if (
          !to.endsWith('/bin/galley') ||
          (!dead && !existsSync(path.join(path.dirname(to), '../scripts/setup.mjs')))
        ) {
          say(`${target} is another program's (-> ${to}): left as it is; run galley as ${launcher}`);
          return;
        }
        unlinkSync(target);
      } else if (found) {
        say(`${target} is another program's: left as it is; run galley as ${launcher}`);
        return;
      }
      mkdirSync(folder, { recursive: true });
      symlinkSync(launcher, target);
      say(`linked ${target} -> ${launcher}`);
    } catch (error) {
      say(`could not link ${target}: ${error.message}`);
    }
  }
}

async function main() {
  if (!isCurrent()) {
    const start = Date.now();
    await build();
    say(`built dist/ in ${((Date.now() - start) / 1000).toFixed(1)} s`);
  }
  const commands = process.argv.includes('--no-packages') ? [] : packageCommands();
  if (!process.argv.includes('--no-daemon')) {
    const { username } = os.userInfo();
    if (!groupExists())
      commands.push(has('groupadd') ? ['groupadd', '--system', 'galley'] : ['addgroup', '-S', 'galley']);
    if (!asRoot && !groupMembers().includes(username)) {
      commands.push(has('usermod') ? ['usermod', '-aG', 'galley', username] : ['addgroup', username, 'galley']);
    }
    const running = await runningBuild();
    if (running === 'none') commands.push([launcher, 'daemon', 'start']);
    else if (running !== 'denied' && running !== buildHash()) {
      say('galleyd is of an older build: restarting it; containers live on');
      commands.push([launcher, 'daemon', 'restart']);
    }
  }
  if (commands.length > 0 && !asRoot) {
    say('these commands need root:');
    for (const command of commands) process.stderr.write(`  ${shown(command)}\n`);
    if (!has('sudo')) {
      say('there is no sudo here: run them as root, then run this again');
      process.exit(1);
    }
    if (!(await agreed())) {
      say('nothing was changed: run them yourself, then run this again');
      process.exit(1);
    }
    runAll(commands, ['sudo']);
  } else runAll(commands);
  if (!process.argv.includes('--no-link')) link();
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
