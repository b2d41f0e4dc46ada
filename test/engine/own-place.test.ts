/** galleyd outlives whoever started it: a session and a cgroup of its own, both gone after a purge. Needs root. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isRoot, startEngine } from '../fixtures/engine.ts';

describe.skipIf(!isRoot)('the place of galleyd (root)', () => {
  it('is its own, again after a kill, and purge leaves no cgroup', async () => {
    const engine = await startEngine();
    const look = () => {
      const stat = readFileSync(`/proc/${engine.pid()}/stat`, 'utf8').split(') ')[1]?.split(' ');
      expect(stat?.[3]).toBe(String(engine.pid())); // the session
      const cgroups = readFileSync(`/proc/${engine.pid()}/cgroup`, 'utf8').trim().split('\n');
      const others = cgroups.filter((line) => !line.includes(':cpuset') && !line.endsWith(`:/${engine.name}/galleyd`));
      expect(others).toEqual([]);
    };
    try {
      look();
      await engine.kill9();
      await engine.start();
      look();
    } finally {
      await engine.purge(); // throws, naming it, when a cgroup is left
    }
  });
});
