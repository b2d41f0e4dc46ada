/** Every action by its keys against the real engine, and the engine asked afterwards (issue 2, paragraph 2). */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { waitFor } from '../fixtures/exec.ts';
import { useEngine } from '../fixtures/use-engine.ts';
import { buildOnce, openDashboard } from './dashboard-kit.ts';

describe.skipIf(!isRoot)('actions of the dashboard (needs root)', () => {
  const kitchen = useEngine();
  let docker: DockerCli;
  beforeAll(async () => {
    if (!isRoot) return;
    await buildOnce();
    docker = await dockerCli(kitchen.engine.host);
    await docker.must(['pull', '-q', 'busybox']);
  });
  afterEach(async () => {
    if (!isRoot) return;
    const left = await docker.must(['ps', '-aq']);
    if (left !== '') await docker.must(['rm', '-f', ...left.split('\n')]);
    await docker.must(['volume', 'rm', '-f', 'cellar']);
  });
  const run = (name: string, ...more: string[]) =>
    docker.must(['run', '-d', '--name', name, '--stop-timeout', '1', ...more, 'busybox', 'sleep', '1000']);
  const stateOf = (name: string) => docker.must(['inspect', '-f', '{{.State.Status}}', name]);

  it('stops, starts, restarts, pauses, unpauses and kills what is selected', async () => {
    await run('pot');
    const started = () => docker.must(['inspect', '-f', '{{.State.StartedAt}}', 'pot']);
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows(/● running +pot/);

    terminal.write('s');
    await terminal.shows('= galley stop pot');
    // The right key, then Enter: the other button. Enter alone would be Cancel.
    terminal.write('\x1b[C');
    await terminal.shows('▸ Stop');
    terminal.write('\r');
    await terminal.shows('stopped pot');
    await terminal.shows(/■ exited 137 +pot/);
    expect(await stateOf('pot')).toBe('exited');

    terminal.write('s');
    await terminal.shows('started pot');
    await terminal.shows(/● running +pot/);

    const before = await started();
    terminal.write('r');
    await terminal.shows('Restart this container?');
    terminal.write('y');
    await terminal.shows('restarted pot');
    expect(await started()).not.toBe(before);

    terminal.write('p');
    await terminal.shows('Pause this container?');
    terminal.write('y');
    await terminal.shows(/‖ paused +pot/);
    expect(await stateOf('pot')).toBe('paused');
    terminal.write('p');
    await terminal.shows('unpaused pot');
    await terminal.shows(/● running +pot/);

    terminal.write('K');
    await terminal.shows('Kill this container?');
    terminal.write('n');
    await terminal.hides('Kill this container?');
    expect(await stateOf('pot')).toBe('running');
    terminal.write('K');
    await terminal.shows('Kill this container?');
    terminal.write('y');
    await terminal.shows('killed pot');
    await terminal.shows(/■ exited 137 +pot/);
  });

  it('marks several and does it to all of them, and to no others', async () => {
    for (const name of ['c-one', 'b-two', 'a-three']) await run(name);
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows(/● running +c-one/);
    terminal.write('og');
    await terminal.shows(/▸ ● running +a-three/);
    terminal.write(' ');
    await terminal.shows(/✓● running +a-three/);
    terminal.write(' ');
    await terminal.shows('2 marked');
    terminal.write('d');
    await terminal.shows('Remove these 2 containers?');
    await terminal.shows('= galley rm -f -v a-three b-two');
    terminal.write('y');
    await terminal.shows('removed a-three b-two');
    await terminal.hides(/running +(b-two|a-three)/);
    expect(await docker.must(['ps', '-a', '--format', '{{.Names}}'])).toBe('c-one');
    await terminal.hides('marked');
  });

  it('says in the engine’s words why something cannot be done, and goes on', async () => {
    await docker.must(['volume', 'create', 'cellar']);
    await run('pot', '-v', 'cellar:/data');
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows(/● running +pot/);
    terminal.write('3');
    await terminal.shows(/▸ +cellar +local +1/);
    terminal.write('d');
    await terminal.shows('Remove this volume?');
    terminal.write('y');
    await terminal.shows('✗ remove cellar: volume is in use');
    terminal.write('j1');
    await terminal.hides('✗ remove cellar');
    await terminal.shows(/● running +pot/);
    await docker.must(['rm', '-f', 'pot']);
    terminal.write('3');
    await terminal.shows(/▸ +cellar +local +-/);
    terminal.write('dy');
    await terminal.shows('removed cellar');
    await terminal.shows('No volumes');
    expect(await docker.must(['volume', 'ls', '-q'])).toBe('');
  });

  it('images, volumes and networks come and go by themselves; removing asks first', async () => {
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows('2 images 1');
    terminal.write('2');
    await terminal.shows(/▸ +busybox:latest/);
    await docker.must(['tag', 'busybox', 'kettle:1']);
    await terminal.shows('2 images 1');
    await docker.must(['rmi', 'busybox']);
    await terminal.shows(/▸ +kettle:1/);
    terminal.write('d');
    await terminal.shows('Remove this image?');
    terminal.write('y');
    await terminal.shows('No images yet. P pulls one by name');
    expect(await docker.must(['images', '-q'])).toBe('');

    terminal.write('4');
    await terminal.shows(/bridge +bridge/);
    await docker.must(['network', 'create', 'pantry']);
    await terminal.shows(/pantry +bridge/);
    terminal.write('G');
    await terminal.shows(/▸ +pantry/);
    terminal.write('d');
    await terminal.shows('Remove this network?');
    terminal.write('y');
    await terminal.hides(/pantry +bridge/);
    expect(await docker.must(['network', 'ls', '--format', '{{.Name}}'])).not.toContain('pantry');
    await docker.must(['pull', '-q', 'busybox']);
  });

  it('pulls an image by name with its layers; a wrong name is an error that can be mended', async () => {
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows('No containers yet');
    terminal.write('P');
    await terminal.shows('Pull an image');
    terminal.write('Nonsense::');
    await terminal.shows('Name: Nonsense::');
    terminal.write('\r');
    await terminal.shows('✗ invalid reference format');
    terminal.write('\r');
    await terminal.shows('Name: Nonsense::');
    const none = kitchen.nginx.replace(':latest', ':none');
    terminal.write(`\x15${none}`);
    await terminal.shows(`Name: ${none}`);
    terminal.write('\r');
    await terminal.shows(`✗ manifest for ${none} not found`);
    terminal.write('\r\x15nginx\r');
    await terminal.shows(/[0-9a-f]{12} (Pull complete|Already exists)/);
    await terminal.shows('✓ Status: Downloaded newer image for nginx:latest');
    terminal.write('\x1b');
    await terminal.hides('✓ Status');
    await terminal.shows('2 images 2');
    expect(await docker.must(['images', '-q', 'nginx'])).toMatch(/^[0-9a-f]{12}$/);
  });

  it('runs a container from typed words, the image of the selected row given; a mistake is mended where it was made', async () => {
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows('N runs one');
    terminal.write('N');
    await terminal.shows('galley run -d ▏');
    terminal.write('--nonsense busybox\r');
    await terminal.shows('unknown flag: --nonsense');
    expect(await docker.must(['ps', '-aq'])).toBe('');
    terminal.write("\x15--name pan -e 'A=1 2' busybox sleep 1000\r");
    await terminal.shows(/▸ ● running +pan/);
    expect(await docker.must(['exec', 'pan', 'sh', '-c', 'echo "$A"'])).toBe('1 2');
    terminal.write('2');
    await terminal.shows(/▸ +busybox:latest/);
    terminal.write('N');
    await terminal.shows('galley run -d busybox:latest▏');
    terminal.write(' sh -c "exit 3"\r');
    await terminal.shows(/exited 3/);
    terminal.write('\x1b');
  });

  it('copies through the terminal and saves logs to a file', async () => {
    await docker.must(['run', '-d', '--name', 'pot', 'busybox', 'sh', '-c', 'echo salt; echo pepper; sleep 1000']);
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows('pepper');
    const copied = (text: string) => `\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`;
    terminal.write('y');
    await terminal.shows('galley exec -it pot sh');
    terminal.write('\r');
    await terminal.shows('copied the name');
    expect(terminal.output()).toContain(copied('pot'));
    terminal.write('ly');
    await terminal.shows('copied the text on the screen');
    expect(terminal.output()).toContain(copied('salt\npepper'));
    terminal.write('\x13');
    await terminal.shows(/2 lines are in \S+/);
    const [file = ''] = fs.readdirSync(kitchen.engine.folder).filter((name) => name.startsWith('pot-logs-'));
    expect(fs.readFileSync(path.join(kitchen.engine.folder, file), 'utf8')).toBe('salt\npepper\n');
  });

  it('a tag that moves leaves no old row', async () => {
    await docker.must(['pull', '-q', 'nginx']);
    await docker.must(['tag', 'busybox', 'moving:1']);
    using terminal = openDashboard(kitchen, 140, 40);
    await terminal.shows('2 images');
    terminal.write('2/moving\r');
    const owner = () => /moving:1 +([0-9a-f]{12})/.exec(terminal.screen())?.[1];
    const idOf = async (name: string) => (await docker.must(['inspect', '-f', '{{.Id}}', name])).slice(7, 19);
    await docker.must(['rmi', '-f', 'busybox']);
    const old = await idOf('moving:1');
    await waitFor('the first owner', () => owner() === old);
    await docker.must(['tag', 'nginx', 'moving:1']);
    const next = await idOf('moving:1');
    expect(next).not.toBe(old);
    await waitFor('the tag to be gone from its old row', () => !new RegExp(`moving:1 +${old}`).test(terminal.screen()));
    terminal.write('\x1b\x1b');
    await terminal.shows(new RegExp(`<none>:<none> +${old}`));
    await docker.must(['rmi', '-f', old, next]);
    await docker.must(['pull', '-q', 'busybox']);
  });

  it('jumps from a container to its image and volumes, and back', async () => {
    await run('pot', '-v', 'cellar:/data');
    await run('pan');
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows(/● running +pan/);
    terminal.write('/pot\r');
    await terminal.shows(/▸ ● running +pot/);
    terminal.write('J');
    await terminal.shows('From pot to');
    await terminal.shows(/volume at \/data/);
    terminal.write('j\r');
    await terminal.shows(/▸ +cellar/);
    await terminal.shows(/● running +pot +\/data/);
    terminal.write('J');
    await terminal.shows(/▸ ● running +pot/);
    terminal.write('\x0f');
    await terminal.shows(/▸ +cellar/);
    terminal.write('\x0f');
    await terminal.shows(/▸ ● running +pot/);
  });

  it('filters, orders and shows only what runs', async () => {
    await run('apple');
    await run('banana');
    await docker.must(['run', '--name', 'cherry', 'busybox', 'true']);
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows(/cherry/);
    terminal.write('/ban');
    await terminal.hides(/apple/);
    await terminal.shows('/ban 1');
    terminal.write('\x7f\x7f\x7fstate:exited\r');
    await terminal.hides(/running +banana/);
    await terminal.shows(/▸ ■ exited 0 +cherry/);
    terminal.write('\x1b');
    await terminal.shows(/apple/);
    terminal.write('A');
    await terminal.hides('cherry');
    await terminal.shows('running only');
    terminal.write('A');
    await terminal.shows('cherry');
    const names = () => [...terminal.screen().matchAll(/(?:running|exited 0) +(\w+)/g)].map((match) => match[1]);
    terminal.write('o');
    await terminal.shows('NAME▲');
    expect(names()).toEqual(['apple', 'banana', 'cherry']);
    terminal.write('O');
    await terminal.shows('NAME▼');
    expect(names()).toEqual(['cherry', 'banana', 'apple']);
  });

  it('finds actions by name in the palette; a paste is never a command', async () => {
    await run('pot');
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows(/● running +pot/);
    terminal.write(':volumes');
    await terminal.shows(/▸Go to the volumes/);
    terminal.write('\r');
    await terminal.shows('No volumes');
    terminal.write('1\x1b[200~dy\ndy\x1b[201~');
    await terminal.shows('nothing here takes text');
    expect(await stateOf('pot')).toBe('running');
    terminal.write('P\x1b[200~some/name:1\n\x1b[201~');
    await terminal.shows('Name: some/name:1▏');
    terminal.write('\x1b');
    await terminal.hides('Name: some');
    terminal.write(':q');
    await terminal.shows(/▸Back, or quit/);
    terminal.write('\r');
    expect(await terminal.exited).toBe(0);
  });
});
