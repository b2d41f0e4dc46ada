/** Interactive commands in a real pty, and what a shell does with a command's streams: galley and the docker CLI, both on galleyd. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { type ToolOptions, tool, waitFor } from '../fixtures/exec.ts';
import { openTerminal } from '../fixtures/terminal.ts';
import { useEngine } from '../fixtures/use-engine.ts';
import { galleyProgram } from './cli-target.ts';

const MEGABYTE = 1 << 20;

describe.skipIf(!isRoot).each(['galley', 'docker'])('%s on galleyd (needs root)', (client) => {
  const kitchen = useEngine();
  let docker: DockerCli;
  let command: [string, ...string[]];
  beforeAll(async () => {
    docker = await dockerCli(kitchen.engine.host);
    command = client === 'galley' ? [process.execPath, ...galleyProgram] : [docker.path];
    await docker.must(['pull', '-q', 'busybox']);
  });
  afterAll(() => docker?.close());
  const run = (args: readonly string[], options: ToolOptions = {}) =>
    tool(command[0], [...command.slice(1), ...args], { ...options, env: { ...docker.env, ...options.env } });
  const terminal = (args: readonly string[]) =>
    openTerminal(command[0], [...command.slice(1), ...args], {
      columns: 91,
      rows: 31,
      env: docker.env as Record<string, string>,
    });
  /** A shell line in which `$0 "$@"` is the client with `args`. */
  const inShell = (line: string, args: readonly string[]) =>
    tool('bash', ['-c', line, command[0], ...command.slice(1), ...args], { env: docker.env });

  describe('in a terminal', () => {
    it('run -it: the size from the start, each resize, the exit code', async () => {
      const until = (size: string, word: string) =>
        `until [ "$(stty size)" = "${size}" ]; do sleep 0.1; done; echo ${word}`;
      const script = `${until('31 91', 're""ady')}; ${until('20 70', 're""sized')}; exit 9`;
      const pty = terminal(['run', '--rm', '-it', 'busybox', 'sh', '-c', script]);
      await pty.shows('ready');
      pty.resize(70, 20);
      await pty.shows('resized');
      expect(await pty.exited).toBe(9);
    });

    it('the terminal is given back as it was', async () => {
      const line = 'a=$(stty -g); "$0" "$@"; echo "code $?"; [ "$a" = "$(stty -g)" ] && echo sa""me || echo other';
      const pty = openTerminal(
        'bash',
        ['-c', line, ...command, 'run', '--rm', '-it', 'busybox', 'sh', '-c', 'tty; exit 7'],
        { columns: 91, rows: 31, env: docker.env as Record<string, string> },
      );
      await pty.shows('code 7');
      await pty.shows('same');
      expect(pty.screen()).toContain('/dev/pts/0');
      await pty.exited;
    });

    it('the detach keys leave it running: run ends with 0, attach and exec say so and end with 1', async () => {
      const first = terminal(['run', '-it', '--name', 'shell', 'busybox', 'sh']);
      await first.shows('/ #');
      first.write('\x10\x11');
      expect(await first.exited).toBe(0);
      const second = terminal(['attach', '--detach-keys', 'ctrl-a,d', 'shell']);
      await second.shows('/ #');
      second.write('\x01d');
      await second.shows('read escape sequence');
      expect(await second.exited).toBe(1);
      const inside = terminal(['exec', '-it', 'shell', 'sh']);
      await inside.shows('/ #');
      inside.write('\x10\x11');
      expect(await inside.exited).toBe(1);
      expect(await docker.must(['inspect', '-f', '{{.State.Status}}', 'shell'])).toBe('running');
      const third = terminal(['attach', 'shell']);
      await third.shows('/ #');
      third.write('echo a""live; exit 6\r');
      await third.shows('alive');
      expect(await third.exited).toBe(6);
      const again = terminal(['start', '-ai', 'shell']);
      await again.shows('/ #');
      again.write('exit 5\r');
      expect(await again.exited).toBe(5);
      await docker.must(['rm', '-f', 'shell']);
    });

    it('Ctrl-C and Ctrl-Z belong to the terminal inside', async () => {
      const pty = terminal(['run', '--rm', '-it', 'busybox', 'sh']);
      await pty.shows('/ #');
      pty.write('sleep 100\r');
      await pty.shows('sleep 100');
      pty.write('\x1a');
      await pty.shows('Stopped');
      pty.write('fg\r');
      await pty.shows(/fg\n+sleep 100/);
      pty.write('\x03');
      await pty.shows('^C');
      pty.write('exit 3\r');
      expect(await pty.exited).toBe(3);
    });

    it('without a terminal inside they reach the command as signals, and a third Ctrl-C ends the client', async () => {
      const script = (word: string) => `trap "echo got" ${word}; echo ready; while :; do sleep 0.1; done`;
      for (const [word, key] of [
        ['TSTP', '\x1a'],
        ['INT', '\x03'],
      ] as const) {
        const pty = terminal(['run', '--rm', '--name', `sig${word}`, 'busybox', 'sh', '-c', script(word)]);
        await pty.shows('ready');
        pty.write(key);
        await pty.shows('got');
        if (word === 'INT') {
          pty.write('\x03');
          await pty.shows(/got[\s\S]*got/);
          pty.write('\x03');
          await pty.shows('got 3 SIGTERM/SIGINTs, forcefully exiting');
          expect(await pty.exited).toBe(1);
        }
        await docker.must(['rm', '-f', `sig${word}`]);
        await pty.exited;
      }
    });
  });

  describe('with pipes', () => {
    it('3 MB of stdin come out again as they went in', async () => {
      const data = randomBytes(3 * MEGABYTE);
      const result = await run(['run', '--rm', '-i', 'busybox', 'sha256sum'], { input: data });
      expect(result).toMatchObject({ code: 0, stdout: `${createHash('sha256').update(data).digest('hex')}  -\n` });
      const child = spawn(command[0], [...command.slice(1), 'run', '--rm', '-i', 'busybox', 'cat'], {
        env: docker.env,
      });
      const hash = createHash('sha256');
      child.stdout.on('data', (piece: Buffer) => hash.update(piece));
      child.stdin.end(data);
      expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
      expect(hash.digest('hex')).toBe(createHash('sha256').update(data).digest('hex'));
    });

    // Its end is told to the other side of conmon's socket as an error before what was sent: that came to hide the last words.
    it('a command that leaves most of its stdin unread is heard to its last word', async () => {
      const data = randomBytes(3 * MEGABYTE);
      for (let times = 0; times < 8; times++) {
        const result = await run(['run', '--rm', '-i', 'busybox', 'sh', '-c', 'head -c 10 >/dev/null; echo done'], {
          input: data,
        });
        expect(result).toEqual({ code: 0, stdout: 'done\n', stderr: '' });
      }
    });

    it('exec -i: stdin half-closes and what comes late is not lost', async () => {
      await docker.must(['run', '-d', '--name', 'bg', 'busybox', 'sleep', '600']);
      const result = await run(['exec', '-i', 'bg', 'sh', '-c', 'cat; sleep 0.2; echo late; exit 4'], {
        input: 'typed\n',
      });
      expect(result).toEqual({ code: 4, stdout: 'typed\nlate\n', stderr: '' });
      await docker.must(['rm', '-f', 'bg']);
    });

    it('a signal to the client is a signal to the container; with --sig-proxy=false it is the client`s own', async () => {
      const script = 'trap "echo got; exit 3" USR1 TERM; echo ready; while :; do sleep 0.1; done';
      for (const signal of ['USR1', 'TERM'] as const) {
        const child = spawn(command[0], [...command.slice(1), 'run', '--rm', 'busybox', 'sh', '-c', script], {
          env: docker.env,
        });
        let text = '';
        child.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
        const ended = new Promise((resolve) => child.on('close', resolve));
        await waitFor('the trap', () => text.includes('ready'));
        child.kill(`SIG${signal}`);
        expect(await ended).toBe(3);
        expect(text).toBe('ready\ngot\n');
      }
      const alone = spawn(
        command[0],
        [...command.slice(1), 'run', '--name', 'alone', '--sig-proxy=false', 'busybox', 'sh', '-c', script],
        { env: docker.env },
      );
      let text = '';
      alone.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
      const ended = new Promise((resolve) => alone.on('close', resolve));
      await waitFor('the trap', () => text.includes('ready'));
      alone.kill('SIGKILL');
      await ended;
      expect(await docker.must(['inspect', '-f', '{{.State.Status}}', 'alone'])).toBe('running');
      await docker.must(['rm', '-f', 'alone']);
    });

    it('ends without a word when its reader goes', async () => {
      await docker.must(['run', '-d', '--name', 'lots', 'busybox', 'sh', '-c', 'yes line | head -n 100000; sleep 600']);
      for (const args of [
        ['logs', 'lots'],
        ['logs', '-f', 'lots'],
        ['exec', 'lots', 'yes', 'line'],
        ['run', '--rm', 'busybox', 'yes', 'line'],
      ]) {
        const result = await inShell('"$0" "$@" | head -n 1', args);
        expect(result.stdout, args.join(' ')).toBe('line\n');
        // docker itself says `write /dev/stdout: broken pipe` for some.
        if (client === 'galley') expect(result.stderr, args.join(' ')).toBe('');
      }
      const full = await inShell('"$0" "$@" > /dev/full', ['ps']);
      if (client === 'galley') expect(full).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOSPC') });
      await docker.must(['rm', '-f', ...(await docker.must(['ps', '-aq'])).split('\n')]);
    });
  });
});

