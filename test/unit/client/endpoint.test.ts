import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authKeyOf, credentialsFor } from '../../../src/client/credentials.ts';
import { parseHost, resolveEndpoint } from '../../../src/client/endpoint.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'galley-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const config = (value: unknown) => writeFileSync(path.join(folder, 'config.json'), JSON.stringify(value));
function context(name: string, host: string, tls?: Record<string, string>): void {
  const id = createHash('sha256').update(name).digest('hex');
  const meta = path.join(folder, 'contexts/meta', id);
  mkdirSync(meta, { recursive: true });
  writeFileSync(
    path.join(meta, 'meta.json'),
    JSON.stringify({ Name: name, Endpoints: { docker: { Host: host, SkipTLSVerify: false } } }),
  );
  if (!tls) return;
  const files = path.join(folder, 'contexts/tls', id, 'docker');
  mkdirSync(files, { recursive: true });
  for (const [file, text] of Object.entries(tls)) writeFileSync(path.join(files, file), text);
}
const resolve = (more: object = {}, env: NodeJS.ProcessEnv = {}) =>
  resolveEndpoint({ env: { DOCKER_CONFIG: folder, ...env }, ...more });

describe('which engine', () => {
  it('is galleyd when nothing is said', () => {
    expect(resolve()).toMatchObject({ kind: 'unix', socketPath: '/run/galley/galley.sock', source: 'galley' });
    expect(resolve({}, { GALLEY_HOST: 'unix:///tmp/g.sock' })).toMatchObject({
      socketPath: '/tmp/g.sock',
      source: 'galley',
    });
  });
  it('is the first of flag, context flag, DOCKER_HOST, DOCKER_CONTEXT, current context', () => {
    context('one', 'unix:///one.sock');
    context('two', 'tcp://10.0.0.1:2375');
    config({ currentContext: 'one' });
    expect(resolve()).toMatchObject({ socketPath: '/one.sock', source: 'docker context', context: 'one' });
    expect(resolve({}, { DOCKER_CONTEXT: 'two' })).toMatchObject({ hostname: '10.0.0.1', source: 'DOCKER_CONTEXT' });
    expect(resolve({}, { DOCKER_CONTEXT: 'two', DOCKER_HOST: 'unix:///env.sock' })).toMatchObject({
      socketPath: '/env.sock',
    });
    expect(resolve({ contextFlag: 'two' }, { DOCKER_HOST: 'unix:///env.sock' })).toMatchObject({
      hostname: '10.0.0.1',
    });
    expect(resolve({ hostFlag: 'unix:///flag.sock' }, { DOCKER_HOST: 'unix:///env.sock' })).toMatchObject({
      socketPath: '/flag.sock',
      source: 'host flag',
    });
  });
  it('ignores a current context named default', () => {
    config({ currentContext: 'default' });
    expect(resolve().source).toBe('galley');
    expect(resolve({ contextFlag: 'default' })).toMatchObject({ socketPath: '/run/galley/galley.sock' });
  });
  it("reads a context's TLS files, and DOCKER_CERT_PATH", () => {
    context('tls', 'tcp://h:2376', { 'ca.pem': 'CA', 'cert.pem': 'CERT', 'key.pem': 'KEY' });
    expect(resolve({ contextFlag: 'tls' })).toMatchObject({
      tls: { ca: 'CA', cert: 'CERT', key: 'KEY', verify: true },
    });
    writeFileSync(path.join(folder, 'ca.pem'), 'ENVCA');
    const env = { DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
    expect(resolve({}, env)).toMatchObject({ tls: { ca: 'ENVCA', verify: true } });
    expect(resolve({}, { DOCKER_HOST: 'tcp://h:2375' })).not.toHaveProperty('tls');
  });
  it.each([
    [{ hostFlag: 'unix:///a', contextFlag: 'b' }, 'cannot specify both --host and --context'],
    [{ contextFlag: 'nope' }, 'context "nope" does not exist'],
    [{ hostFlag: 'ftp://x' }, 'invalid host "ftp://x"'],
    [{ hostFlag: 'justaword' }, 'invalid host "justaword"'],
    [{ hostFlag: 'unix://relative' }, 'absolute path'],
    [{ hostFlag: 'ssh://-oProxyCommand=x' }, 'invalid'],
  ])('says what is wrong with %j', (flags, words) => expect(() => resolve(flags)).toThrow(words));
  it('names a malformed config.json', () => {
    writeFileSync(path.join(folder, 'config.json'), '{');
    expect(() => resolve()).toThrow(path.join(folder, 'config.json'));
  });
  it.each([
    ['tcp://h', { hostname: 'h', port: 2375 }],
    ['h:1234', { hostname: 'h', port: 1234 }],
    ['tcp://[::1]:80', { hostname: '::1', port: 80 }],
    ['https://h', { port: 2376, tls: { verify: true } }],
    ['ssh://me@host:2222', { kind: 'ssh', user: 'me', hostname: 'host', port: 2222 }],
    ['unix://', { socketPath: '/var/run/docker.sock' }],
  ])('reads %s', (text, expected) => expect(parseHost(text, 'host flag')).toMatchObject(expected));
});

describe('credentials', () => {
  const ask = (reference: string) => credentialsFor(reference, { env: { DOCKER_CONFIG: folder } });
  it('come from auths, by the registry of the image', async () => {
    config({
      auths: {
        'r.example:5000': { auth: Buffer.from('me:se:cret').toString('base64') },
        'https://index.docker.io/v1/': { identitytoken: 'tok' },
      },
    });
    expect(await ask('r.example:5000/a/b')).toEqual({
      username: 'me',
      password: 'se:cret',
      serveraddress: 'r.example:5000',
    });
    expect(await ask('busybox')).toMatchObject({ identitytoken: 'tok' });
    expect(await ask('other.example/x')).toBeUndefined();
    expect(authKeyOf('busybox')).toBe('https://index.docker.io/v1/');
  });
  it('come from a helper program, which may not know them or fail', async () => {
    const helper = path.join(folder, 'docker-credential-t');
    const answer =
      'read url; case $url in a.example) echo "{\\"Username\\":\\"u\\",\\"Secret\\":\\"s\\"}";; b.example) echo credentials not found in native keychain; exit 1;; *) echo broken >&2; exit 1;; esac';
    writeFileSync(helper, `#!/bin/sh\n${answer}\n`);
    chmodSync(helper, 0o755);
    const before = process.env['PATH'];
    process.env['PATH'] = `${folder}:${before}`;
    try {
      config({ credsStore: 't' });
      expect(await ask('a.example/x')).toEqual({ username: 'u', password: 's', serveraddress: 'a.example' });
      expect(await ask('b.example/x')).toBeUndefined();
      await expect(ask('c.example/x')).rejects.toThrow('broken');
      config({ credHelpers: { 'd.example': 'missing' } });
      await expect(ask('d.example/x')).rejects.toThrow('docker-credential-missing');
    } finally {
      process.env['PATH'] = before;
    }
  });
});
