/** The same dashboard over a real dockerd: it speaks nothing but the Engine API, so it must work there unchanged. */
import os from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { dockerCli } from '../fixtures/docker.ts';
import { dockerdAvailable, startDockerd } from '../fixtures/dockerd.ts';
import { isRoot } from '../fixtures/engine.ts';
import { busyboxImage, pushImage } from '../fixtures/images.ts';
import { startRegistry } from '../fixtures/registry.ts';
import { openTerminal } from '../fixtures/terminal.ts';
import { buildOnce, galleyBundle } from './dashboard-kit.ts';

const available = isRoot && (await dockerdAvailable());

describe.skipIf(!available)('the dashboard over dockerd (needs root and a dockerd)', () => {
  beforeAll(buildOnce);

  it('shows what happens there, its logs and stats; shell and removal by keys', { timeout: 180_000 }, async () => {
    const peer = await startDockerd();
    const registry = await startRegistry({ address: peer.hostAddress });
    const docker = await dockerCli(peer.host);
    try {
      const reference = await pushImage(registry, 'library/busybox', await busyboxImage());
      await docker.must(['pull', '-q', reference]);
      const terminal = openTerminal(process.execPath, [galleyBundle, '-H', peer.host], {
        columns: 110,
        rows: 30,
        env: { PATH: process.env.PATH ?? '', HOME: os.tmpdir() },
      });
      await terminal.shows('● live');
      expect(terminal.lines()[0]).toMatch(/dockerd \d+\.\d+/);
      const script = 'while :; do echo steam; sleep 1; done';
      await docker.must(['run', '-d', '--name', 'pot', '--stop-timeout', '1', reference, 'sh', '-c', script]);
      await terminal.shows(/● running +pot/);
      await terminal.shows('steam');
      terminal.write('t');
      await terminal.shows(/CPU +\d+\.\d\d%/);
      terminal.write('q');
      await terminal.shows(/▸ ● running +pot/);
      terminal.write('e');
      await terminal.shows(/\/ # /);
      terminal.write('exit 7\r');
      await terminal.shows('shell in pot ended with 7');
      await docker.must(['tag', reference, 'kettle:1']);
      terminal.write('2');
      await terminal.shows(/kettle:1 +[0-9a-f]{12}/);
      await docker.must(['rmi', 'kettle:1']);
      await terminal.hides('kettle:1');
      terminal.write('1d');
      await terminal.shows('Remove this container?');
      terminal.write('y');
      await terminal.shows('No containers yet');
      expect(await docker.must(['ps', '-aq'])).toBe('');
      terminal.write('q');
      expect(await terminal.exited).toBe(0);
      terminal.close();
    } finally {
      docker.close();
      await registry.stop();
      await peer.stop();
    }
  });
});