describe.skipIf(!isRoot)('galleyd ends under a client (needs root)', () => {
  const kitchen = useEngine();

  it('the client says so, the terminal is whole, the container goes on', async () => {
    const { engine } = kitchen;
    const env = { PATH: process.env['PATH'] ?? '', HOME: engine.folder, DOCKER_HOST: engine.host };
    const galley = (...args: string[]) => tool(process.execPath, [...galleyProgram, ...args], { env });
    const line = 'a=$(stty -g); "$0" "$@"; echo "code $?"; [ "$a" = "$(stty -g)" ] && echo sa""me || echo other';
    const words = [process.execPath, ...galleyProgram, 'run', '-it', '--name', 'on', 'busybox', 'sh'];
    const pty = openTerminal('bash', ['-c', line, ...words], { columns: 91, rows: 31, env });
    await pty.shows('/ #');
    const follower = galley('logs', '-f', 'on');
    await waitFor('the container', async () => (await galley('ps', '-q')).stdout !== '');
    await engine.kill9();
    await pty.shows('code 125');
    await pty.shows('same');
    await follower;
    await engine.start();
    expect((await galley('inspect', '-f', '{{.State.Status}}', 'on')).stdout).toBe('running\n');
    expect((await galley('rm', '-f', 'on')).code).toBe(0);
  });
});
