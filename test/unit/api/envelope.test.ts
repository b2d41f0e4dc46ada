/** The HTTP envelope of field/engine-api.md section 1.1, through a real server on a unix socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type Server } from 'node:http';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { goObject, readJson, readUpgradeJson } from '../../../daemon/api/body.ts';
import { hijack } from '../../../daemon/api/hijack.ts';
import { createApiServer, type Route } from '../../../daemon/api/index.ts';
import { json } from '../../../daemon/api/respond.ts';
import { EngineError } from '../../../daemon/errors/index.ts';
import { createLog } from '../../../daemon/system/log.ts';
import { encodeFrames, FrameDecoder } from '../../../src/api/index.ts';

const schema = goObject({ Name: z.string().default(''), Tty: z.boolean().default(false) });

const routes: Route[] = [
  {
    method: 'GET',
    path: '/things/:id',
    handler: ({ res, params, query, version }) => json(res, 200, { ...params, version, all: query.get('all') }),
  },
  {
    method: 'POST',
    path: '/things/create',
    handler: async ({ req, res }) => json(res, 201, await readJson(req, schema)),
  },
  {
    method: 'GET',
    path: '/refused',
    handler: () => {
      throw new EngineError('conflict', 'in use');
    },
  },
  {
    method: 'POST',
    path: '/same',
    handler: () => {
      throw new EngineError('notModified', '');
    },
  },
  {
    method: 'POST',
    path: '/echo',
    hijacks: true,
    handler: async (context) => {
      const body = context.upgrade
        ? await readUpgradeJson(context.req, context.upgrade, schema)
        : await readJson(context.req, schema, true);
      await hijack(context, {
        tty: body.Tty,
        run: (client) =>
          new Promise((resolve) => {
            client.onInput((data) => client.send(1, data));
            client.onInputEnd(() => void client.send(2, Buffer.from('end')).then(resolve));
            client.onClose(resolve);
            if (!context.upgrade) void client.send(1, Buffer.from('old client')).then(resolve);
          }),
      });
    },
  },
];

describe('the API envelope', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ga-'));
  const socketPath = path.join(folder, 's');
  let server: Server;
  beforeAll(async () => {
    server = createApiServer(
      routes,
      createLog('error', () => {}),
    ).http();
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  function ask(method: string, url: string, body?: string, headers: Record<string, string> = {}) {
    return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
      const outgoing = request(
        {
          socketPath,
          method,
          path: url,
          headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
        },
        (response) => {
          let text = '';
          response.on('data', (piece) => {
            text += piece;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  it('answers with and without a version, and says which engine it is', async () => {
    const plain = await ask('GET', '/things/a%2Fb?all=1');
    expect(JSON.parse(plain.text)).toEqual({ id: 'a/b', version: '1.51', all: '1' });
    expect(plain.headers).toMatchObject({ 'api-version': '1.51', ostype: 'linux', 'docker-experimental': 'false' });
    expect(JSON.parse((await ask('GET', '/v1.24/things/x')).text).version).toBe('1.24');
  });

  it.each([
    ['GET', '/nothing', 404, 'page not found'],
    ['DELETE', '/things/x', 404, 'page not found'],
    ['GET', '/v1.99/things/x', 400, 'client version 1.99 is too new. Maximum supported API version is 1.51'],
    [
      'GET',
      '/v1.12/things/x',
      400,
      'client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    ],
    ['GET', '/refused', 409, 'in use'],
  ])('%s %s is %i', async (method, url, status, message) => {
    const answer = await ask(method, url);
    expect(answer.status).toBe(status);
    expect(answer.text).toBe(`${JSON.stringify({ message })}\n`);
  });

  it('has no body in a 304', async () => {
    const answer = await ask('POST', '/same');
    expect([answer.status, answer.text]).toEqual([304, '']);
  });

  it('reads field names in any case, takes null for the zero value, ignores unknown fields', async () => {
    const answer = await ask('POST', '/things/create', '{"NAME":"x","tty":null,"Other":[1]}');
    expect([answer.status, JSON.parse(answer.text)]).toEqual([201, { Name: 'x', Tty: false }]);
  });

  it.each([
    ['{"Name":', 'invalid JSON'],
    ['', 'EOF'],
    ['{} {}', 'unexpected content after JSON'],
    ['{"Name":5}', 'field Name'],
    ['[1]', 'invalid JSON'],
  ])('refuses the body %j', async (body, words) => {
    const answer = await ask('POST', '/things/create', body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).message).toContain(words);
  });

  it('refuses a body that is not called JSON', async () => {
    const answer = await ask('POST', '/things/create', '{}', { 'Content-Type': 'text/plain' });
    expect([answer.status, JSON.parse(answer.text).message]).toEqual([
      400,
      "unsupported Content-Type header (text/plain): must be 'application/json'",
    ]);
  });

  it('answers bytes that are no HTTP with a 400', async () => {
    const text = await new Promise<string>((resolve) => {
      const socket = connect(socketPath, () => socket.write('\x16\x03\x01garbage\r\n\r\n'));
      let all = '';
      socket.on('data', (piece) => {
        all += piece;
      });
      socket.on('close', () => resolve(all));
      socket.on('error', () => resolve(all));
    });
    expect(text).toMatch(/^HTTP\/1.1 400 /);
  });

  /** An upgrade request written by hand, its body split from its header at `cut`, then stdin, then a half-close. */
  function upgrade(body: string, stdin: string, cut: 'together' | 'apart'): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const head = `POST /v1.44/echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
      const socket = connect({ path: socketPath, allowHalfOpen: true }, () => {
        if (cut === 'together') socket.end(head + body + stdin);
        else {
          socket.write(head);
          setTimeout(() => socket.write(body.slice(0, 3)), 20);
          setTimeout(() => socket.write(body.slice(3) + stdin.slice(0, 2)), 40);
          setTimeout(() => socket.end(stdin.slice(2)), 60);
        }
      });
      const pieces: Buffer[] = [];
      socket.on('data', (piece) => pieces.push(piece));
      socket.on('end', () => resolve(Buffer.concat(pieces)));
      socket.on('error', reject);
    });
  }

  it.each(['together', 'apart'] as const)(
    'hijacks with a body and stdin that come %s, and answers after the half-close',
    async (cut) => {
      const answer = await upgrade('{"Tty":false}', 'hello', cut);
      const at = answer.indexOf('\r\n\r\n') + 4;
      expect(answer.subarray(0, at).toString()).toMatch(/^HTTP\/1.1 101 UPGRADED\r\n.*multiplexed-stream/s);
      const streams: Record<number, string> = {};
      const decoder = new FrameDecoder((stream, data) => {
        streams[stream] = (streams[stream] ?? '') + data;
      });
      decoder.push(answer.subarray(at));
      expect(streams).toEqual({ 1: 'hello', 2: 'end' });
    },
  );

  it('is raw with a terminal', async () => {
    const answer = await upgrade('{"Tty":true}', 'hi', 'together');
    expect(answer.toString()).toMatch(/raw-stream.*\r\n\r\nhiend$/s);
  });

  it('gives an old client a 200 without chunks', async () => {
    const answer = await ask('POST', '/echo', '{"Tty":true}');
    expect([answer.status, answer.text, answer.headers['transfer-encoding']]).toEqual([200, 'old client', undefined]);
  });
});

describe('framing', () => {
  it('gives back what was framed, whatever the cuts', () => {
    const data = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
    const framed = Buffer.concat([
      encodeFrames(1, data),
      encodeFrames(2, Buffer.from('err')),
      encodeFrames(1, Buffer.alloc(0)),
    ]);
    for (const step of [1, 7, 8, 9, 4096, framed.length]) {
      const out: Buffer[] = [];
      let errors = '';
      const decoder = new FrameDecoder((stream, piece) => {
        if (stream === 1) out.push(Buffer.from(piece));
        else errors += piece;
      });
      for (let at = 0; at < framed.length; at += step) decoder.push(framed.subarray(at, at + step));
      expect(Buffer.concat(out).equals(data)).toBe(true);
      expect(errors).toBe('err');
    }
  });

  it('says when a stream is not framed', () => {
    expect(() => new FrameDecoder(() => {}).push(Buffer.from('plain text'))).toThrow('not a multiplexed stream');
  });
});
