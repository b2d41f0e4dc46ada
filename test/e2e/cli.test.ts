/** The command line as a process, against a real engine. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparing } from '../fixtures/comparing.ts';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { type ToolOptions, tool } from '../fixtures/exec.ts';
import { galleyProgram, TARGETS, type Target } from './cli-target.ts';

describe('without an engine', () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(path.join(tmpdir(), 'galley-home-'));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const galley = (...args: string[]) =>
    tool(process.execPath, [...galleyProgram, ...args], {
      env: { PATH: process.env['PATH'], HOME: home, GALLEY_HOST: `unix://${home}/none.sock` },
    });

  it('prints usage on stderr and exits 2 when there is neither a verb nor a terminal', async () => {
    const result = await galley();
    expect(result.code).toBe(2);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain('Usage:  galley');
  });
  it('a one-shot command says how to start galleyd, exits 1 (125 for run) and starts nothing', async () => {
    const ps = await galley('ps');
    expect(ps.code).toBe(1);
    expect(ps.stderr).toContain('galley daemon start');
    expect(existsSync(path.join(home, 'none.sock'))).toBe(false);
    expect((await galley('-H', 'unix:///nonexistent.sock', 'run', 'x')).code).toBe(125);
  });
  it('never falls back on another engine: it names the exact -H and sends that one nothing', async () => {
    let connections = 0;
    let bytes = 0;
    const other = createServer((socket) => {
      connections++;
      socket.on('data', (data) => (bytes += data.length));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => other.listen(path.join(home, 'docker.sock'), resolve));
    try {
      const result = await tool(process.execPath, [...galleyProgram, 'rm', '-f', 'web'], {
        env: { PATH: process.env['PATH'], HOME: home, GALLEY_HOST: `unix://${home}/none.sock`, XDG_RUNTIME_DIR: home },
      });
      expect(result.code).toBe(1);
      // A docker or podman of this host's own would be named first.
      const named = /galley -H (unix:\/\/\S+) rm -f web/.exec(result.stderr)?.[1];
      expect(named).toMatch(/(docker|podman)\.sock$/);
      if (named === `unix://${home}/docker.sock`) expect(connections).toBe(1);
      expect(bytes).toBe(0);
    } finally {
      other.close();
    }
  });
  it.each([
    [['--nope'], 2, 'unknown flag: --nope'],
    [['daemon', 'start', '--nope'], 2, 'unknown flag: --nope'],
    [['completion', 'tcsh'], 2, 'tcsh'],
    [['stpo', 'x'], 1, 'Did you mean "galley stop"?'],
    [['run', '--naem', 'x', 'y'], 125, 'Did you mean --name?'],
    [['-H', 'bogus', 'ps'], 1, 'invalid host "bogus"'],
    [['-c', 'nope', 'ps'], 1, 'context "nope" does not exist'],
    [['--snapshot', '--size', 'big'], 2, '--size big'],
  ] as [string[], number, string][])('%j exits %d and says %j', async (args, code, words) => {
    const result = await galley(...args);
    expect(result.stderr).toContain(words);
    expect(result.code).toBe(code);
    expect(result.stdout).toBe('');
  });
  it('help is on stdout', async () => {
    for (const args of [['--help'], ['help', 'run'], ['ps', '--help'], ['volume'], ['daemon', '--help']]) {
      const result = await galley(...args);
      expect(result.code, args.join(' ')).toBe(0);
      expect(result.stdout, args.join(' ')).toContain('Usage:');
    }
  });
  it('completion scripts are what their shell can read', async () => {
    const script = path.join(home, 'galley.bash');
    writeFileSync(script, (await galley('completion', 'bash')).stdout);
    const words = await tool('bash', [
      '-c',
      `source ${script}; COMP_WORDS=(galley vol); COMP_CWORD=1; _galley; echo "\${COMPREPLY[@]}"; COMP_WORDS=(galley volume r); COMP_CWORD=2; _galley; echo "\${COMPREPLY[@]}"; COMP_WORDS=(galley run --na); COMP_CWORD=2; _galley; echo "\${COMPREPLY[@]}"`,
    ]);
    expect(words.stdout).toBe('volume\nremove rm\n--name\n');
  });
});

describe.skipIf(!isRoot).each(TARGETS)('against %s (needs root)', (_name, start) => {
  let target: Target;
  let docker: DockerCli;
  beforeAll(async () => {
    target = await start();
    docker = await dockerCli(target.host);
  });
  afterAll(async () => {
    docker?.close();
    await target?.stop();
  });
  const galley = (args: readonly string[], options: ToolOptions = {}) =>
    tool(process.execPath, [...galleyProgram, ...args], { ...options, env: { ...docker.env, ...options.env } });
  const must = async (...args: string[]) => {
    const result = await galley(args);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    return result.stdout.trimEnd();
  };

  it('run pulls what is missing: progress on stderr, the output on stdout, nothing left', async () => {
    const result = await galley(['run', '--rm', target.image, 'sh', '-c', 'echo out; echo err >&2; exit 7']);
    expect(result.code).toBe(7);
    expect(result.stdout).toBe('out\n');
    expect(result.stderr).toContain(`Unable to find image '${target.image}' locally\n`);
    expect(result.stderr).toContain('Pull complete');
    expect(result.stderr).toContain('\nerr\n');
    expect(result.stderr).not.toContain('\x1b[');
    expect(await must('ps', '-aq')).toBe('');
  });

  it('pull prints the reference alone on stdout', async () => {
    const result = await galley(['pull', target.image]);
    expect(result.stdout).toBe(`${target.image}\n`);
    expect(result.stderr).toContain('Image is up to date');
  });

  comparing.each([
    [['run', '--rm', 'IMAGE', 'no-such-command'], 127],
    [['run', '--rm', 'IMAGE', '/etc'], 126],
    [['run', '--foo', 'IMAGE'], 125],
    [['run', '--pull', 'never', 'nothing:here'], 125],
    [['run', '--rm', '--name', '-bad-', 'IMAGE'], 125],
    [['exec', 'no-such-container', 'true'], 1],
    [['rm', 'no-such-container'], 1],
    [['logs', 'no-such-container'], 1],
    [['start', 'no-such-container'], 1],
    [['rmi', 'no/such:image'], 1],
    [['volume', 'rm', 'no-such-volume'], 1],
    [['inspect', 'no-such-thing'], 1],
    [['ps', '-f', 'status=nonsense'], 1],
    [['stop'], 1],
    [['ps', '--format', '{{.Nope'], 1],
  ] as [string[], number][])('%j exits %d as the docker CLI does, and leaves nothing', async (args, code) => {
    const words = args.map((word) => (word === 'IMAGE' ? target.image : word));
    const [ours, theirs] = [await galley(words), await docker.run(words)];
    expect(ours.code).toBe(code);
    expect(theirs.code).toBe(code);
    if (!words.includes('--format'))
      expect(ours.stderr).toBe(
        theirs.stderr
          .replaceAll('docker:', 'galley:')
          .replaceAll("'docker ", "'galley ")
          .replace('Usage:  docker', 'Usage:  galley'),
      );
    expect(await must('ps', '-aq')).toBe('');
  });

  it('stdin goes in, half-closes, and what comes late is not lost', async () => {
    const result = await galley(['run', '--rm', '-i', target.image, 'sh', '-c', 'cat; sleep 0.2; echo late'], {
      input: 'typed\n',
    });
    expect(result).toMatchObject({ code: 0, stdout: 'typed\nlate\n', stderr: '' });
  });

  describe('with a running container', () => {
    beforeAll(async () => {
      const result = await galley([
        'run',
        '-d',
        '--name',
        'web',
        '-l',
        'a=b',
        '-v',
        'data:/data',
        '-e',
        'X=1',
        target.image,
        'sh',
        '-c',
        'echo one; echo two >&2; trap "exit 0" TERM; sleep 600 & wait',
      ]);
      expect(result.stdout).toMatch(/^[0-9a-f]{64}\n$/);
    });
    afterAll(async () => {
      await galley(['rm', '-f', 'web']);
      await galley(['volume', 'rm', 'data']);
    });

    comparing.each([
      'ps',
      'ps -a --no-trunc',
      'ps -q',
      'ps -n 1 --format json',
      'ps --format table_{{.Names}}\\t{{.Label_"a"}}\\t{{.Mounts}}',
      'ps -f label=a=b -f status=running',
      'container ls',
      'images',
      'images --no-trunc -q',
      'images --digests',
      'images --format json',
      'volume ls',
      'volume ls --format json',
      'volume inspect data',
      'network ls --no-trunc',
      'network inspect bridge',
      'inspect web',
      'inspect -s web',
      'inspect IMAGE',
      'inspect --format {{.State.Status}}_{{json_.Config.Env}}_{{range_.Mounts}}{{.Destination}}{{end}} web',
      'logs web',
      'logs -n 1 web',
      'logs -t web',
      'port web',
      'top web',
      'top web -o pid,args',
      'exec web sh -c echo_$X;echo_e_>&2;exit_4',
      'exec -e Y=2 -w /tmp -u 1 web sh -c echo_$X$Y;pwd;id_-u',
      'exec web no-such-command',
      'exec web sh -c kill_-9_$$',
      'version -f {{.Server.Version}}',
    ])('%s prints what the docker CLI prints', async (line) => {
      const args = line.split(' ').map((word) => word.replaceAll('_', ' ').replace('IMAGE', target.image));
      let [ours, theirs] = [await galley(args), await docker.run(args)];
      // Ages are told in seconds: what differs because a second began between the two is asked again.
      for (let again = 0; again < 3 && ours.stdout !== theirs.stdout; again++) {
        [ours, theirs] = [await galley(args), await docker.run(args)];
      }
      expect(ours.stdout).toBe(theirs.stdout);
      expect(ours.stderr).toBe(theirs.stderr);
      expect(ours.code).toBe(theirs.code);
    });

    it('stats shows it, as a row and as JSON', async () => {
      expect(await must('stats', '--no-stream', 'web')).toMatch(
        /^CONTAINER ID +NAME +CPU % .*\n[0-9a-f]{12} +web +[\d.]+% +[\d.]+\wiB/,
      );
      expect(JSON.parse(await must('stats', '--no-stream', '--format', 'json', 'web'))).toMatchObject({ Name: 'web' });
    });

    it('events replays what happened', async () => {
      const lines = (await must('events', '--since', '10m', '--until', '0s', '-f', 'container=web')).split('\n');
      expect(
        lines.some((text) => /^\d{4}-.*Z container start [0-9a-f]{64} \(a=b, image=.*, name=web\)$/.test(text)),
      ).toBe(true);
    });

    it('ends quietly when its reader goes', async () => {
      const line = `"$0" "$@" | head -n 1`;
      const endless = ['exec', 'web', 'sh', '-c', 'while :; do echo y; done'];
      const result = await tool('sh', ['-c', line, process.execPath, ...galleyProgram, ...endless], {
        env: docker.env,
      });
      expect(result.stderr).toBe('');
      expect(result.stdout).toBe('y\n');
    });

    it('pause, unpause, rename, stop, start, restart, kill, wait', async () => {
      expect(await must('pause', 'web')).toBe('web');
      expect(await must('ps', '--format', '{{.State}}')).toBe('paused');
      expect(await must('unpause', 'web')).toBe('web');
      expect(await must('rename', 'web', 'other')).toBe('');
      expect(await must('rename', 'other', 'web')).toBe('');
      expect(await must('stop', '-t', '5', 'web')).toBe('web');
      expect(await must('wait', 'web')).toBe('0');
      expect(await must('start', 'web')).toBe('web');
      expect(await must('restart', '-t', '5', 'web')).toBe('web');
      expect(await must('kill', 'web')).toBe('web');
      expect(await must('inspect', '-f', '{{.State.ExitCode}}', 'web')).toBe('137');
      expect(await must('start', 'web')).toBe('web');
    });
  });

  it('volumes: create, prune, rm; no prompt without a terminal', async () => {
    expect(await must('volume', 'create', '--label', 'x=y', 'keep')).toBe('keep');
    const refused = await galley(['volume', 'prune']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('--force');
    expect(await must('volume', 'rm', 'keep')).toBe('keep');
  });
});
