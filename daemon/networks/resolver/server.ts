import dgram from 'node:dgram';
import net from 'node:net';
import { bindPort, closeDescriptor, listenOn, withinNetworkNamespace } from '../../system/syscalls.ts';
import { NAME_SERVER } from '../files.ts';
import { framed, type Transport } from './upstream.ts';

/** A TCP client that says nothing more. */
const IDLE_MS = 10_000;
const FIRST_PORT = 40_000;
const PORTS = 20_000;

export type Handler = (query: Buffer, transport: Transport) => Promise<Buffer | undefined>;

/** The two sockets of one container's name server, inside its namespace. */
export class NameServer {
  readonly port: number;
  readonly #udp: dgram.Socket;
  readonly #tcp: net.Server;
  readonly #clients = new Set<net.Socket>();

  /**
   * @param port the one that the namespace's rules lead to; 0: a free one
   * @throws SyscallError when it cannot be bound
   */
  constructor(netnsPath: string, port: number, handle: Handler) {
    this.port = port || FIRST_PORT + Math.floor(Math.random() * PORTS);
    // A socket belongs to the namespace where it was made, and Node would make it later, somewhere else.
    const [udp, tcp] = withinNetworkNamespace(netnsPath, () => {
      const first = bindPort('udp', NAME_SERVER, this.port);
      try {
        const second = bindPort('tcp', NAME_SERVER, this.port);
        listenOn(second);
        return [first, second];
      } catch (error) {
        closeDescriptor(first);
        throw error;
      }
    }) as [number, number];
    this.#udp = dgram.createSocket('udp4');
    this.#udp.on('error', () => this.#udp.close()); // the namespace has gone under it
    this.#udp.on('message', (query, from) => {
      void handle(query, 'udp').then((answer) => {
        if (answer) this.#udp.send(answer, from.port, from.address, () => {}); // a client that left wants no answer
      });
    });
    this.#udp.bind({ fd: udp, exclusive: true });
    this.#udp.unref();
    this.#tcp = net.createServer((client) => this.#serve(client, handle));
    this.#tcp.listen({ fd: tcp });
    this.#tcp.unref();
  }

  #serve(client: net.Socket, handle: Handler): void {
    this.#clients.add(client);
    client.once('close', () => this.#clients.delete(client));
    client.on('error', () => client.destroy());
    client.setTimeout(IDLE_MS, () => client.destroy());
    let received = Buffer.alloc(0);
    client.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const length = received.readUInt16BE(0);
        const query = Buffer.from(received.subarray(2, 2 + length));
        received = received.subarray(2 + length);
        void handle(query, 'tcp').then((answer) => {
          if (answer && !client.destroyed) client.write(framed(answer));
        });
      }
    });
  }

  /** Nothing of it is left in the namespace when this returns. */
  close(): void {
    try {
      this.#udp.close();
    } catch {
      // an error closed it before
    }
    this.#tcp.close();
    for (const client of this.#clients) client.destroy();
  }
}
