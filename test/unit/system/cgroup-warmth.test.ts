import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { warmCgroups } from '../../../daemon/system/cgroup-warmth.ts';

it('moves this process nowhere, throws nothing, and comes to an end', async () => {
  const where = () => readFileSync('/proc/self/cgroup', 'utf8');
  const before = where();
  warmCgroups();
  warmCgroups();
  await sleep(5);
  expect(where()).toBe(before);
  const writes = () => Number(/syscw: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  // Over when two looks with a pause between them see no write of its own; it lasts moments, so a few looks are enough.
  for (let i = 0; i < 50; i += 1) {
    const seen = writes();
    await sleep(100);
    if (writes() === seen) return;
  }
  throw new Error('it goes on and on');
});
