/** A shell in a container and an attached process take the whole terminal and give it back (issue 2, paragraph 2). */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { waitFor } from '../fixtures/exec.ts';
import { useEngine } from '../fixtures/use-engine.ts';
import { buildOnce, openDashboard } from './dashboard-kit.ts';

describe.skipIf(!isRoot)('sessions of the dashboard (needs root)', () => {
  const kitchen = useEngine();
  let docker: DockerCli;
  beforeAll(async () => {
    if (!isRoot) return;
    await buildOnce();
    docker = await dockerCli(kitchen.engine.host);
    await docker.must(['pull', '-q', 'busybox']);
  });
  const remove = (name: string) => docker.run(['rm', '-f', name]);
  afterEach(() => remove('inn'));

  it('e opens a shell of the size of the terminal; exit comes back, twice', async () => {
    await docker.must(['run', '-d', '--name', 'inn', 'busybox', 'sleep', '1000']);
    using terminal = openDashboard(kitchen, 90, 30);
    await terminal.shows(/running +inn/);
    for (const round of [1, 2]) {
      // The first round is still on the screen under the second: each has its own answers.
      terminal.write('e');
      await waitFor('the shell', () => terminal.screen().split('Shell in inn').length === round + 1);
      expect(terminal.emulator.buffer.active.type).toBe('normal');
      terminal.write(`stty size; echo $((41*${round}))\r`);
      await terminal.shows(new RegExp(`30 90\\s+${41 * round}\\s`));
      // Keys that mean something to the dashboard belong to the shell here.
      terminal.write(`echo q:?d${round}\r`);
      await terminal.shows(`\nq:?d${round}`);
      // A new size goes through the engine: it is there a moment later.
      terminal.resize(100, 31 + round);
      terminal.write(`until stty size | grep "${31 + round} 100"; do sleep 0.1; done; echo 42 > /tmp/answer\r`);
      await terminal.shows(`\n${31 + round} 100`);
      terminal.resize(90, 30);
      terminal.write(`exit ${round}\r`);
      await terminal.shows(`shell in inn ended with ${round}`);
      await terminal.shows('● live');
      expect(terminal.emulator.buffer.active.type).toBe('alternate');
      expect(terminal.lines()[0]).toMatch(/^ galley /);
    }
    expect(await docker.must(['exec', 'inn', 'cat', '/tmp/answer'])).toBe('42');
    // The keys are the dashboard's again, and so is the frame.
    terminal.write('?');
    await terminal.shows('Show the logs');
    terminal.write('q');
    terminal.resize(120, 35);
    await waitFor('the wider frame', () =>
      /^┏━ 1 containers .*┓$/.test(terminal.lines()[1]?.padEnd(120).slice(0, 120) ?? ''),
    );
  });

  it('ctrl-p ctrl-q leaves the shell, typed together or apart', async () => {
    await docker.must(['run', '-d', '--name', 'inn', 'busybox', 'sleep', '1000']);
    using terminal = openDashboard(kitchen, 90, 30);
    await terminal.shows(/running +inn/);
    for (const [round, keys] of [['\x10\x11'], ['\x10', '\x11']].entries()) {
      terminal.write('e');
      await waitFor('the prompt', () => terminal.screen().split('/ # ').length === round + 2);
      for (const key of keys) {
        terminal.write(key);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await terminal.shows('left the shell in inn running');
    }
  });

  it('a attaches to a terminal and back; the container runs on', async () => {
    await docker.must(['run', '-dit', '--name', 'inn', 'busybox', 'sh']);
    using terminal = openDashboard(kitchen, 90, 30);
    await terminal.shows(/running +inn/);
    terminal.write('a');
    await terminal.shows('Attached to inn; ctrl-p ctrl-q comes back');
    terminal.write('echo $((40+2)); stty size\r');
    await terminal.shows(/42\s+30 90/);
    terminal.write('\x10\x11');
    await terminal.shows('detached from inn, which runs on');
    expect(await docker.must(['inspect', '-f', '{{.State.Running}}', 'inn'])).toBe('true');
  });

  it('a attaches to a process without a terminal: lines come straight, ctrl-c only comes back', async () => {
    const script = 'while :; do echo one; echo two; sleep 1; done';
    await docker.must(['run', '-d', '--name', 'inn', 'busybox', 'sh', '-c', script]);
    using terminal = openDashboard(kitchen, 90, 30);
    await terminal.shows(/running +inn/);
    terminal.write('a');
    await terminal.shows('Attached to inn');
    await terminal.shows(/^one\ntwo$/m);
    terminal.write('\x03');
    await terminal.shows('detached from inn, which runs on');
    expect(await docker.must(['inspect', '-f', '{{.State.Running}}', 'inn'])).toBe('true');
  });

  it('says why there can be no shell', async () => {
    await docker.must(['create', '--name', 'inn', 'busybox', 'true']);
    using terminal = openDashboard(kitchen, 90, 30);
    await terminal.shows(/created +inn/);
    terminal.write('e');
    await terminal.shows('inn is not running: start it with s, then e opens a shell');
    await remove('inn');
    const nobody = ['run', '-d', '--name', 'inn', '-v', '/nowhere:/bin', '--entrypoint', '/usr/sbin/nginx'];
    await docker.must([...nobody, 'nginx', '-g', 'daemon off;']);
    await terminal.shows(/running +inn/);
    terminal.write('e');
    await terminal.shows('no shell in inn: the image has no /bin/sh');
    await terminal.shows('● live');
  });

  it('ends with its container and says so', async () => {
    await docker.must(['run', '-d', '--name', 'inn', 'busybox', 'sleep', '1000']);
    using terminal = openDashboard(kitchen, 90, 30);
    await terminal.shows(/running +inn/);
    terminal.write('e');
    await terminal.shows(/# $/m);
    await remove('inn');
    await terminal.shows('No containers yet');
    terminal.write('q');
    expect(await terminal.exited).toBe(0);
  });
});
