/** Which engine a command talks to (issue 2): the order of -H, -c, DOCKER_HOST, docker contexts and galleyd; TLS and ssh on the way. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../fixtures/cache.ts';
import { dockerPath } from '../fixtures/docker.ts';
import { type Engine, isRoot, startEngine } from '../fixtures/engine.ts';
import { freePort, mustRun, type ToolOptions, tool } from '../fixtures/exec.ts';
import { type Sshd, startSshd } from '../fixtures/sshd.ts';
import { useEngine } from '../fixtures/use-engine.ts';
import { galleyProgram } from './cli-target.ts';

/** A CA, and a certificate of it for the engine (127.0.0.1) and for a client, under the names that DOCKER_CERT_PATH wants. */
async function certificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => mustRun('openssl', args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl('req', '-x509', ...key, '-subj', '/CN=ca', '-days', '2', '-keyout', 'ca-key.pem', '-out', 'ca.pem');
  for (const [name, extension] of [
    ['server', 'subjectAltName=IP:127.0.0.1'],
    ['', 'extendedKeyUsage=clientAuth'],
  ] as const) {
    const file = (kind: string) => (name ? `${name}-${kind}.pem` : `${kind}.pem`);
    await openssl('req', ...key, '-subj', `/CN=${name || 'client'}`, '-keyout', file('key'), '-out', 'request.pem');
    fs.writeFileSync(path.join(folder, 'extensions'), extension);
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2'];
    await openssl('x509', '-req', '-in', 'request.pem', ...signing, '-extfile', 'extensions', '-out', file('cert'));
  }
}

