import dgram from 'node:dgram';
import net from 'node:net';
import { ReplyCache } from './cache.ts';
import { isReplyTo, type Question, RCODE, rcodeOf } from './message.ts';

/** The next server is asked as well when the one before has not answered for so long; all of them then race. */
const NEXT_AFTER_MS = 250;
const GIVE_UP_MS = 4000;
/** Docker's limit of queries under way. */
const MAX_PENDING = 1024;
const MAX_SERVERS = 3;
const PORT = 53;

export type Transport = 'udp' | 'tcp';

interface Server {
  host: string;
  port: number;
}

/** `1.1.1.1`, `fd00::1`, and with a port `1.1.1.1:5353`, `[fd00::1]:5353`. */
function parseServer(text: string): Server {
  const match = /^\[(.*)\]:(\d+)$/.exec(text) ?? /^([^:]+):(\d+)$/.exec(text);
  return match ? { host: match[1] as string, port: Number(match[2]) } : { host: text, port: PORT };
}

function askUdp({ host, port }: Server, query: Buffer, question: Question, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
    let open = true;
    const finish = (act: () => void) => {
      if (!open) return;
      open = false;
      signal.removeEventListener('abort', cancel);
      socket.close();
      act();
    };
    const fail = (error: Error) => finish(() => reject(error));
    const cancel = () => fail(signal.reason as Error);
    signal.addEventListener('abort', cancel, { once: true });
    socket.on('message', (message) => {
      if (isReplyTo(message, query, question)) finish(() => resolve(message));
    });
    socket.on('error', fail);
    // Node hands a failed connect (no route, no such address) to the callback.
    socket.connect(port, host, (error?: Error) => {
      if (error) fail(error);
      else socket.send(query, (failure) => failure && fail(failure));
    });
  });
}

function askTcp({ host, port }: Server, query: Buffer, question: Question, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, signal });
    let received = Buffer.alloc(0);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`the name server ${host} closed the connection`)));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const message = received.subarray(2, 2 + received.readUInt16BE(0));
      if (isReplyTo(message, query, question)) resolve(message);
      socket.destroy();
    });
    socket.write(framed(query));
  });
}

/** As TCP carries it: two bytes of length in front. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Asks the name servers outside, from the host's own namespace, where loopback resolvers answer too. */
export class Upstream {
  readonly #cache = new ReplyCache();
  readonly #underWay = new Map<string, Promise<Buffer | undefined>>();

  /** The reply, under the query's id; undefined when no server gave one. Never rejects. */
  async ask(
    servers: readonly string[],
    query: Buffer,
    question: Question,
    transport: Transport,
  ): Promise<Buffer | undefined> {
    // All of the query but its id, names in lower case: flags and EDNS options make another reply.
    const key = `${transport} ${servers.join(' ')} ${query.toString('latin1', 2).toLowerCase()}`;
    const cached = this.#cache.get(key, query);
    if (cached) return cached;
    let pending = this.#underWay.get(key);
    if (!pending) {
      if (this.#underWay.size >= MAX_PENDING) return undefined;
      pending = race(servers.slice(0, MAX_SERVERS).map(parseServer), query, question, transport).finally(() =>
        this.#underWay.delete(key),
      );
      this.#underWay.set(key, pending);
    }
    const message = await pending;
    if (!message) return undefined;
    this.#cache.put(key, message, question);
    const own = Buffer.from(message);
    query.copy(own, 0, 0, 2);
    return own;
  }
}

/** In the order of the list; a server that is slow or fails makes the next start. The first good reply wins, else the best there was. */
async function race(
  servers: readonly Server[],
  query: Buffer,
  question: Question,
  transport: Transport,
): Promise<Buffer | undefined> {
  const over = new AbortController();
  const ask = transport === 'udp' ? askUdp : askTcp;
  let poor: Buffer | undefined;
  return new Promise<Buffer | undefined>((resolve) => {
    let open = 0;
    let next = 0;
    let timer: NodeJS.Timeout | undefined;
    const end = (message: Buffer | undefined) => {
      clearTimeout(timer);
      clearTimeout(limit);
      resolve(message);
      over.abort(new Error('another name server was faster'));
    };
    const limit = setTimeout(() => end(poor), GIVE_UP_MS);
    const start = () => {
      clearTimeout(timer);
      const server = servers[next];
      if (!server) {
        if (open === 0) end(poor);
        return;
      }
      next += 1;
      open += 1;
      timer = setTimeout(start, NEXT_AFTER_MS);
      ask(server, query, question, over.signal)
        .then((message) => {
          if ([RCODE.ok, RCODE.noSuchName].includes(rcodeOf(message) as 0)) return end(message);
          poor ??= message;
          return undefined;
        })
        .catch(() => undefined) // the next server, or the end, is the answer to a failure
        .finally(() => {
          open -= 1;
          if (!over.signal.aborted) start();
        });
    };
    start();
  });
}
