/** A client that reads slowly holds its own exec up: nothing is cut off, galleyd keeps no heap of it, and the container runs on. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { tool } from '../fixtures/exec.ts';
import { useEngine } from '../fixtures/use-engine.ts';

/** Longer than galleyd waits for the rest of an output whose process has ended. */
const NAP_S = 4;

describe.skipIf(!isRoot)('slow readers of an exec (root)', () => {
  const kitchen = useEngine();

  it.each([1_400_000, 40_000_000])('gives a reader that sleeps first all of %i bytes', async (size) => {
    const { engine, busybox } = kitchen;
    const docker = await dockerCli(engine.host);
    const name = `slow${size}`;
    await docker.must(['run', '-d', '--name', name, busybox, 'sh', '-c', 'while sleep 0.1; do echo tick; done']);
    const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${engine.pid()}/status`, 'utf8'))?.[1]);
    const before = memory();
    const script = `${docker.path} exec ${name} dd if=/dev/zero bs=100000 count=${size / 100_000} 2>/dev/null | (sleep ${NAP_S}; wc -c)`;
    const reading = tool('sh', ['-c', script], { env: docker.env });
    await new Promise((resolve) => setTimeout(resolve, (NAP_S * 1000) / 2));
    expect(memory() - before).toBeLessThan(30_000);
    const ticks = async () => (await docker.must(['logs', name])).split('\n').length;
    const seen = await ticks();
    expect((await reading).stdout.trim()).toBe(String(size));
    expect(await ticks()).toBeGreaterThan(seen);
    await docker.must(['rm', '-f', name]);
    docker.close();
  });
});