describe.skipIf(!isRoot)('the engine of a command (needs root)', () => {
  const kitchen = useEngine();
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'galley-choice-'));
  let other: Engine;
  let secure: { engine: Engine; host: string };
  let sshd: Sshd;
  let docker: string;

  beforeAll(async () => {
    docker = await dockerPath();
    await certificates(work);
    other = await startEngine();
    const port = await freePort();
    const tls = ['ca', 'cert', 'key'].map(
      (kind) => `--tls${kind === 'ca' ? 'ca' : ''}${kind === 'ca' ? 'cert' : kind}`,
    );
    const pem = (name: string) => path.join(work, name);
    const flags = [
      `${tls[0]}=${pem('ca.pem')}`,
      `${tls[1]}=${pem('server-cert.pem')}`,
      `${tls[2]}=${pem('server-key.pem')}`,
    ];
    const engine = await startEngine({
      hosts: [`tcp://127.0.0.1:${port}`],
      args: ['--tlsverify', ...flags],
      mirrors: [kitchen.registry.url],
    });
    secure = { engine, host: `tcp://127.0.0.1:${port}` };
    const bin = path.join(work, 'bin');
    fs.mkdirSync(bin);
    const program = [process.execPath, ...galleyProgram].join(' ');
    fs.writeFileSync(path.join(bin, 'galley'), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
    sshd = await startSshd({ PATH: `${bin}:/usr/bin:/bin`, GALLEY_HOST: other.host });
    const context = (name: string, endpoint: string) =>
      mustRun(docker, ['context', 'create', name, '--docker', endpoint], {
        env: { HOME: work, PATH: process.env['PATH'] },
      });
    await context('other', `host=${other.host}`);
    await context('main', `host=${kitchen.engine.host}`);
    const material = `ca=${pem('ca.pem')},cert=${pem('cert.pem')},key=${pem('key.pem')}`;
    await context('secure', `host=${secure.host},${material}`);
    await context('remote', `host=${sshd.host}`);
  });
  afterAll(async () => {
    await sshd?.stop();
    await secure?.engine.purge();
    await other?.purge();
    fs.rmSync(work, { recursive: true, force: true });
  });

  const galley = (args: readonly string[], env: NodeJS.ProcessEnv = {}, options: ToolOptions = {}) =>
    tool(process.execPath, [...galleyProgram, ...args], {
      ...options,
      env: { PATH: `${sshd.clientPath}:${process.env['PATH']}`, HOME: work, ...env },
    });
  /** The data root of the engine that answered. */
  const rootOf = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const result = await galley([...args, 'info', '-f', '{{.DockerRootDir}}'], env);
    expect(result.stderr).toBe('');
    return result.stdout.trim();
  };
  const current = (name: string) => {
    const folder = path.join(work, `config-${name}`);
    fs.cpSync(path.join(work, '.docker'), folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ currentContext: name }));
    return { DOCKER_CONFIG: folder };
  };

  it('is that of -H, -c, DOCKER_HOST, DOCKER_CONTEXT, the current context, galleyd, in this order', async () => {
    const here = kitchen.engine.dataRoot;
    const [mine, theirs] = [kitchen.engine.host, other.host];
    expect(await rootOf([], { GALLEY_HOST: mine })).toBe(here);
    expect(await rootOf([], { ...current('main'), GALLEY_HOST: theirs })).toBe(here);
    expect(await rootOf([], { ...current('other'), DOCKER_CONTEXT: 'main' })).toBe(here);
    expect(await rootOf([], { DOCKER_CONTEXT: 'other', DOCKER_HOST: mine })).toBe(here);
    expect(await rootOf(['-c', 'main'], { DOCKER_HOST: theirs, ...current('other') })).toBe(here);
    expect(await rootOf(['-H', mine], { DOCKER_HOST: theirs, DOCKER_CONTEXT: 'other' })).toBe(here);
    expect(await rootOf(['--host', mine], { ...current('other') })).toBe(here);
    // The default context is none of one's choice, so galleyd it is.
    expect(await rootOf([], { ...current('default'), GALLEY_HOST: mine })).toBe(here);
    expect(await rootOf([], { ...current('other'), DOCKER_CONTEXT: 'default', GALLEY_HOST: mine })).toBe(here);
    expect(await galley(['-H', mine, '-c', 'main', 'ps'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('conflicting options: cannot specify both --host and --context'),
    });
  });

  it('TLS: by flags, by the environment, by a context; never without proof on either side', async () => {
    const root = secure.engine.dataRoot;
    const files = ['ca', 'cert', 'key'].map((name) => path.join(work, `${name}.pem`));
    const flags = ['--tlsverify', '--tlscacert', files[0]!, '--tlscert', files[1]!, '--tlskey', files[2]!];
    expect(await rootOf(['-H', secure.host, ...flags])).toBe(root);
    const env = { DOCKER_HOST: secure.host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: work };
    expect(await rootOf([], env)).toBe(root);
    expect(await rootOf(['-c', 'secure'])).toBe(root);
    expect(await rootOf([], current('secure'))).toBe(root);
    const typed = await galley(['run', '--rm', '-i', 'busybox', 'sh', '-c', 'cat; echo late'], env, { input: 'in\n' });
    expect(typed).toMatchObject({ code: 0, stdout: 'in\nlate\n' });

    const refused = await galley(['-H', secure.host, '--tls', 'ps']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('client certificate');
    const plain = await galley(['-H', secure.host, 'ps']);
    expect(plain.code).toBe(1);
    expect(plain.stderr).toMatch(/TLS|closed the connection/);
    const stranger = path.join(work, 'stranger');
    fs.mkdirSync(stranger);
    await certificates(stranger);
    const wrong = await galley(['ps'], { ...env, DOCKER_CERT_PATH: stranger });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/certificate/);
    expect(wrong.stderr).not.toMatch(/\n\s+at /);
  });

  it('ssh: the engine of the other host, by -H and by a context, with streams in both directions', async () => {
    expect(await rootOf(['-H', sshd.host])).toBe(other.dataRoot);
    expect(await rootOf(['-c', 'remote'])).toBe(other.dataRoot);
    const volume = await galley(['-H', sshd.host, 'volume', 'create', 'over-there']);
    expect(volume).toMatchObject({ code: 0, stdout: 'over-there\n' });
    expect((await galley(['-H', other.host, 'volume', 'ls', '-q'])).stdout).toBe('over-there\n');
    const nowhere = await galley(['-H', 'ssh://root@127.0.0.1:1', 'ps']);
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toContain('127.0.0.1');
    expect(nowhere.stderr).not.toMatch(/\n\s+at /);
  });

  it('with a dockerd alone: nothing is sent there, the exact -H is named, and with it the command works', async () => {
    const runtime = path.join(work, 'runtime');
    fs.mkdirSync(runtime);
    fs.symlinkSync(other.socket, path.join(runtime, 'docker.sock'));
    const env = { GALLEY_HOST: `unix://${work}/none.sock`, XDG_RUNTIME_DIR: runtime };
    const result = await galley(['ps', '-a', '--format', '{{.Names}}'], env);
    expect(result.code).toBe(1);
    expect(result.stdout).toBe('');
    const named = /naming it: galley -H (unix:\/\/\S+) ps -a/.exec(result.stderr)?.[1];
    expect(named).toMatch(/^unix:\/\/.*(docker|podman)\.sock$/);
    expect(fs.existsSync(path.join(work, 'none.sock'))).toBe(false);
    if (named === `unix://${runtime}/docker.sock`) expect((await galley(['-H', named, 'ps'], env)).code).toBe(0);
  });

  it('run and daemon start start a galleyd where none answers; nothing else does', async () => {
    // The default names and folders, in namespaces of their own: the host's stay as they are.
    const script = `
      mount --make-rprivate / && for d in /var/lib /run /var/log /etc/galley; do mkdir -p $d; done
      mount -t tmpfs t /var/lib && mount -t tmpfs t /run && mount -t tmpfs t /var/log && ip link set lo up
      galley() { "$NODE" -- "$MAIN" "$@"; }
      for line in "ps" "pull busybox" "start x" "create busybox" "volume create v" "info" "events --until 0s"; do
        galley $line >/dev/null 2>&1; echo "$line: $? $(test -e /run/galley/galley.sock && echo started)"
      done
      galley daemon status; galley run --rm busybox true 2>/run/said; echo "run: $?"; head -n 1 /run/said
      galley ps --format '{{.Names}}'; echo "ps: $?"
      galley daemon stop; galley daemon start; galley daemon status | sed -n '1s/ at .*//p'
      galley daemon uninstall --purge --force >/dev/null 2>&1; echo "purged: $?"
      ls -d /var/lib/galley /run/galley 2>/dev/null; ip -o link | grep -c galley; nft list tables
    `;
    const env = {
      PATH: process.env['PATH'],
      HOME: work,
      NODE: process.execPath,
      MAIN: path.join(repositoryRoot, 'src/main.ts'),
    };
    const result = await tool('unshare', ['--mount', '--net', 'bash', '-c', script], { env });
    const lines = result.stdout.trim().split('\n');
    expect(lines.slice(0, 8)).toEqual([
      'ps: 1 ',
      'pull busybox: 1 ',
      'start x: 1 ',
      'create busybox: 1 ',
      'volume create v: 1 ',
      'info: 1 ',
      'events --until 0s: 1 ',
      'galleyd is not running',
    ]);
    expect(lines.slice(8)).toEqual([
      'run: 125',
      'galleyd is not running: starting it (unix:///run/galley/galley.sock, log /var/log/galleyd.log)',
      'ps: 0',
      'galleyd stopped; its containers run on',
      'galleyd started at unix:///run/galley/galley.sock',
      expect.stringMatching(/^galleyd \S+ is running$/),
      'purged: 0',
      '0',
    ]);
  });
});
