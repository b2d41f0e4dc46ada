/** `docker run -it`, `exec -it` and `attach` of the real docker CLI in a real terminal: what a person sees and types (issue 2, paragraph 4). */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { waitFor } from '../fixtures/exec.ts';
import { openTerminal, type Terminal } from '../fixtures/terminal.ts';
import { useEngine } from '../fixtures/use-engine.ts';

const CTRL = { c: '\x03', d: '\x04', p: '\x10', q: '\x11' };

describe.skipIf(!isRoot)('docker CLI in a terminal (needs root)', () => {
  const kitchen = useEngine();
  let docker: DockerCli;
  const open: Terminal[] = [];
  beforeAll(async () => {
    if (!isRoot) return;
    docker = await dockerCli(kitchen.engine.host);
    await docker.must(['pull', '-q', 'busybox']);
  });
  afterEach(async () => {
    for (const terminal of open.splice(0)) terminal.close();
    const left = (await docker.must(['ps', '-aq'])).split('\n').filter(Boolean);
    if (left.length > 0) await docker.must(['rm', '-f', '-v', ...left]);
  });

  const type = (args: string[]): Terminal => {
    const terminal = openTerminal(docker.path, args, {
      columns: 90,
      rows: 30,
      env: docker.env as Record<string, string>,
    });
    open.push(terminal);
    return terminal;
  };
  const state = (name: string) => docker.must(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name]);

  it('run -it: prompt, size, resize, echo, Ctrl-C, exit code, nothing left', async () => {
    const terminal = type(['run', '-it', '--rm', '--name', 'shell', 'busybox', 'sh']);
    await terminal.shows('/ #');
    terminal.write('stty size; echo "TERM is $TERM"\r');
    await terminal.shows('30 90');
    await terminal.shows('TERM is xterm');
    terminal.resize(111, 33);
    await waitFor('the new size', async () => {
      terminal.write('stty size\r');
      return terminal.screen().includes('33 111');
    });
    terminal.write('sleep 1000\r');
    await waitFor('sleep to run', async () => (await docker.must(['top', 'shell'])).includes('sleep 1000'));
    terminal.write(CTRL.c);
    terminal.write('echo back $?\r');
    await terminal.shows('back 130');
    terminal.write('exit 7\r');
    expect(await terminal.exited).toBe(7);
    await waitFor('the removal', () => readdirSync(path.join(kitchen.engine.dataRoot, 'roots')).length === 0);
  });

  it('Ctrl-D ends the shell; its last words arrive', async () => {
    const terminal = type(['run', '-it', '--rm', 'busybox', 'sh', '-c', 'cat; echo bye; exit 3']);
    terminal.write('typed\r');
    await terminal.shows('typed\ntyped');
    terminal.write(CTRL.d);
    expect(await terminal.exited).toBe(3);
    await terminal.shows('bye');
  });

  it('detach keys leave it running, attach finds it again, its own keys work too', async () => {
    const first = type(['run', '-it', '--name', 'kept', 'busybox', 'sh']);
    await first.shows('/ #');
    first.write('mark=first\r');
    first.write(CTRL.p);
    first.write(CTRL.q);
    expect(await first.exited).toBe(0);
    expect(await state('kept')).toBe('running 0');

    const second = type(['attach', '--detach-keys', 'ctrl-a,x', 'kept']);
    second.write('echo $mark again\r');
    await second.shows('first again');
    // A broken sequence is typed through.
    second.write(`echo ${CTRL.p}ok\r`);
    await second.shows('ok');
    second.write('\x01x');
    expect(await second.exited).toBe(1); // attach says "read escape sequence" and exits so, with dockerd too
    expect(await state('kept')).toBe('running 0');

    const third = type(['attach', 'kept']);
    third.write('exit 5\r');
    expect(await third.exited).toBe(5);
    expect(await state('kept')).toBe('exited 5');
    const again = type(['start', '-ai', 'kept']);
    await again.shows('/ #');
    again.write('exit 0\r');
    expect(await again.exited).toBe(0);
  });

  it('two terminals on one container see the same; one that hangs up does not disturb the other', async () => {
    const first = type(['run', '-it', '--name', 'both', 'busybox', 'sh']);
    await first.shows('/ #');
    const second = type(['attach', 'both']);
    second.write('echo to $((1+1)) people\r');
    await first.shows('to 2 people');
    await second.shows('to 2 people');
    first.hangUp();
    second.write('echo still here\r');
    await second.shows('still here');
    expect(await state('both')).toBe('running 0');
    second.write('exit\r');
    expect(await second.exited).toBe(0);
  });

  it('exec -it: a terminal of its own size, Ctrl-C, exit code, detach', async () => {
    await docker.must(['run', '-d', '--name', 'host', 'busybox', 'sleep', '1000']);
    const terminal = type(['exec', '-it', '-e', 'MARK=set', '-w', '/tmp', 'host', 'sh']);
    await terminal.shows('/tmp #');
    terminal.write('echo $MARK; tty; stty size\r');
    await terminal.shows('/dev/pts/');
    await waitFor('the size', async () => {
      terminal.write('stty size\r');
      return terminal.screen().includes('30 90');
    });
    terminal.resize(70, 20);
    await waitFor('the new size', async () => {
      terminal.write('stty size\r');
      return terminal.screen().includes('20 70');
    });
    terminal.write('sleep 1000\r');
    await waitFor('sleep to run', async () => (await docker.must(['top', 'host'])).split('sleep 1000').length > 2);
    terminal.write(CTRL.c);
    terminal.write('exit 9\r');
    expect(await terminal.exited).toBe(9);

    const left = type(['exec', '-it', 'host', 'sh']);
    await left.shows('/ #');
    left.write(`${CTRL.p}${CTRL.q}`);
    await left.exited;
    expect(await docker.must(['top', 'host'])).toContain('sh');
    expect(await state('host')).toBe('running 0');
  });

  it('a terminal that reads nothing does not stall the container nor grow galleyd', async () => {
    await docker.must([
      'run',
      '-dt',
      '--name',
      'loud',
      'busybox',
      'sh',
      '-c',
      'head -c 20000000 /dev/zero | tr "\\0" x | fold -w 200; sleep 1000',
    ]);
    const silent = type(['attach', '--no-stdin', 'loud']);
    silent.pty.pause();
    await waitFor(
      'the output to be written',
      async () => !(await docker.must(['top', 'loud'])).includes('fold'),
      60_000,
    );
    silent.close();
  });
});
