/** Many lives through one galleyd: descriptors, processes, mounts and folders are as before. Needs root. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { waitFor } from '../fixtures/exec.ts';
import { useEngine } from '../fixtures/use-engine.ts';

const CYCLES = process.env.GALLEY_TEST_LONG === '1' ? 170 : 12;

describe.skipIf(!isRoot)('what a galleyd holds (root)', () => {
  const kitchen = useEngine();

  /** Kinds of open descriptors with their counts; threads and pools settle in the first cycles. */
  function open(pid: number): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      let target: string;
      try {
        target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        continue; // closed while we looked
      }
      const kind = target.replace(/:\[\d+\]$/, '').replace(/[0-9a-f]{12,}/g, 'X');
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return counts;
  }

  it('is the same after containers, execs and attached clients came and went', async () => {
    const { engine, busybox } = kitchen;
    const docker = await dockerCli(engine.host);
    await docker.must(['run', '-d', '--name', 'leaks', busybox, 'sleep', '3600']);
    const cycle = async (n: number) => {
      expect(await docker.must(['run', '--rm', busybox, 'echo', `run ${n}`])).toBe(`run ${n}`);
      expect(await docker.must(['exec', 'leaks', 'echo', `exec ${n}`])).toBe(`exec ${n}`);
      expect((await docker.run(['exec', 'leaks', 'not-there'])).code).toBe(127);
      expect((await docker.run(['run', '--rm', busybox, 'not-there'])).code).toBe(127);
      await docker.must(['exec', '-d', 'leaks', 'true']);
      expect(await docker.must(['run', '-i', '--rm', busybox, 'cat'], { input: `in ${n}` })).toBe(`in ${n}`);
    };
    const seen = () => ({
      descriptors: open(engine.pid()),
      folders: ['b', 'x', 'exits', 's/runc'].map((name) => readdirSync(path.join(engine.execRoot, name)).length),
      mounts: readFileSync('/proc/self/mountinfo', 'utf8').split(`${engine.folder}/`).length,
      children: readFileSync(`/proc/${engine.pid()}/task/${engine.pid()}/children`, 'utf8').trim(),
    });
    for (let n = 0; n < 4; n += 1) await cycle(n);
    // What follows a client's last byte (an exec's clean-up, the pool's refill) may still be under way.
    const settled = async () => {
      let last = '';
      await waitFor(
        'quiet',
        () => {
          const now = JSON.stringify(seen());
          const same = now === last;
          last = now;
          return (
            same &&
            new Promise((resolve) => setTimeout(() => resolve(true), 500)).then(() => JSON.stringify(seen()) === now)
          );
        },
        20_000,
      );
      return seen();
    };
    const before = await settled();
    for (let n = 0; n < CYCLES; n += 1) await cycle(n);
    const { descriptors, ...rest } = await settled();
    // Fewer is no leak: a thread that unpacked the image goes after a while, with its pipes.
    const grown = Object.entries(descriptors).filter(([kind, count]) => count > (before.descriptors[kind] ?? 0));
    expect(grown).toEqual([]);
    expect(rest).toEqual({ folders: before.folders, mounts: before.mounts, children: before.children });
    await docker.must(['rm', '-f', 'leaks']);
    docker.close();
  }, 1_800_000);
});
