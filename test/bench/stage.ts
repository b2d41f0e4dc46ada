/** A galleyd and, where it can be had, a real dockerd, both with the image `bench` (busybox). */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../fixtures/cache.ts';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { dockerdAvailable, startDockerd } from '../fixtures/dockerd.ts';
import { isRoot, startEngine } from '../fixtures/engine.ts';
import { busyboxImage, pushImage } from '../fixtures/images.ts';
import { startRegistry } from '../fixtures/registry.ts';

export interface Side {
  /** `galleyd` or `dockerd`. */
  name: string;
  host: string;
  socket: string;
  cli: DockerCli;
  /** Every process of this engine names it in its command line. */
  folder: string;
}

export interface Stage {
  galley: Side;
  dockerd: Side | undefined;
  /** Version of the dockerd, `none` where there is none. */
  peerVersion: string;
}

async function sideOf(name: string, host: string, folder: string, image: string): Promise<Side> {
  const cli = await dockerCli(host);
  await cli.must(['pull', '-q', image]);
  await cli.must(['tag', image, 'bench']);
  return { name, host, socket: host.slice('unix://'.length), cli, folder };
}

/** Sets both up, runs `work`, and takes everything away again, also when it is cut by a signal. */
export async function onStage(work: (stage: Stage) => Promise<void>): Promise<void> {
  if (!isRoot) throw new Error('the bench starts engines: run it as root');
  const closers: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void close().then(() => process.exit(130)));
  try {
    const engine = await startEngine({ execOnTmpfs: true });
    closers.push(() => engine.purge());
    const image = await busyboxImage();
    const registry = await startRegistry();
    closers.push(registry.stop);
    const reference = await pushImage(registry, 'library/bench', image);
    const galley = await sideOf('galleyd', engine.host, engine.folder, reference);
    closers.push(galley.cli.close);
    let dockerd: Side | undefined;
    if (await dockerdAvailable()) {
      const peer = await startDockerd([], { execOnTmpfs: true });
      closers.push(peer.stop);
      const near = await startRegistry({ address: peer.hostAddress });
      closers.push(near.stop);
      dockerd = await sideOf(
        'dockerd',
        peer.host,
        path.dirname(peer.socket),
        await pushImage(near, 'library/bench', image),
      );
      closers.push(dockerd.cli.close);
    }
    const peerVersion = dockerd ? await dockerd.cli.must(['version', '--format', '{{.Server.Version}}']) : 'none';
    await work({ galley, dockerd, peerVersion });
  } finally {
    await close();
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function machine(): string {
  return `${os.cpus().length} cores (${os.cpus()[0]?.model.trim()}), Linux ${os.release()}, Node ${process.version}`;
}

/** Shows a page and keeps it in docs/. */
export function publish(file: string, title: string, body: string): void {
  process.stdout.write(body);
  fs.mkdirSync(path.join(repositoryRoot, 'docs'), { recursive: true });
  fs.writeFileSync(path.join(repositoryRoot, 'docs', file), `# ${title}\n\n${body}`);
}
