/**
 * Records test/screens/facts.json off a real engine with work to do: what the golden screens are drawn from.
 * Needs root, as galleyd does. Afterwards `vitest run test/screens -u` draws them anew; the change is to be read as text.
 */
import fs from 'node:fs';
import path from 'node:path';
import { createClient, parseHost } from '../src/client/index.ts';
import {
  createCoalesced,
  createDetailTask,
  createStatsFeed,
  type DetailRequest,
  type DetailState,
  type Facts,
  NO_DETAIL,
  NO_FACTS,
  nameOf,
  startSync,
} from '../src/store/index.ts';
import { dockerCli } from '../test/fixtures/docker.ts';
import { startEngine } from '../test/fixtures/engine.ts';
import { waitFor } from '../test/fixtures/exec.ts';
import { busyboxImage, nginxImage, pushImage } from '../test/fixtures/images.ts';
import { startRegistry } from '../test/fixtures/registry.ts';
import { setScene } from '../test/fixtures/scene.ts';

const target = path.join(import.meta.dirname, '../test/screens/facts.json');
const SAMPLES = 40;

const registry = await startRegistry();
try {
  await pushImage(registry, 'library/busybox:latest', await busyboxImage());
  await pushImage(registry, 'library/nginx:latest', await nginxImage());
  const engine = await startEngine({ mirrors: [registry.url] });
  const docker = await dockerCli(engine.host);
  const client = createClient(parseHost(engine.host, 'host flag'));
  try {
    await setScene(docker);
    const facts = createCoalesced<Facts>(NO_FACTS, 0);
    const sync = startSync(client, facts, (message) => console.error(message));
    await waitFor('the lists', () => facts.current().connection.state === 'connected');
    const byName = (name: string) => {
      const found = [...facts.current().containers.values()].find((one) => nameOf(one) === name);
      if (!found) throw new Error(`the scene has no container ${name}`);
      return found;
    };
    const feed = createStatsFeed(client, facts);
    const running = [...facts.current().containers.values()].filter((one) => one.State === 'running');
    feed.want(running.map((one) => one.Id));
    await waitFor(
      'samples',
      () => running.every((one) => (facts.current().stats.get(one.Id)?.length ?? 0) >= SAMPLES),
      SAMPLES * 2000,
    );
    const details: Record<string, DetailState['lines']> = {};
    for (const request of [
      { kind: 'logs', id: byName('worker-1').Id, timestamps: false },
      { kind: 'inspect', pane: 'containers', id: byName('worker-1').Id },
      { kind: 'history', id: byName('front').ImageID },
    ] satisfies DetailRequest[]) {
      const detail = createCoalesced<DetailState>(NO_DETAIL, 0);
      const task = createDetailTask(client, detail);
      task.show(request);
      await waitFor(request.kind, () => detail.current().lines.length > 0);
      await new Promise((resolve) => setTimeout(resolve, 500));
      details[request.kind] = detail.current().lines;
      task.stop();
    }
    feed.stop();
    sync.stop();
    const now = facts.current();
    const recorded = {
      now: Date.now(),
      engine: now.engine,
      containers: [...now.containers],
      images: [...now.images],
      volumes: [...now.volumes],
      networks: [...now.networks],
      stats: [...now.stats].map(([id, ring]) => [id, ring.slice(0, SAMPLES)]),
      details,
    };
    fs.writeFileSync(target, `${JSON.stringify(recorded, null, 1)}\n`);
    console.log(`${path.relative(process.cwd(), target)}: ${fs.statSync(target).size} bytes`);
  } finally {
    await client.close();
    const left = await docker.must(['ps', '-aq']);
    if (left !== '') await docker.must(['rm', '-f', ...left.split('\n')]);
    docker.close();
    await engine.purge();
  }
} finally {
  await registry.stop();
}
process.exit(0);
