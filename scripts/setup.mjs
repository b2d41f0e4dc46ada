// Set-up after npm ci: build, host packages, group, galleyd, link. Says only what it does; silent when all is in place.
// Flags: --yes (answer y for whoever has no terminal), --no-packages, --no-group, --no-daemon, --no-link, --link-into FOLDER,
// --dashboard (go on as the dashboard in this very process; ends with 75 where the user's new group needs a new session first).
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, buildHash, isCurrent } from './build.mjs';
import { link } from './link.mjs';
import { groupCommands, packageSteps } from './packages.mjs';
import { say, step } from './steps.mjs';

const root = realpathSync(path.join(path.dirname(fileURLToPath(import.meta.url)), '..'));
const launcher = path.join(root, 'bin/galley');
const socket = (process.env.GALLEY_HOST || 'unix:///run/galley/galley.sock').replace(/^unix:\/\//, '');
const words = process.argv.slice(2);
const told = (flag) => words.includes(flag);
const asRoot = process.getuid() === 0;
const again = told('--dashboard') ? 'npm start' : 'npm run setup';
const NEEDS_NEW_SESSION = 75;

/** Looks in PATH and in the administrators' folders, which a plain user's PATH lacks. */
function find(tool) {
  for (const folder of [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']) {
    const file = path.join(folder || '.', tool);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // not here: look on
    }
  }
  return undefined;
}

function has(tool) {
  if (tool === 'tini') return Boolean(find('tini-static'));
  const file = find(tool);
  // busybox has an ip and a ps of its own that know too little.
  return file !== undefined && !(['ip', 'ps'].includes(tool) && path.basename(realpathSync(file)) === 'busybox');
}

/** GET /version over galley's socket, by hand: node:http would cost this start 15 ms. 'none' where nothing answers, 'denied' without access. */
function askVersion() {
  return new Promise((resolve) => {
    const wire = connect(socket);
    let text = '';
    wire.setTimeout(5000, () => wire.destroy(new Error('no answer')));
    wire.on('connect', () => wire.end('GET /version HTTP/1.0\r\nHost: galley\r\nConnection: close\r\n\r\n'));
    wire.setEncoding('utf8');
    wire.on('data', (chunk) => {
      text += chunk;
    });
    wire.on('error', (error) => resolve(error.code === 'EACCES' ? 'denied' : 'none'));
    wire.on('close', () => {
      try {
        resolve(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))));
      } catch {
        resolve({});
      }
    });
  });
}

/** The words a galleyd was started with, so that its successor is told the same. */
function argumentsOf(pid) {
  try {
    const all = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    const program = all.findIndex((word) => /\/(galleyd\.mjs|daemon\/main\.ts)$/.test(word));
    return program < 0 ? [] : all.slice(program + 1);
  } catch {
    return []; // it ended meanwhile: nothing to hand on
  }
}

/** The step that starts galleyd, or puts a galleyd of another build out of service; none when this build answers. */
async function daemonSteps() {
  const version = await askVersion();
  if (version === 'none') return [{ name: 'start galleyd', command: [launcher, 'daemon', 'start'] }];
  if (version === 'denied') return [];
  const details = version.Components?.find((entry) => entry.Name === 'galley')?.Details ?? {};
  if (details.BuildHash === buildHash()) return [];
  const name = 'restart galleyd, which is of another build (containers live on)';
  // Where it is a service, its flags stand in the unit.
  const service = existsSync('/run/systemd/system') && existsSync('/etc/systemd/system/galleyd.service');
  return [{ name, command: [launcher, 'daemon', 'restart', ...(service ? [] : argumentsOf(details.Pid))] }];
}

function groupSteps() {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('galley:'));
  const { username } = os.userInfo();
  const member = line?.split(':')[3]?.split(',').includes(username);
  const user = asRoot || member ? undefined : username;
  const steps = groupCommands(has, { group: 'galley', exists: line !== undefined, user }).map((command) => ({
    name: command.includes(username) ? `put ${username} into group galley` : 'make group galley',
    command,
  }));
  // A galleyd that was started before the group was made gave its socket to docker or root.
  if (line === undefined && existsSync(socket))
    steps.push({ name: 'give the socket to group galley', command: ['chgrp', 'galley', socket] });
  return steps;
}

const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
const shown = (command) => command.map(quote).join(' ');

async function agreed() {
  if (told('--yes')) return true;
  if (!process.stdin.isTTY) return false;
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-D is No as well.
  const closed = new Promise((resolve) => lines.once('close', () => resolve('')));
  const answer = await Promise.race([lines.question('Run them through sudo now? [y/N] '), closed]);
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Shows a plain user the commands that need root, and gives back what to put before them. Ends with 1 without a yes. */
async function throughSudo(steps) {
  if (asRoot) return [];
  say('these commands need root:');
  for (const { command } of steps) process.stderr.write(`  ${shown(command)}\n`);
  if (!find('sudo')) {
    say(`there is no sudo here: run them as root, then run ${again} again`);
    process.exit(1);
  }
  if (!(await agreed())) {
    say(`nothing was changed: run them yourself, then run ${again} again`);
    process.exit(1);
  }
  // Its password prompt comes here, not under a progress line.
  const allowed = spawnSync('sudo', ['true'], { stdio: 'inherit' });
  if (allowed.status !== 0) {
    say(`sudo refused: run the commands above as root, then run ${again} again`);
    process.exit(1);
  }
  return ['sudo'];
}

async function buildIfNeeded() {
  if (isCurrent()) return;
  const began = Date.now();
  try {
    await build();
  } catch (error) {
    // esbuild has already said where and what.
    say(`build: failed${error.errors ? '' : ` (${error.message})`}, so nothing after it was done.`);
    say(`Put it right, then run ${again} again.`);
    process.exit(1);
  }
  say(`build: done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

function hostSteps() {
  if (told('--no-packages')) return [];
  const { steps, byHand } = packageSteps(has);
  if (steps) return steps;
  say(`this host has no apt-get, dnf or apk. Install by hand, then run ${again} again: ${byHand.join(' ')}`);
  process.exit(1);
}

/** node.sh took the host's Node because galley's own does not start here (musl). @see bin/galley, which asks the same */
function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 19)) return;
  say(`galley's own Node does not start on this host, and the host's is ${process.versions.node}, which is too old.`);
  say(`Install Node 22.19 or newer, then run ${again} again: it goes on from here.`);
  process.exit(1);
}

async function main() {
  checkNode();
  await buildIfNeeded();
  const steps = hostSteps();
  if (!told('--no-daemon')) {
    if (!told('--no-group')) steps.push(...groupSteps());
    steps.push(...(await daemonSteps()));
  }
  if (steps.length > 0) {
    const prefix = await throughSudo(steps);
    const run = ({ name, command, optional }) => step(name, [...prefix, ...command], { optional, again });
    for (const one of steps) if (!(await run(one))) for (const part of one.oneByOne ?? []) await run(part);
  }
  if (!told('--no-link')) {
    const usual = asRoot ? '/usr/local/bin' : path.join(os.homedir(), '.local/bin');
    link(launcher, words[words.indexOf('--link-into') + 1 || Number.NaN] ?? usual, process.env.PATH ?? '');
  }
  if (told('--dashboard')) await dashboard();
}

async function dashboard() {
  if (existsSync(socket)) {
    try {
      accessSync(socket, constants.W_OK);
    } catch {
      if (find('sg')) process.exit(NEEDS_NEW_SESSION);
    }
  }
  const program = path.join(root, 'dist/galley.cjs');
  process.argv = [process.execPath, program];
  await import(pathToFileURL(program).href);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
