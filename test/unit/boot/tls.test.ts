/** The API over tcp with mutual TLS: who has a certificate of the CA is let in, nobody else. */
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../../fixtures/docker.ts';
import { type Engine, isRoot, startEngine } from '../../fixtures/engine.ts';
import { freePort, mustRun } from '../../fixtures/exec.ts';

describe.skipIf(!isRoot)('tcp with --tlsverify (needs root)', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'galley-tls-'));
  const at = (...parts: string[]) => path.join(folder, ...parts);
  let engine: Engine;
  let docker: DockerCli;
  let port: number;

  const openssl = (...args: string[]) => mustRun('openssl', args, { cwd: folder });
  /** <name>/ca.pem, and cert.pem and key.pem signed by it, as the docker CLI wants to find them. */
  async function certificates(name: string): Promise<void> {
    fs.mkdirSync(at(name));
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    await openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      `${name}/ca-key.pem`,
      '-out',
      `${name}/ca.pem`,
      '-subj',
      `/CN=${name}`,
    );
    await openssl('req', ...key, '-keyout', `${name}/key.pem`, '-out', `${name}/cert.csr`, '-subj', '/CN=127.0.0.1');
    fs.writeFileSync(at(name, 'extensions'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
    const signing = ['-CA', `${name}/ca.pem`, '-CAkey', `${name}/ca-key.pem`, '-CAcreateserial', '-days', '2'];
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}/cert.csr`,
      ...signing,
      '-extfile',
      `${name}/extensions`,
      '-out',
      `${name}/cert.pem`,
    );
  }
  const read = (name: string, file: string) => fs.readFileSync(at(name, file));

  /** Status of GET /_ping with the certificate of `client`, checked against `trusted`; rejects when no connection comes about. */
  const ping = (client: string | undefined, trusted = 'ours') =>
    new Promise<number | undefined>((resolve, reject) => {
      const identity = client ? { cert: read(client, 'cert.pem'), key: read(client, 'key.pem') } : {};
      const options = {
        host: '127.0.0.1',
        port,
        path: '/_ping',
        ca: read(trusted, 'ca.pem'),
        agent: false,
        ...identity,
      };
      https.get(options, (answer) => resolve(answer.statusCode)).on('error', reject);
    });

  beforeAll(async () => {
    await certificates('ours');
    await certificates('strangers');
    port = await freePort();
    const files = ['--tlscacert', at('ours/ca.pem'), '--tlscert', at('ours/cert.pem'), '--tlskey', at('ours/key.pem')];
    engine = await startEngine({ hosts: [`tcp://127.0.0.1:${port}`], args: ['--tlsverify', ...files] });
    docker = await dockerCli(`tcp://127.0.0.1:${port}`);
  });
  afterAll(async () => {
    docker?.close();
    await engine?.purge();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it('lets a certificate of its CA in', async () => {
    expect(await ping('ours')).toBe(200);
  });

  it('refuses whoever has none, or one of another CA', async () => {
    await expect(ping(undefined)).rejects.toThrow();
    await expect(ping('strangers')).rejects.toThrow();
    await expect(ping('ours', 'strangers')).rejects.toThrow(/certificate/);
  });

  it('answers nothing in plain HTTP', async () => {
    await expect(fetch(`http://127.0.0.1:${port}/_ping`)).rejects.toThrow();
  });

  it('serves docker --tlsverify', async () => {
    const env = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: at('ours') };
    expect(await docker.must(['version', '-f', '{{.Server.Version}}'], { env })).toMatch(/^\d+\./);
    const refused = await docker.run(['ps'], { env: { ...env, DOCKER_CERT_PATH: at('strangers') } });
    expect(refused.code).toBe(1);
  });
});
