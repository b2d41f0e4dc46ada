// A step of the set-up: one line that tells what is done and for how long, over a tool that is kept quiet; when the tool fails, its own
// last words and the way out. Runs on Node 20.
import { spawn } from 'node:child_process';

export const say = (line) => process.stderr.write(`galley: ${line}\n`);

const KEPT_LINES = 12;
const WAYS_OUT = [
  [
    /could not get lock|unable to (acquire|lock)|waiting for (cache )?lock|database is locked/i,
    'Another package manager is at work: wait until it is done',
  ],
  [/no space left|ENOSPC|not enough free space/i, 'The disk is full: make room'],
  [
    /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|temporary failure resolving|could not resolve|network is unreachable|cannot initiate the connection|unable to fetch|failed to fetch|UNABLE_TO_GET_ISSUER_CERT|SELF_SIGNED_CERT|unable to verify the first certificate|Exit handler never called/i,
    'The network does not answer: look at the connection, DNS and proxy settings (behind a TLS proxy npm needs its cafile)',
  ],
  [/dpkg was interrupted/i, 'An earlier installation was cut: run dpkg --configure -a as root'],
  [
    /no such package|unable to locate package|unable to find a match|no match for argument/i,
    'The package is in no repository of this host: enable the one that has it (Alpine: community)',
  ],
  [/permission denied|EACCES/i, 'Something here belongs to another user: look at the path above'],
];

/** What a person does about a tool's last words, as a sentence without its full stop. */
export function wayOut(words) {
  return WAYS_OUT.find(([pattern]) => pattern.test(words))?.[1] ?? 'Put it right';
}

/** Says that a step failed, why, and the way out; ends the program with 1. */
export function fail(name, why, words, again) {
  say(`${name}: failed (${why}), so nothing after it was done.`);
  say(`${wayOut(words)}, then run ${again} again: it goes on from here.`);
  process.exit(1);
}

/** Shows on a terminal, until the function it gives back is called, that the step is under way. */
function watch(name, began, count) {
  if (!process.stderr.isTTY || process.env.TERM === 'dumb') {
    say(`${name} …`);
    return () => undefined;
  }
  const show = () => {
    const progress = count ? `${count()}, ` : '';
    process.stderr.write(`\r\x1b[2Kgalley: ${name} … ${progress}${Math.floor((Date.now() - began) / 1000)} s`);
  };
  show();
  const timer = setInterval(show, 200);
  return () => {
    clearInterval(timer);
    process.stderr.write('\r\x1b[2K');
  };
}

/** Runs a tool that asks nothing: what it could ask would drown in the progress line. Gives back {why?, words}. */
function quietly(program, args, fatal) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let words = '';
    let cut = false;
    const hear = (chunk) => {
      words = (words + chunk).slice(-16_384);
      if (fatal?.test(words) && !cut) cut = child.kill();
    };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', hear);
    child.once('error', (error) => resolve({ why: error.message, words }));
    child.once('close', (code, signal) => {
      const failed = cut || code !== 0;
      resolve({ words, ...(failed ? { why: cut || signal ? 'cut short' : `exit ${code}` } : {}) });
    });
  });
}

/**
 * Runs a tool to its end as the step `name`.
 * count: () => 'n of m', shown while it runs. optional: what to say instead of failing. again: the command to run again.
 * fatal: words of the tool that mean failure whatever its exit code. noise: lines of it that help nobody.
 * Gives back whether it succeeded; a step that is not optional ends the program with 1.
 */
export async function step(name, [program, ...args], { count, optional, again = 'npm start', fatal, noise } = {}) {
  const began = Date.now();
  const done = watch(name, began, count);
  const { why, words } = await quietly(program, args, fatal);
  done();
  if (why === undefined) {
    say(`${name}: done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
    return true;
  }
  if (optional) {
    say(`${name}: ${optional}`);
    return false;
  }
  const lines = words.split('\n').filter((text) => text.trim() && !noise?.test(text));
  for (const text of [...new Set(lines)].slice(-KEPT_LINES)) process.stderr.write(`  ${text}\n`);
  return fail(name, why, words, again);
}
