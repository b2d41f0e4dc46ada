import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parseHost } from '../../../src/client/endpoint.ts';
import { createFastTransport } from '../../../src/client/fast-transport.ts';
import { ChunkedDecoder, parseHead } from '../../../src/client/http1.ts';
import { readText } from '../../../src/client/transport.ts';

describe('chunked bodies', () => {
  it('come out whole however they are cut', () => {
    const text = '5\r\nhello\r\n1;ext=1\r\n \r\n6\r\nworld!\r\n0\r\nTrailer: x\r\n\r\n';
    for (let size = 1; size <= text.length; size++) {
      const decoder = new ChunkedDecoder();
      let got = '';
      for (let at = 0; at < text.length; at += size)
        decoder.push(Buffer.from(text.slice(at, at + size)), (piece) => (got += piece));
      expect(got).toBe('hello world!');
      expect(decoder.ended).toBe(true);
    }
  });
  it('with a size that is no number are refused', () => {
    expect(() => new ChunkedDecoder().push(Buffer.from('zz\r\n'), () => undefined)).toThrow(
      'malformed chunk size "zz"',
    );
  });
});

describe('heads', () => {
  it('give status and lower-case names', () => {
    expect(parseHead('HTTP/1.1 404 Not Found\r\nContent-Type: a/b\r\nX-Y:z')).toEqual({
      status: 404,
      headers: { 'content-type': 'a/b', 'x-y': 'z' },
    });
    expect(() => parseHead('SSH-2.0-OpenSSH')).toThrow('not an HTTP answer');
  });
});

/** A server that answers with given bytes: for what no real engine does on demand. */
describe('answers on a socket', () => {
  const open: (() => void)[] = [];
  afterEach(() => {
    for (const close of open.splice(0)) close();
  });
  const serve = async (talk: (socket: Socket) => void) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'galley-http1-'));
    const server = createServer(talk);
    await new Promise<void>((resolve) => server.listen(path.join(folder, 's'), resolve));
    open.push(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    return createFastTransport(parseHost(`unix://${folder}/s`, 'host flag'));
  };
  const get = { method: 'GET', path: '/' } as const;

  it('are read to their Content-Length, and no further', async () => {
    const transport = await serve((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokjunk')),
    );
    expect(await readText((await transport.request(get)).body)).toBe('ok');
  });
  it('skip 1xx answers', async () => {
    const transport = await serve((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest')),
    );
    expect(await readText((await transport.request(get)).body)).toBe('rest');
  });
  it('that stop half-way fail', async () => {
    const transport = await serve((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort')),
    );
    const answer = await transport.request(get);
    await expect(readText(answer.body)).rejects.toThrow('in the middle of an answer');
  });
  it('that never come fail', async () => {
    const transport = await serve((socket) => socket.once('data', () => socket.end()));
    await expect(transport.request(get)).rejects.toThrow('before it answered');
  });
  it('end with the abort signal', async () => {
    const transport = await serve(() => undefined);
    const controller = new AbortController();
    const pending = transport.request({ ...get, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(pending).rejects.toThrow('enough');
  });
  it('from nobody name the place', async () => {
    const transport = createFastTransport(parseHost('unix:///nonexistent/galley.sock', 'host flag'));
    await expect(transport.request(get)).rejects.toThrow(
      'Cannot connect to the engine at unix:///nonexistent/galley.sock',
    );
  });
});
