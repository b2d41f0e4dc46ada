/** Completion in a real interactive bash: what Tab puts on the line. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../fixtures/cache.ts';
import { isRoot } from '../fixtures/engine.ts';
import { mustRun } from '../fixtures/exec.ts';
import { openTerminal } from '../fixtures/terminal.ts';
import { useEngine } from '../fixtures/use-engine.ts';
import { galleyProgram } from './cli-target.ts';

describe.skipIf(!isRoot)('Tab in bash (needs root)', () => {
  const kitchen = useEngine();
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'galley-tab-'));
  let env: Record<string, string>;
  beforeAll(async () => {
    const program = [process.execPath, ...galleyProgram].join(' ');
    fs.writeFileSync(path.join(work, 'galley'), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
    env = { PATH: `${work}:${process.env['PATH']}`, HOME: work, DOCKER_HOST: kitchen.engine.host, PS1: 'ready> ' };
    for (const args of [
      ['run', '-d', '--name', 'website', 'busybox', 'sleep', '600'],
      ['volume', 'create', 'volcano'],
    ])
      await mustRun(path.join(work, 'galley'), args, { env });
  });
  afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

  it('completes commands, flags, and the names of what is there', async () => {
    const pty = openTerminal('bash', ['--noprofile', '--norc', '-i'], { columns: 100, rows: 30, env });
    await pty.shows('ready>');
    pty.write(`. ${path.join(repositoryRoot, 'assets/completions/galley.bash')}; echo load""ed\r`);
    await pty.shows(/^loaded/m);
    for (const [typed, becomes] of [
      ['galley vol', 'galley volume '],
      ['galley volume ins', 'galley volume inspect '],
      ['galley volume rm volc', 'galley volume rm volcano '],
      ['galley exec -it web', 'galley exec -it website '],
      ['galley run --entry', 'galley run --entrypoint '],
      ['galley rmi busy', 'galley rmi busybox'],
    ] as const) {
      pty.write(`${typed}\t`);
      await pty.shows(becomes);
      // Away with the line, so that the next begins anew.
      pty.write('\x15');
      await pty.hides(`ready> ${becomes}`);
    }
    pty.write('exit\r');
    expect(await pty.exited).toBe(0);
    await mustRun(path.join(work, 'galley'), ['rm', '-f', 'website'], { env });
  });
});
