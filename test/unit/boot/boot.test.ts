/** galleyd as a process: what it refuses before it touches anything, its socket, its log, its end. */
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLogFile, removeLogFiles } from '../../../daemon/system/log-file.ts';
import { daemonCommand, type Engine, isRoot, startEngine } from '../../fixtures/engine.ts';
import { freePort, type ToolResult, tool } from '../../fixtures/exec.ts';
import { leftovers } from '../../fixtures/leftovers.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gb-'));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const [node = '', ...entry] = daemonCommand();
// Of this run alone: what another run left on the host is not this one's to find.
const nameOf = (letter: string) => `gb${process.pid % 100_000}${letter}`;
/** Runs galleyd to its end with roots of its own; flags given later win. */
const galleyd = (name: string, ...flags: string[]): Promise<ToolResult> =>
  tool(node, [
    ...entry,
    ...['--name', nameOf(name), '--data-root', `${folder}/${name}/data`, '--exec-root', `${folder}/${name}/exec`],
    ...flags,
  ]);

describe.skipIf(!isRoot)('galleyd refuses (needs root)', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine?.purge());

  /** It ends with 1, says this on one line, and leaves nothing but its empty folders. */
  async function refused(name: string, flags: string[], ...words: string[]): Promise<void> {
    const result = await galleyd(name, ...flags);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
    for (const word of words) expect(result.stderr).toContain(word);
    expect(await leftovers({ name: nameOf(name), folder: `${folder}/${name}` })).toEqual([]);
  }

  it('a data root in use, naming who holds it', () =>
    refused('a', ['--data-root', engine.dataRoot], engine.dataRoot, `pid ${engine.pid()}`, '--data-root'));

  it('an exec root in use', () =>
    refused('b', ['--exec-root', engine.execRoot], engine.execRoot, `pid ${engine.pid()}`, '--exec-root'));

  it('a name in use: two would share bridges and the nft table', () =>
    refused('c', ['--name', engine.name], engine.name, '--name'));

  it('a socket on which an engine answers', () => refused('d', ['-H', engine.host], engine.host, '--host'));

  it('a socket path that is a file, which stays', async () => {
    const file = path.join(folder, 'precious');
    fs.writeFileSync(file, 'words');
    await refused('e', ['-H', `unix://${file}`], file, 'is no socket');
    expect(fs.readFileSync(file, 'utf8')).toBe('words');
  });

  it('a tcp port in use, before it makes the socket beside it', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const socket = path.join(folder, 'f.sock');
    const hosts = ['-H', `unix://${socket}`, '-H', `tcp://127.0.0.1:${port}`, '--insecure-tcp'];
    await refused('f', hosts, `cannot listen on tcp://127.0.0.1:${port}`);
    server.close();
    expect(fs.existsSync(socket)).toBe(false);
  });

  it('tcp without TLS, and TLS without its files', async () => {
    const port = await freePort();
    await refused('g', ['-H', `tcp://127.0.0.1:${port}`], '--tlsverify', '--insecure-tcp');
    const files = ['--tlscacert', '/nowhere/ca.pem', '--tlscert', '/nowhere/c.pem', '--tlskey', '/nowhere/k.pem'];
    await refused('g', ['-H', `tcp://127.0.0.1:${port}`, '--tlsverify', ...files], '--tlscacert /nowhere/ca.pem');
  });

  it('a config file with an unknown key, a bad value, or no JSON in it', async () => {
    const file = path.join(folder, 'daemon.json');
    for (const [text, ...words] of [
      ['{"debug-level":"info"}', 'debug-level'],
      ['{"log-level":"loud"}', 'log-level'],
      ['{"registry-mirrors":"http://m:5000"}', 'registry-mirrors'],
      ['{', 'not JSON'],
    ] as const) {
      fs.writeFileSync(file, text);
      await refused('h', ['--config', file], file, ...words);
    }
  });

  it('a database that is no database, one that is damaged inside, and one of a newer galley; each stays as it is', async () => {
    const data = path.join(folder, 'i/data');
    fs.mkdirSync(data, { recursive: true });
    const db = path.join(data, 'galley.db');
    fs.writeFileSync(db, 'this is not a database, whatever its name says\n'.repeat(100));
    const before = fs.readFileSync(db);
    await refused('i', [], db, 'not a database', `mv ${data} ${data}.broken`);
    expect(fs.readFileSync(db).equals(before)).toBe(true);

    fs.rmSync(db);
    const damaged = new DatabaseSync(db);
    damaged.exec('PRAGMA user_version=0; CREATE TABLE t (a TEXT);');
    for (let i = 0; i < 200; i += 1) damaged.exec(`INSERT INTO t VALUES ('${'x'.repeat(500)}')`);
    damaged.close();
    const fd = fs.openSync(db, 'r+');
    fs.writeSync(fd, Buffer.alloc(8192, 0xff), 0, 8192, 8192);
    fs.closeSync(fd);
    await refused('i', [], db, `mv ${data}`);

    fs.rmSync(db);
    const newer = new DatabaseSync(db);
    newer.exec('CREATE TABLE future (id TEXT); PRAGMA user_version=999;');
    newer.close();
    await refused('i', [], db, 'newer galley', 'schema 999', '--data-root');
    const kept = new DatabaseSync(db);
    expect(kept.prepare('SELECT name FROM sqlite_master').all()).toEqual([{ name: 'future' }]);
    kept.close();
  });
});

