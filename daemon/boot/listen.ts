import { chmodSync, chownSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import type { ApiServer } from '../api/index.ts';
import type { Log } from '../system/log.ts';
import { type Settings, SettingsError } from './settings.ts';

/** The group that may use the socket: galley, else docker, else root. */
export function socketGroup(groups = readFileSync('/etc/group', 'utf8')): number {
  for (const name of ['galley', 'docker']) {
    const line = new RegExp(`^${name}:[^:]*:(\\d+):`, 'm').exec(groups);
    if (line) return Number(line[1]);
  }
  return 0;
}

/** True when something accepts connections on the socket. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function listening(
  server: Server,
  where: { path: string } | { host: string; port: number },
  shown: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new SettingsError(`cannot listen on ${shown}: ${error.message}`)));
    server.listen(where, () => resolve());
  });
}

async function listenUnix(server: Server, socketPath: string): Promise<void> {
  if (Buffer.byteLength(socketPath) > 107)
    throw new SettingsError(`--host unix://${socketPath}: a socket path holds at most 107 bytes`);
  if (await answers(socketPath))
    throw new SettingsError(
      `cannot listen on unix://${socketPath}: another engine answers there; stop it or choose another --host`,
    );
  mkdirSync(path.dirname(socketPath), { recursive: true, mode: 0o755 });
  try {
    unlinkSync(socketPath); // left by a daemon that was killed
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await listening(server, { path: socketPath }, `unix://${socketPath}`);
  chownSync(socketPath, 0, socketGroup());
  chmodSync(socketPath, 0o660);
}

/** Opens every address of the settings. @throws SettingsError naming the address. */
export async function listen(api: ApiServer, settings: Settings, log: Log): Promise<Server[]> {
  const servers: Server[] = [];
  for (const host of settings.hosts) {
    if (host.startsWith('unix://')) {
      const server = api.http();
      await listenUnix(server, host.slice('unix://'.length));
      servers.push(server);
    } else {
      const at = host.lastIndexOf(':');
      const address = {
        host: host.slice('tcp://'.length, at).replace(/^\[|\]$/g, ''),
        port: Number(host.slice(at + 1)),
      };
      const server = settings.tlsVerify
        ? api.https({
            ca: material(settings.tlsCaCert, '--tlscacert'),
            cert: material(settings.tlsCert, '--tlscert'),
            key: material(settings.tlsKey, '--tlskey'),
          })
        : api.http();
      await listening(server, address, host);
      if (!settings.tlsVerify) log.warn('the API is open to everybody who reaches this port', { host });
      servers.push(server);
    }
    log.info('API listens', { host });
  }
  return servers;
}

function material(file: string, flag: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SettingsError(`${flag} ${file}: ${(error as Error).message}`);
  }
}
