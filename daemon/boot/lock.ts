import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { lockFile } from '../system/syscalls.ts';
import { SettingsError } from './settings.ts';

/**
 * One galleyd a folder: two would each believe that the database, or the containers' sockets, are theirs alone.
 * @throws SettingsError naming the process that holds it.
 */
export function lockRoot(folder: string, flag: 'data-root' | 'exec-root'): Disposable {
  const file = path.join(folder, 'galleyd.lock');
  const fd = openSync(file, 'a+', 0o600);
  if (!lockFile(fd)) {
    const holder = readFileSync(file, 'utf8').trim();
    closeSync(fd);
    throw new SettingsError(
      `the ${flag.replace('-', ' ')} ${folder} is in use by another galleyd${holder ? ` (pid ${holder})` : ''}; stop it or use another --${flag}`,
    );
  }
  ftruncateSync(fd, 0);
  writeSync(fd, String(process.pid));
  return { [Symbol.dispose]: () => closeSync(fd) };
}

/**
 * One galleyd a name in this network namespace: bridges and the nft table are called after it. The claim is an abstract socket, which
 * ends with the process and leaves nothing behind.
 * @throws SettingsError naming --name.
 */
export function claimName(name: string): Promise<Disposable> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => socket.destroy());
    server.once('error', () =>
      reject(
        new SettingsError(`another galleyd named ${name} runs on this host; stop it or give this one another --name`),
      ),
    );
    server.listen({ path: `\0galleyd/${name}` }, () => {
      server.unref();
      resolve({ [Symbol.dispose]: () => server.close() });
    });
  });
}
