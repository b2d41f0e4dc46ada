import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { socketGroup } from '../../../daemon/boot/listen.ts';
import { claimName, lockRoot } from '../../../daemon/boot/lock.ts';
import { readSettings } from '../../../daemon/boot/settings.ts';
import { checkTools } from '../../../daemon/boot/tools.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'gs-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('settings of galleyd', () => {
  it('flags win over the config file, the file over the defaults', () => {
    const file = path.join(folder, 'daemon.json');
    writeFileSync(
      file,
      JSON.stringify({ 'data-root': '/from/file', name: 'filed', 'registry-mirrors': ['http://m:5000'] }),
    );
    const settings = readSettings(['--config', file, '--name', 'flag']);
    expect(settings).toMatchObject({
      dataRoot: '/from/file',
      name: 'flag',
      registryMirrors: ['http://m:5000'],
      execRoot: '/run/galley',
    });
    expect(settings.hosts).toEqual(['unix:///run/galley/galley.sock']);
  });

  it.each([
    [['--nope'], '--nope'],
    [['--name', 'Bad_Name'], 'Bad_Name'],
    [['--name', 'much-too-long'], 'much-too-long'],
    [['-H', 'http://x'], 'unix:///path'],
    [['-H', 'tcp://0.0.0.0:2375'], '--tlsverify'],
    [['--log-level', 'loud'], 'loud'],
    [['--registry-mirror', 'example.com'], 'example.com'],
    [['--config', '/nowhere.json'], '/nowhere.json'],
    [['stray'], 'stray'],
  ])('refuses %j naming it', (argv, words) => expect(() => readSettings(argv)).toThrow(words));

  it('names the key of the config file that is wrong', () => {
    const file = path.join(folder, 'bad.json');
    writeFileSync(file, '{"hosts":"unix:///x"}');
    expect(() => readSettings(['--config', file])).toThrow(/bad.json: hosts/);
    writeFileSync(file, '{"unknown":1}');
    expect(() => readSettings(['--config', file])).toThrow(/unknown/);
    writeFileSync(file, '{');
    expect(() => readSettings(['--config', file])).toThrow('not JSON');
  });

  it('takes tcp with TLS, or when told twice', () => {
    expect(readSettings(['-H', 'tcp://127.0.0.1:2376', '--tlsverify']).hosts).toEqual(['tcp://127.0.0.1:2376']);
    expect(readSettings(['-H', 'tcp://127.0.0.1:2375', '--insecure-tcp']).insecureTcp).toBe(true);
  });

  it('gives the socket to group galley, else docker, else root', () => {
    expect(socketGroup('root:x:0:\ndocker:x:998:\ngalley:x:997:a\n')).toBe(997);
    expect(socketGroup('root:x:0:\ndocker:x:998:\n')).toBe(998);
    expect(socketGroup('root:x:0:\n')).toBe(0);
  });

  it.each([
    [['apt-get', 'runc', 'nft'], 'lacks conmon, ip: ', '(apt-get install conmon iproute2)'],
    [['dnf', 'runc', 'conmon', 'nft'], 'lacks ip: ', '(dnf install iproute)'],
    [['apk'], 'lacks runc, conmon, nft, ip: ', '(apk add runc conmon nftables iproute2)'],
  ])('on a host with %j alone names what is missing, and the command', (there, ...words) => {
    for (const word of words) expect(() => checkTools((tool) => there.includes(tool))).toThrow(word);
    expect(() => checkTools(() => true)).not.toThrow();
  });

  it('one galleyd a data root', () => {
    const first = lockRoot(folder, 'data-root');
    expect(() => lockRoot(folder, 'data-root')).toThrow(`pid ${process.pid}`);
    first[Symbol.dispose]();
    lockRoot(folder, 'data-root')[Symbol.dispose]();
  });

  it('one galleyd a name', async () => {
    const name = `gs${process.pid}`;
    const first = await claimName(name);
    await expect(claimName(name)).rejects.toThrow('--name');
    first[Symbol.dispose]();
    (await claimName(name))[Symbol.dispose]();
  });
});
