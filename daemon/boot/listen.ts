import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect, createServer, type Server as NetServer } from 'node:net';
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

function tcpAddress(host: string): { host: string; port: number } {
  const at = host.lastIndexOf(':');
  return { host: host.slice('tcp://'.length, at).replace(/^\[|\]$/g, ''), port: Number(host.slice(at + 1)) };
}

function listening(
  server: NetServer,
  where: { path: string } | { host: string; port: number },
  shown: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new SettingsError(`cannot listen on ${shown}: ${error.message}`)));
    server.listen(where, () => resolve());
  });
}

/** Looks before anything is made whether every address of the settings can be ours. @throws SettingsError naming the address. */
export async function checkHosts(settings: Settings): Promise<void> {
  for (const host of settings.hosts) {
    if (!host.startsWith('unix://')) {
      const trial = createServer();
      await listening(trial, tcpAddress(host), host);
      trial.close();
      continue;
    }
    const socketPath = host.slice('unix://'.length);
    if (Buffer.byteLength(socketPath) > 107)
      throw new SettingsError(`--host ${host}: a socket path holds at most 107 bytes`);
    if (await answers(socketPath))
      throw new SettingsError(
        `cannot listen on ${host}: another engine answers there; stop it or choose another --host`,
      );
    const found = statSync(socketPath, { throwIfNoEntry: false });
    if (found && !found.isSocket())
      throw new SettingsError(
        `cannot listen on ${host}: ${socketPath} is there and is no socket; choose another --host`,
      );
  }
  if (settings.tlsVerify && settings.hosts.some((host) => host.startsWith('tcp://'))) tlsMaterial(settings);
}

async function listenUnix(server: Server, socketPath: string): Promise<void> {
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

/** Opens every address of the settings, or none. @throws SettingsError naming the address. */
export async function listen(api: ApiServer, settings: Settings, log: Log): Promise<Server[]> {
  const servers: Server[] = [];
  try {
    for (const host of settings.hosts) {
      const server = await listenOn(api, host, settings);
      servers.push(server);
      if (host.startsWith('tcp://') && !settings.tlsVerify)
        log.warn('the API is open to everybody who reaches this port', { host });
      log.info('API listens', { host });
    }
    return servers;
  } catch (error) {
    for (const server of servers) server.close(); // takes a socket's file away too
    throw error;
  }
}

async function listenOn(api: ApiServer, host: string, settings: Settings): Promise<Server> {
  if (host.startsWith('unix://')) {
    const server = api.http();
    await listenUnix(server, host.slice('unix://'.length));
    return server;
  }
  const server = settings.tlsVerify ? api.https(tlsMaterial(settings)) : api.http();
  await listening(server, tcpAddress(host), host);
  return server;
}

function tlsMaterial(settings: Settings): { ca: Buffer; cert: Buffer; key: Buffer } {
  const { tlsCaCert, tlsCert, tlsKey } = settings;
  return {
    ca: material(tlsCaCert, '--tlscacert'),
    cert: material(tlsCert, '--tlscert'),
    key: material(tlsKey, '--tlskey'),
  };
}

function material(file: string, flag: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SettingsError(`${flag} ${file}: ${(error as Error).message}`);
  }
}
