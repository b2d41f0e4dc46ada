import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import type { SshEndpoint } from './endpoint.ts';

/**
 * A duplex over `ssh HOST docker system dial-stdio`, as the docker CLI reaches an engine behind ssh.
 * ssh's own words go to the stream's error when it fails (wrong key, unknown host).
 */
export function connectThroughSsh(endpoint: SshEndpoint): Duplex {
  const args = ['-o', 'ConnectTimeout=30', '-T'];
  if (endpoint.user) args.push('-l', endpoint.user);
  if (endpoint.port) args.push('-p', String(endpoint.port));
  const child = spawn('ssh', [...args, '--', endpoint.hostname, 'docker', 'system', 'dial-stdio'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-2000);
  });
  const duplex = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.once('error', (error) => duplex.destroy(error));
  child.once('exit', (code) => {
    if (code) duplex.destroy(new Error(`ssh ${endpoint.hostname}: ${words.trim() || `exited with code ${code}`}`));
  });
  duplex.once('close', () => child.kill());
  // undici treats every connection as a net.Socket and calls these.
  const self = () => duplex;
  return Object.assign(duplex, { ref: self, unref: self, setTimeout: self, setNoDelay: self, setKeepAlive: self });
}
