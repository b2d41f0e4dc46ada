/** A reader for one HTTP/1.1 answer on a socket: just what an engine sends (Content-Length, chunked or until close). */
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

export interface AnswerHead {
  status: number;
  headers: Record<string, string>;
}

const HEAD_LIMIT = 64 * 1024;

/** Parses the text between the first byte and the empty line. @throws Error when it is no HTTP/1 answer. */
export function parseHead(text: string): AnswerHead {
  const lines = text.split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(lines[0] ?? '');
  if (!status) throw new Error(`not an HTTP answer: ${JSON.stringify((lines[0] ?? '').slice(0, 80))}`);
  const headers: Record<string, string> = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(status[1]), headers };
}

/** Resolves with the head and whatever came after it; the socket is left paused and without listeners. */
export function readHead(socket: Socket): Promise<{ head: AnswerHead; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let buffer: Buffer = Buffer.alloc(0);
    const done = () => {
      socket.off('data', onData);
      socket.off('error', onError);
      socket.off('close', onClose);
    };
    const fail = (error: Error) => {
      done();
      socket.destroy();
      reject(error);
    };
    const onError = (error: Error) => fail(error);
    const onClose = () => fail(new Error('the engine closed the connection before it answered'));
    const onData = (chunk: Buffer) => {
      buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
      const end = buffer.indexOf('\r\n\r\n');
      if (end < 0) {
        if (buffer.length > HEAD_LIMIT) fail(new Error('the answer has more than 64 KiB of headers'));
        return;
      }
      try {
        const head = parseHead(buffer.toString('latin1', 0, end));
        const rest = buffer.subarray(end + 4);
        if (head.status >= 100 && head.status < 200 && head.status !== 101) {
          buffer = rest;
          return onData(Buffer.alloc(0));
        }
        socket.pause();
        done();
        resolve({ head, rest });
      } catch (error) {
        fail(error as Error);
      }
    };
    socket.on('data', onData);
    socket.on('error', onError);
    socket.on('close', onClose);
  });
}

/** Removes chunked framing from pieces of any size. */
export class ChunkedDecoder {
  #left = 0;
  #line = '';
  #state: 'size' | 'data' | 'crlf' | 'trailer' | 'end' = 'size';

  get ended(): boolean {
    return this.#state === 'end';
  }

  /** Hands each piece of payload out. @throws Error on a malformed size line. */
  push(chunk: Buffer, onData: (piece: Buffer) => void): void {
    let at = 0;
    while (at < chunk.length && this.#state !== 'end') {
      if (this.#state === 'data') {
        const n = Math.min(this.#left, chunk.length - at);
        onData(chunk.subarray(at, at + n));
        at += n;
        this.#left -= n;
        if (this.#left === 0) this.#state = 'crlf';
        continue;
      }
      const newline = chunk.indexOf(10, at);
      this.#line += chunk.toString('latin1', at, newline < 0 ? chunk.length : newline);
      if (newline < 0) return;
      at = newline + 1;
      this.#finishLine(this.#line.replace(/\r$/, ''));
      this.#line = '';
    }
  }

  #finishLine(line: string): void {
    if (this.#state === 'crlf') this.#state = 'size';
    else if (this.#state === 'trailer') {
      if (line === '') this.#state = 'end';
    } else {
      if (!/^[0-9a-fA-F]+ *(;.*)?$/.test(line))
        throw new Error(`malformed chunk size ${JSON.stringify(line.slice(0, 40))}`);
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'data';
    }
  }
}

/** Hands out what belongs to an answer's body and tells when it is complete. */
class BodyParser {
  readonly #chunked: ChunkedDecoder | undefined;
  #left: number;

  constructor(head: AnswerHead, method: string) {
    this.#chunked = head.headers['transfer-encoding']?.includes('chunked') ? new ChunkedDecoder() : undefined;
    const length = head.headers['content-length'];
    const empty = method === 'HEAD' || head.status === 204 || head.status === 304;
    this.#left = empty ? 0 : length !== undefined && !this.#chunked ? Number(length) : Number.POSITIVE_INFINITY;
  }

  /** Whether everything came. */
  get ended(): boolean {
    return this.#left === 0 || this.#chunked?.ended === true;
  }

  /** Whether the end of the connection is the end of the body. */
  get untilClose(): boolean {
    return !this.#chunked && this.#left === Number.POSITIVE_INFINITY;
  }

  push(chunk: Buffer, onData: (piece: Buffer) => void): void {
    if (this.#chunked) {
      this.#chunked.push(chunk, onData);
      return;
    }
    const piece = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#left -= piece.length;
    if (piece.length > 0) onData(piece);
  }
}

const CUT = 'the engine closed the connection in the middle of an answer';
const LOST = 'the connection to the engine was lost';

/**
 * Carries the rest of a connection through a body's parser; each of the callbacks is called until `end` or `fail` was. The socket
 * is destroyed at the end.
 */
function follow(
  socket: Socket,
  parser: BodyParser,
  rest: Buffer,
  on: { data(piece: Buffer): void; end(): void; fail(error: Error): void },
): void {
  let finished = false;
  const finish = (error?: Error) => {
    if (finished) return;
    finished = true;
    if (error) on.fail(error);
    else on.end();
    socket.destroy();
  };
  const take = (chunk: Buffer) => {
    if (finished) return;
    try {
      parser.push(chunk, on.data);
      if (parser.ended) finish();
    } catch (error) {
      finish(error as Error);
    }
  };
  socket.on('error', finish);
  socket.on('end', () => finish(parser.untilClose ? undefined : new Error(CUT)));
  socket.on('close', () => finish(new Error(LOST)));
  socket.on('data', take);
  if (parser.ended) finish();
  else if (rest.length > 0) take(rest);
}

/** The whole body of an answer as text. */
export function textOf(socket: Socket, head: AnswerHead, rest: Buffer, method: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    follow(socket, new BodyParser(head, method), rest, {
      data: (piece) => void pieces.push(piece),
      end: () => resolve((pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)).toString('utf8')),
      fail: reject,
    });
    socket.resume();
  });
}

/** The body of an answer as a Readable with backpressure onto the socket. */
export function bodyOf(socket: Socket, head: AnswerHead, rest: Buffer, method: string): Readable {
  const body = new Readable({
    read: () => void socket.resume(),
    destroy(error, callback) {
      socket.destroy();
      callback(error);
    },
  });
  follow(socket, new BodyParser(head, method), rest, {
    data: (piece) => {
      if (!body.push(piece)) socket.pause();
    },
    end: () => void body.push(null),
    fail: (error) => void body.destroy(error),
  });
  return body;
}
