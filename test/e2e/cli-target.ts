/** The engines that client and command line are tested against: galleyd, and Debian's dockerd as the original. */
import path from 'node:path';
import { repositoryRoot } from '../fixtures/cache.ts';
import { startDockerd } from '../fixtures/dockerd.ts';
import { startEngine } from '../fixtures/engine.ts';
import { busyboxImage, pushImage } from '../fixtures/images.ts';
import { startRegistry } from '../fixtures/registry.ts';

export interface Target {
  host: string;
  /** Full name of a busybox in a registry that the engine can pull from. */
  image: string;
  registry: string;
  stop(): Promise<void>;
}

async function galleyd(): Promise<Target> {
  const registry = await startRegistry();
  const image = await pushImage(registry, 'library/busybox:latest', await busyboxImage());
  const engine = await startEngine();
  return {
    host: engine.host,
    image,
    registry: registry.host,
    stop: async () => {
      await engine.purge();
      await registry.stop();
    },
  };
}

async function dockerd(): Promise<Target> {
  const engine = await startDockerd();
  const registry = await startRegistry({ address: engine.hostAddress });
  const image = await pushImage(registry, 'library/busybox:latest', await busyboxImage());
  return {
    host: engine.host,
    image,
    registry: registry.host,
    stop: async () => {
      await engine.stop();
      await registry.stop();
    },
  };
}

const wanted = process.env['GALLEY_TEST_DOCKERD'] ?? '';

/** galleyd; with GALLEY_TEST_DOCKERD=1 dockerd too, with `only` dockerd alone (then a failing test is wrong, not galleyd). */
export const TARGETS: [name: string, start: () => Promise<Target>][] = [
  ...(wanted === 'only' ? [] : ([['galleyd', galleyd]] as [string, () => Promise<Target>][])),
  ...(wanted ? ([['dockerd', dockerd]] as [string, () => Promise<Target>][]) : []),
];

/** Arguments to this Node that run galley's command line from its sources. */
export const galleyProgram: readonly string[] = ['--', path.join(repositoryRoot, 'src/main.ts')];
