/** Logs, stats and inspect on the screen, and the screen in every size (issue 2, paragraph 2). */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { waitFor } from '../fixtures/exec.ts';
import type { Terminal } from '../fixtures/terminal.ts';
import { useEngine } from '../fixtures/use-engine.ts';
import { buildOnce, openDashboard } from './dashboard-kit.ts';

describe.skipIf(!isRoot)('what the dashboard shows (needs root)', () => {
  const kitchen = useEngine();
  let docker: DockerCli;
  beforeAll(async () => {
    if (!isRoot) return;
    await buildOnce();
    docker = await dockerCli(kitchen.engine.host);
    await docker.must(['pull', '-q', 'busybox']);
  });
  afterEach(async () => {
    if (isRoot) await docker.run(['rm', '-f', 'pot']);
  });
  const pot = (script: string, ...more: string[]) =>
    docker.must(['run', '-d', '--name', 'pot', ...more, 'busybox', 'sh', '-c', script]);
  /** Every row exactly as wide as the terminal, the frame closed at both sides. */
  function expectWholeFrame(terminal: Terminal): void {
    const lines = terminal.lines();
    const { cols, rows } = terminal.emulator;
    expect(lines).toHaveLength(rows);
    const { active } = terminal.emulator.buffer;
    for (let row = 1; row < rows - 2; row += 1) {
      expect(lines[row]).toMatch(/^[┏┃┗╭│╰]/);
      expect(
        active
          .getLine(active.viewportY + row)
          ?.getCell(cols - 1)
          ?.getChars(),
      ).toMatch(/[┓┃┛╮│╯]/);
    }
  }
  /** The style of the first cell of `text` on the screen. */
  function cellOf(terminal: Terminal, text: string) {
    const row = terminal.lines().findIndex((line) => line.includes(text));
    const column = terminal.lines()[row]?.indexOf(text) ?? -1;
    return terminal.emulator.buffer.active.getLine(row)?.getCell(column);
  }

  it('follows the logs, stands still when told to, and follows again', async () => {
    await pot('i=0; while :; do i=$((i+1)); echo "line $i."; sleep 0.2; done');
    using terminal = openDashboard(kitchen, 80, 24);
    await terminal.shows(/line \d+\./);
    terminal.write('l');
    await terminal.shows(/line ([2-9]\d|\d{3})\./);
    // The newest line is the last one in the window.
    await waitFor('scrolling', () => !terminal.screen().includes('line 1.'));
    terminal.write('f');
    await terminal.shows('paused, f follows');
    const still = terminal.lines().slice(10, 20);
    const { length } = terminal.output();
    await waitFor('more lines to be counted', () => terminal.output().length > length + 100);
    expect(terminal.lines().slice(10, 20)).toEqual(still);
    terminal.write('k');
    await waitFor('one line up', () => terminal.lines()[11] === still[0]);
    terminal.write('G');
    await terminal.shows('following');
    terminal.write('g');
    await terminal.shows('line 1.');
    await terminal.shows('paused');
    terminal.write('f');
    await terminal.hides('line 1.');
    // A restart goes on in the same window.
    const newest = () =>
      Number(
        terminal
          .screen()
          .match(/line (\d+)\./g)
          ?.at(-1)
          ?.slice(5, -1),
      );
    const before = newest();
    await docker.must(['restart', '-t', '0', 'pot']);
    await waitFor('lines counted anew', () => newest() < before);
    await terminal.shows('following');
    expectWholeFrame(terminal);
  });

  it('finds words in the logs, to the next and the one before', async () => {
    await pot(
      'for i in $(seq 100); do echo "row $i"; done; echo needle one; for i in $(seq 100); do echo "low $i"; done; echo Needle two; echo end; sleep 1000',
    );
    using terminal = openDashboard(kitchen, 80, 24);
    await terminal.shows('end');
    terminal.write('l/needle');
    await terminal.shows('search / needle');
    terminal.write('\r');
    await terminal.shows('Needle two');
    await terminal.shows('2 of 2 lines with needle');
    terminal.write('N');
    await terminal.shows('needle one');
    await terminal.shows('1 of 2 lines with needle');
    expect(cellOf(terminal, 'needle one')?.isInverse()).toBeTruthy();
    terminal.write('N');
    await terminal.shows('search goes on from the end');
    await terminal.shows('Needle two');
    terminal.write('n');
    await terminal.shows('search goes on from the top');
    terminal.write('/nowhere\r');
    await terminal.shows('nothing here has nowhere');
    terminal.write('\x1b');
    await terminal.hides('nothing here');
    expectWholeFrame(terminal);
  });

  it('draws any output without breaking a row: colours, wide letters, rewritten lines, escapes, lines without end', async () => {
    const script = [
      "printf '\\033[31mred\\033[0m plain\\n'",
      "printf '\\033[48;5;22;97mboxed\\033[0m\\n'",
      "printf '漢字テスト %s\\n' \"$(head -c 200 /dev/zero | tr '\\0' x)\"",
      "printf 'progress 1%%\\rprogress 100%%\\n'",
      "printf 'a\\tb\\007\\033[2J\\033[9;9Hc\\033]0;title\\007\\n'",
      'head -c 90000 /dev/zero | tr "\\0" y; echo',
      'i=0; while [ $i -lt 256 ]; do printf "$(printf \'\\\\%03o\\\\%03o\' $i $((i*7%256)))"; i=$((i+1)); done; echo',
      'echo last; sleep 1000',
    ].join('; ');
    await pot(script);
    using terminal = openDashboard(kitchen, 80, 30);
    await terminal.shows('last');
    terminal.write('lz');
    await terminal.shows('progress 100%');
    await terminal.shows(/漢字テスト x+/);
    expect(terminal.screen()).not.toContain('progress 1%');
    await terminal.shows('a       bc');
    expectWholeFrame(terminal);
    expect(cellOf(terminal, 'red plain')?.getFgColor()).toBe(1);
    expect(cellOf(terminal, ' plain')?.isFgDefault()).toBe(true);
    expect([cellOf(terminal, 'boxed')?.getBgColor(), cellOf(terminal, 'boxed')?.getFgColor()]).toEqual([22, 15]);
    terminal.write('w');
    await terminal.shows('wrapped');
    expectWholeFrame(terminal);
    terminal.write('gw');
    await terminal.hides('wrapped');
    for (let at = 0; at < 8; at += 1) terminal.write('l');
    await terminal.shows('from column 129');
    expectWholeFrame(terminal);
    terminal.write('t');
    await terminal.hides('from column 129 · time · 0 lines');
    await terminal.shows('time');
  });

  it('without colours it is told apart by signs and attributes', async () => {
    await pot("printf '\\033[31mred\\033[0m\\n'; sleep 1000");
    using terminal = openDashboard(kitchen, 80, 24, { env: { NO_COLOR: '1' } });
    await terminal.shows('red');
    await terminal.shows(/▸ ● running +pot/);
    const { active } = terminal.emulator.buffer;
    for (let row = 0; row < 24; row += 1)
      for (let column = 0; column < 80; column += 1) {
        const cell = active.getLine(row)?.getCell(column);
        expect(cell?.isFgDefault() && cell.isBgDefault()).toBe(true);
      }
    expect(cellOf(terminal, '▸ ● running')?.isInverse()).toBeTruthy();
  });

  it('a CI variable takes neither keys nor colours away', async () => {
    await pot('sleep 1000');
    using terminal = openDashboard(kitchen, 80, 24, { env: { CI: 'true' } });
    await terminal.shows(/● running +pot/);
    terminal.write('/');
    await terminal.shows('filter /');
    expect(cellOf(terminal, '● live')?.getFgColor()).toBe(2);
  });

  it('shows cpu and memory of what runs, as docker stats does, and says what does not run', async () => {
    await pot('while :; do :; done', '--cpus', '0.2', '-m', '64m');
    using terminal = openDashboard(kitchen, 100, 40);
    await terminal.shows(/● running +pot +busybox +\d+\.\d%/);
    terminal.write('t');
    await terminal.shows(/CPU +\d+\.\d\d%/);
    await terminal.shows(/MEMORY +[\d.]+[KM]iB of 64MiB/);
    await terminal.shows(/[▁▂▃▄▅▆▇█]{3}/, 20_000);
    const cpu = () => Number(/CPU +(\d+\.\d\d)%/.exec(terminal.screen())?.[1]);
    await waitFor('about a fifth of a cpu', () => cpu() > 12 && cpu() < 28);
    expectWholeFrame(terminal);
    await docker.must(['kill', 'pot']);
    await terminal.shows('not running: s starts it');
  });

  it('inspects everything, searchable', async () => {
    await pot('sleep 1000', '-e', 'SPICE=saffron');
    using terminal = openDashboard(kitchen, 100, 40);
    await terminal.shows(/● running +pot/);
    terminal.write('i');
    await terminal.shows('"Id": "');
    terminal.write('/saffron\r');
    await terminal.shows('"SPICE=saffron"');
    await terminal.shows('1 of 1 lines');
    terminal.write('\x1b');
    await terminal.hides('1 of 1 lines');
    terminal.write('2');
    await terminal.shows('[history]');
    await terminal.shows('MADE BY');
    terminal.write(']');
    await terminal.shows(/● running +pot +sh -c/);
    terminal.write(']');
    await terminal.shows('"RepoTags": [');
    expectWholeFrame(terminal);
  });

  it('any keys in any order break no frame, and change nothing without a confirmation', async () => {
    await pot('i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.3; done');
    await docker.must(['volume', 'create', 'cellar']);
    const known = () => docker.must(['ps', '-a', '--format', '{{.Names}} {{.State}}']);
    const before = await known();
    using terminal = openDashboard(kitchen, 100, 30);
    await terminal.shows(/running +pot/);
    // Everything but what leaves (q, ctrl-c, ctrl-z), takes the terminal (e, a), starts or chooses an engine (S, @) and says yes (y, Enter).
    const keys = [
      ...'jkgGlhti/x[]1234+- *oOAJ:?drKpnNfwP',
      ...['\x1b', '\t', '\x1b[Z', '\x1b[A', '\x1b[B', '\x1b[C', '\x1b[D', '\x1b[5~', '\x1b[6~'],
      ...[
        '\x04',
        '\x15',
        '\x06',
        '\x02',
        '\x0f',
        '\x12',
        '\x0c',
        '\x7f',
        'é',
        '日',
        '\x1b[<0;10;5M',
        '\x1b[200~dy\ny\x1b[201~',
      ],
    ];
    let seed = 20261127;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed % below;
    };
    for (let at = 0; at < 500; at += 1) {
      if (random(50) === 0) terminal.resize(60 + random(150), 15 + random(40));
      terminal.write(keys[random(keys.length)] ?? '');
      await new Promise((resolve) => setTimeout(resolve, random(15)));
    }
    terminal.resize(100, 30);
    for (let at = 0; at < 6; at += 1) {
      terminal.write('\x1b');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    terminal.write('1');
    await terminal.shows(/^┏━ 1 containers .*┓$/m);
    await waitFor('a whole frame', () => terminal.lines()[29]?.includes('q quit'));
    expectWholeFrame(terminal);
    expect(await known()).toBe(before);
    expect(await docker.must(['volume', 'ls', '-q'])).toBe('cellar');
    terminal.write('q');
    expect(await terminal.exited).toBe(0);
    await docker.must(['volume', 'rm', 'cellar']);
  });

  it('fills the window in every size, says when it is too small, and where it is connected', async () => {
    await pot('echo hello; sleep 1000');
    using terminal = openDashboard(kitchen, 200, 50);
    await terminal.shows('hello');
    for (const [columns, rows] of [
      [80, 24],
      [60, 15],
      [139, 30],
      [200, 50],
      [300, 80],
      [80, 24],
    ] as const) {
      terminal.resize(columns, rows);
      await waitFor(`a frame of ${columns}x${rows}`, () => {
        const lines = terminal.lines();
        return lines[rows - 1]?.includes('q quit') && lines[rows - 3]?.startsWith('╰') && lines[1]?.length === columns;
      });
      expectWholeFrame(terminal);
      // Address and engine are never cut at 80 cells and more.
      if (columns >= 80) expect(terminal.lines()[0]).toContain(`galleyd 0.1.0  ${kitchen.engine.host}`);
      expect(terminal.lines()[0]).toContain('● live');
      expect(terminal.lines()[rows - 1]).toContain('? help');
    }
    terminal.resize(59, 20);
    await terminal.shows('Too small: 59x20.');
    terminal.resize(80, 24);
    await terminal.hides('Too small');
    await terminal.shows('hello');
  });
});
