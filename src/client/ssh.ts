import { spawn } from 'node:child_process';
import { Duplex, Writable } from 'node:stream';
import type { SshEndpoint } from './endpoint.ts';

/** galley's own engine where the other host has galley, else docker's, as the docker CLI reaches it. */
const REMOTE =
  'if command -v galley >/dev/null 2>&1; then exec galley system dial-stdio; else exec docker system dial-stdio; fi';

/**
 * A duplex over `ssh HOST galley system dial-stdio` (or docker's).
 * ssh's own words go to the stream's error when it fails (wrong key, unknown host).
 */
export function connectThroughSsh(endpoint: SshEndpoint): Duplex {
  const args = ['-o', 'ConnectTimeout=30', '-T'];
  if (endpoint.user) args.push('-l', endpoint.user);
  if (endpoint.port) args.push('-p', String(endpoint.port));
  const child = spawn('ssh', [...args, '--', endpoint.hostname, `sh -c '${REMOTE}'`], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-2000);
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  exited.catch(() => undefined);
  // Its output ends before its exit code is there, and only that tells an end from a failure.
  async function* output(): AsyncGenerator<Buffer> {
    yield* child.stdout as AsyncIterable<Buffer>;
    const code = await exited;
    if (code) throw new Error(`ssh ${endpoint.hostname}: ${words.trim() || `exited with code ${code}`}`);
  }
  // A write that comes too late is no news: why ssh ended, the other half tells.
  child.stdin.on('error', () => undefined);
  const input = new Writable({
    write: (chunk, _encoding, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(() => done()),
  });
  const duplex = Duplex.from({ readable: output(), writable: input });
  duplex.once('close', () => child.kill());
  // undici treats every connection as a net.Socket and calls these.
  const self = () => duplex;
  return Object.assign(duplex, { ref: self, unref: self, setTimeout: self, setNoDelay: self, setKeepAlive: self });
}
