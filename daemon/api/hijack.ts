import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { compareVersions, encodeFrames, MULTIPLEXED, RAW_STREAM } from '../../src/api/index.ts';
import { messageOf } from '../errors/index.ts';
import type { Context } from './context.ts';

/** A client's end of a hijacked connection (the shape of ClientStream in daemon/containers/types.ts). */
interface Hijacked {
  send(stream: 1 | 2, data: Buffer): Promise<void>;
  onInput(listener: (data: Buffer) => void | Promise<void>): void;
  onInputEnd(listener: () => void): void;
  onClose(listener: () => void): void;
  close(): void;
}

export interface HijackSource {
  tty: boolean;
  run(client: Hijacked): Promise<void>;
}

function writable(sink: Writable): (data: Buffer) => Promise<void> {
  return (data) =>
    new Promise((resolve) => {
      if (sink.destroyed || sink.writableEnded) return resolve();
      if (sink.write(data)) return resolve();
      const done = () => {
        sink.off('drain', done);
        sink.off('close', done);
        resolve();
      };
      sink.on('drain', done);
      sink.on('close', done);
    });
}

function connect(input: Readable, sink: Writable, framed: boolean): Hijacked {
  const put = writable(sink);
  let inputEnded = false;
  return {
    send: (stream, data) => put(framed ? encodeFrames(stream, data) : data),
    onInput: (listener) => {
      input.on('data', (data: Buffer) => {
        const taken = listener(data);
        if (taken instanceof Promise) {
          // A container that does not read its stdin must stop the client, not fill our memory.
          input.pause();
          void taken.finally(() => input.resume());
        }
      });
    },
    onInputEnd: (listener) => {
      input.on('end', () => {
        inputEnded = true;
        listener();
      });
    },
    onClose: (listener) => {
      sink.on('close', listener);
      sink.on('error', () => {}); // a vanished client is told by 'close'
      input.on('error', () => {});
    },
    close: () => {
      if (sink.destroyed) return;
      sink.end();
      // A client that half-closed is done; one that did not gets the rest, then its socket goes.
      if (inputEnded) return;
      input.resume();
      setTimeout(() => sink.destroy(), 2000).unref();
    },
  };
}

/**
 * Takes over the connection: 101 for a client that asked for an upgrade, else a raw 200 without chunking for old ones
 * (field/engine-api.md section 1.2). Errors after the header go into the stream.
 */
export async function hijack(context: Context, source: HijackSource): Promise<void> {
  const { req, res, upgrade, version } = context;
  const multiplexed = !source.tty;
  const type = multiplexed && compareVersions(version, '1.42') >= 0 ? MULTIPLEXED : RAW_STREAM;
  let client: Hijacked;
  if (upgrade) {
    const { socket, head } = upgrade;
    res.detachSocket(socket as Socket);
    socket.write(
      `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nApi-Version: ${version}\r\n\r\n`,
    );
    if (head.length > 0) socket.unshift(head);
    client = connect(socket, socket, multiplexed);
  } else {
    res.shouldKeepAlive = false;
    res.removeHeader('Transfer-Encoding');
    res.writeHead(200, { 'Content-Type': type, Connection: 'close' });
    res.flushHeaders();
    client = connect(req, res, multiplexed);
  }
  try {
    await source.run(client);
  } catch (error) {
    await client.send(2, Buffer.from(`${messageOf(error)}\r\n`));
  } finally {
    client.close();
  }
}
