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
    /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|temporary failure resolving|could not resolve|network is unreachable|cannot initiate the connection|unable to fetch|failed to fetch/i,
    'The network does not answer: look at the connection, DNS and proxy settings',
  ],
  [
    /UNABLE_TO_GET_ISSUER_CERT|SELF_SIGNED_CERT|unable to verify the first certificate|Exit handler never called/i,
    "npm could not trust or finish the connection to its registry: behind a TLS proxy set npm's cafile (npm config set cafile FILE)",
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

const seconds = (since) => ((Date.now() - since) / 1000).toFixed(1);

/**
 * Runs a tool to its end as the step `name`.
 * count: () => 'n of m', shown while it runs. optional: what to say instead of failing. after: the command to run again.
 * Gives back whether it succeeded; a step that is not optional ends the program with 1.
 */
export async function step(name, [program, ...args], { count, optional, again = 'npm start', env = process.env } = {}) {
  const began = Date.now();
  const live = process.stderr.isTTY && process.env.TERM !== 'dumb';
  const line = () => `galley: ${name} … ${count ? `${count()}, ` : ''}${Math.floor((Date.now() - began) / 1000)} s`;
  if (!live) say(`${name} …`);
  const show = () => process.stderr.write(`\r\x1b[2K${line()}`);
  if (live) show();
  const timer = live ? setInterval(show, 200) : undefined;
  let words = '';
  const code = await new Promise((resolve) => {
    // The tool asks nothing: what it could ask would drown in the progress line.
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        words = (words + chunk).slice(-16_384);
      });
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, signal) => resolve(signal ?? status));
  });
  clearInterval(timer);
  if (live) process.stderr.write('\r\x1b[2K');
  if (code === 0) {
    say(`${name}: done in ${seconds(began)} s`);
    return true;
  }
  if (optional) {
    say(`${name}: ${optional}`);
    return false;
  }
  const last = words.trimEnd().split('\n').slice(-KEPT_LINES);
  for (const text of last) if (text) process.stderr.write(`  ${text}\n`);
  say(`${name}: failed (${typeof code === 'number' ? `exit ${code}` : code}), so nothing after it was done.`);
  say(`${wayOut(words)}, then run ${again} again: it goes on from here.`);
  process.exit(1);
}
