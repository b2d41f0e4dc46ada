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

/** The body of an answer as a Readable with backpressure onto the socket; the socket is destroyed at the end. */
export function bodyOf(socket: Socket, head: AnswerHead, rest: Buffer, method: string): Readable {
  const chunked = /chunked/i.test(head.headers['transfer-encoding'] ?? '') ? new ChunkedDecoder() : undefined;
  const lengthText = head.headers['content-length'];
  const empty = method === 'HEAD' || head.status === 204 || head.status === 304;
  let left = empty ? 0 : lengthText !== undefined && !chunked ? Number(lengthText) : Number.POSITIVE_INFINITY;
  let finished = false;
  const body = new Readable({
    read() {
      socket.resume();
    },
    destroy(error, callback) {
      finished = true;
      socket.destroy();
      callback(error);
    },
  });
  const finish = () => {
    if (finished) return;
    finished = true;
    body.push(null);
    socket.destroy();
  };
  const take = (chunk: Buffer) => {
    if (finished) return;
    let more = true;
    if (chunked) {
      chunked.push(chunk, (piece) => {
        more = body.push(piece);
      });
      if (chunked.ended) return finish();
    } else {
      const piece = chunk.length > left ? chunk.subarray(0, left) : chunk;
      left -= piece.length;
      if (piece.length > 0) more = body.push(piece);
      if (left === 0) return finish();
    }
    if (!more) socket.pause();
  };
  socket.on('error', (error) => body.destroy(error));
  socket.on('end', () => {
    if (finished) return;
    if (chunked || Number.isFinite(left))
      body.destroy(new Error('the engine closed the connection in the middle of an answer'));
    else finish();
  });
  socket.on('close', () => {
    if (!finished) body.destroy(new Error('the connection to the engine was lost'));
  });
  socket.on('data', (chunk: Buffer) => {
    try {
      take(chunk);
    } catch (error) {
      body.destroy(error as Error);
    }
  });
  if (left === 0) finish();
  else if (rest.length > 0) {
    try {
      take(rest);
    } catch (error) {
      body.destroy(error as Error);
    }
  }
  return body;
}