describe.skipIf(!isRoot)('a running galleyd (needs root)', () => {
  let engine: Engine;
  const logFile = path.join(folder, 'galleyd.log');
  beforeAll(async () => {
    engine = await startEngine({ args: ['--log-file', logFile] });
  });
  afterAll(() => engine?.purge());

  it('has a socket that root and its group may use, and folders that only root may enter', () => {
    const { mode, uid } = fs.statSync(engine.socket);
    expect({ mode: mode & 0o777, uid }).toEqual({ mode: 0o660, uid: 0 });
    expect(fs.statSync(engine.dataRoot).mode & 0o777).toBe(0o700);
    expect(fs.statSync(engine.execRoot).mode & 0o777).toBe(0o711);
  });

  it('logs into its file, and lives through SIGHUP', async () => {
    process.kill(engine.pid(), 'SIGHUP');
    await expect.poll(() => fs.readFileSync(logFile, 'utf8')).toContain('SIGHUP');
    expect(fs.readFileSync(logFile, 'utf8')).toContain('API listens');
    expect((await engine.request('GET', '/_ping')).status).toBe(200);
  });

  it('ends with 0 on SIGTERM, also in the middle of a stream, and takes its socket and pid file away', async () => {
    const stream = net.connect(engine.socket);
    stream.on('error', () => {});
    stream.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(stream, 'data');
    expect(await engine.stop()).toBe(0);
    expect(fs.existsSync(engine.socket)).toBe(false);
    expect(fs.existsSync(path.join(engine.execRoot, 'galleyd.pid'))).toBe(false);
    stream.destroy();
    await engine.start();
  });
});

describe('the log file', () => {
  it('becomes FILE.1 at its limit, keeps three old ones, loses no line of those, and goes whole', () => {
    const file = path.join(folder, 'rotating.log');
    const write = openLogFile(file, 100, false);
    for (let i = 10; i < 60; i += 1) write(`${i} ${'.'.repeat(20)}\n`);
    const names = fs.readdirSync(folder).filter((name) => name.startsWith('rotating.log'));
    expect(names.sort()).toEqual(['rotating.log', 'rotating.log.1', 'rotating.log.2', 'rotating.log.3']);
    const kept = ['.3', '.2', '.1', ''].flatMap((end) =>
      fs
        .readFileSync(file + end, 'utf8')
        .trim()
        .split('\n')
        .map((line) => Number(line.slice(0, 2))),
    );
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 60 - kept.length + i));
    expect(kept.length).toBeGreaterThan(12);
    removeLogFiles(file);
    expect(fs.readdirSync(folder).filter((name) => name.startsWith('rotating.log'))).toEqual([]);
  });

  it('goes on in a file that is there, and takes the output of the process along', async () => {
    const file = path.join(folder, 'taken.log');
    fs.writeFileSync(file, 'earlier\n');
    const program = `
      const { openLogFile } = await import(${JSON.stringify(path.resolve('daemon/system/log-file.ts'))});
      openLogFile(${JSON.stringify(file)})('line\\n');
      throw new Error('last words');`;
    const result = await tool(process.execPath, ['--input-type=module', '-e', program]);
    expect(result).toMatchObject({ stdout: '', stderr: '' });
    expect(fs.readFileSync(file, 'utf8')).toMatch(/^earlier\nline\n[\s\S]*last words/);
  });
});
