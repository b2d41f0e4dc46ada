/** `npm run bench pull`: a cold pull of a many-layer image by galleyd (both layer drivers) and by a real dockerd, interleaved, each on a fresh file system. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createLayerStore } from '../../daemon/layers/index.ts';
import { Database } from '../../daemon/state/index.ts';
import { createLog } from '../../daemon/system/log.ts';
import { repositoryRoot } from '../fixtures/cache.ts';
import { unpackedDebs } from '../fixtures/debs.ts';
import { dockerCli } from '../fixtures/docker.ts';
import { startDockerd } from '../fixtures/dockerd.ts';
import { requestUnix, startEngine } from '../fixtures/engine.ts';
import { mustRun, tool } from '../fixtures/exec.ts';
import { buildImage, pushImage, type TestImage } from '../fixtures/images.ts';
import { type Registry, startRegistry } from '../fixtures/registry.ts';

const LAYERS = 12;
const PROGRAMS = ['python3', 'perl', 'gcc', 'git', 'vim', 'emacs-nox'];
const rounds = Number(process.env.GALLEY_BENCH_ROUNDS ?? 5);

/** The packages that PROGRAMS need, in groups of about the same size. */
async function groups(): Promise<string[][]> {
  const options = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((one) => `--no-${one}`);
  const listed = await mustRun('apt-cache', ['depends', '--recurse', ...options, ...PROGRAMS]);
  const names = [...new Set(listed.split('\n').filter((line) => /^[a-z]/.test(line)))];
  const sizes: [string, number][] = [];
  for (const name of names) {
    const shown = await tool('apt-cache', ['show', '--no-all-versions', name]);
    const size = Number(/^Installed-Size: (\d+)/m.exec(shown.stdout)?.[1] ?? 0);
    if (shown.code === 0 && size > 0) sizes.push([name, size]);
  }
  const bins: { names: string[]; size: number }[] = Array.from({ length: LAYERS - 1 }, () => ({ names: [], size: 0 }));
  for (const [name, size] of sizes.sort((a, b) => b[1] - a[1])) {
    const smallest = bins.reduce((least, bin) => (bin.size < least.size ? bin : least));
    smallest.names.push(name);
    smallest.size += size;
  }
  return bins.map((bin) => bin.names);
}

/** python3, perl, gcc, git, vim and emacs from Debian's packages, and the project's own node: 12 layers, more than 500 MiB. */
async function largeImage(): Promise<TestImage> {
  const filled: ((root: string) => Promise<void>)[] = [];
  for (const [index, names] of (await groups()).entries()) {
    const folder = await unpackedDebs(`bench-${index}`, names);
    filled.push(async (root) => void (await mustRun('cp', ['-a', `${folder}/.`, root])));
  }
  filled.push(async (root) => {
    fs.mkdirSync(path.join(root, 'usr/local/bin'), { recursive: true });
    fs.copyFileSync(process.execPath, path.join(root, 'usr/local/bin/node'));
    fs.chmodSync(path.join(root, 'usr/local/bin/node'), 0o755);
  });
  return buildImage({ name: 'bench-large', key: [1, PROGRAMS], layers: filled, settings: { Cmd: ['sh'] } });
}

/** A fresh ext4 in a file; gives back how to take it away. */
async function freshFileSystem(folder: string): Promise<() => Promise<void>> {
  const file = `${folder}.img`;
  fs.rmSync(file, { force: true });
  await mustRun('truncate', ['-s', '6G', file]);
  await mustRun('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', file]);
  fs.mkdirSync(folder, { recursive: true });
  await mustRun('mount', ['-o', 'loop', file, folder]);
  return async () => {
    await tool('umount', ['-R', '-l', folder]);
    fs.rmSync(file, { force: true });
  };
}

/** Proportional memory of a process and all below it, in MiB. */
function memoryOf(pid: number): number {
  const children = new Map<number, number[]>();
  for (const entry of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const parent = Number(/\) \S (\d+)/.exec(fs.readFileSync(`/proc/${entry}/stat`, 'utf8'))?.[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It ended while we looked.
    }
  }
  const sum = (at: number): number => {
    let kib = 0;
    try {
      kib = Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${at}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      // It ended while we looked.
    }
    return kib + (children.get(at) ?? []).reduce((total, child) => total + sum(child), 0);
  };
  return sum(pid) / 1024;
}

/** Seconds of processor that a process and its children, also those that have ended, took so far. */
function processorOf(pid: number): number {
  const ticks = (at: number): number => {
    try {
      const fields = (fs.readFileSync(`/proc/${at}/stat`, 'utf8').split(') ')[1] ?? '').split(' ');
      const own = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      const children = fs.readFileSync(`/proc/${at}/task/${at}/children`, 'utf8').trim().split(' ').filter(Boolean);
      return own + children.reduce((sum, child) => sum + ticks(Number(child)), 0);
    } catch {
      return 0; // it ended while we looked
    }
  };
  return ticks(pid) / 100;
}

interface Measured {
  pull: number;
  processor: number;
  remove: number;
  diskMiB: number;
  peakMiB: number;
  pings: number[];
}

async function pullWith(
  side: { socket: string; host: string; pid: number },
  image: string,
  dataRoot: string,
): Promise<Measured> {
  const cli = await dockerCli(side.host);
  const pings: number[] = [];
  let peakMiB = 0;
  let done = false;
  const watch = (async () => {
    while (!done) {
      const start = performance.now();
      await requestUnix(side.socket, 'GET', '/containers/json');
      pings.push(performance.now() - start);
      if (side.pid > 0 && pings.length % 8 === 0) peakMiB = Math.max(peakMiB, memoryOf(side.pid));
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  })();
  try {
    const before = processorOf(side.pid);
    const start = performance.now();
    await cli.must(['pull', '-q', image], { timeoutMs: 300_000 });
    const pull = performance.now() - start;
    const processor = processorOf(side.pid) - before;
    done = true;
    await watch;
    await mustRun('sync', ['-f', dataRoot]);
    const diskMiB = Number((await mustRun('du', ['-sxm', dataRoot])).split('\t')[0]);
    const removing = performance.now();
    await cli.must(['rmi', image]);
    return { pull, processor, remove: performance.now() - removing, diskMiB, peakMiB, pings };
  } finally {
    done = true;
    cli.close();
  }
}

async function galleyRound(registry: Registry, image: string, driver: string): Promise<Measured> {
  const dataRoot = path.join(os.tmpdir(), `gbench-${process.pid}`);
  const unmount = await freshFileSystem(dataRoot);
  try {
    const engine = await startEngine({ dataRoot, args: ['--layer-driver', driver] });
    try {
      const side = { socket: engine.socket, host: engine.host, pid: engine.pid() };
      return await pullWith(side, `${registry.host}/${image}`, dataRoot);
    } finally {
      await engine.stop();
    }
  } finally {
    await unmount();
  }
}

async function dockerdRound(image: TestImage, name: string): Promise<Measured> {
  const dataRoot = path.join(os.tmpdir(), `gbenchd-${process.pid}`);
  const unmount = await freshFileSystem(dataRoot);
  try {
    const dockerd = await startDockerd(['--data-root', dataRoot]);
    const near = await startRegistry({ address: dockerd.hostAddress });
    try {
      await pushImage(near, name, image);
      return await pullWith(
        {
          socket: dockerd.socket,
          host: dockerd.host,
          pid: Number(fs.readFileSync(path.join(path.dirname(dockerd.socket), 'pid'), 'utf8')),
        },
        `${near.host}/${name}`,
        dataRoot,
      );
    } finally {
      await near.stop();
      await dockerd.stop();
    }
  } finally {
    await unmount();
  }
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;
const percentile = (values: number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] as number;

/** Time to mount a container's root over 12 and over 128 layers, cold (the layers are not mounted) and warm, in ms. */
async function mountTimes(driver: 'erofs' | 'dirs', count: number): Promise<[cold: number, warm: number]> {
  const dataRoot = fs.mkdtempSync(path.join(os.tmpdir(), 'gbenchm-'));
  const db = new Database(path.join(dataRoot, 'galley.db'));
  const store = createLayerStore({ db, dataRoot, log: createLog('error'), driver });
  const sha = (data: Buffer | string) => `sha256:${createHash('sha256').update(data).digest('hex')}`;
  const times: [number[], number[]] = [[], []];
  try {
    let parent: string | null = null;
    for (let i = 0; i < count; i += 1) {
      const tar = Buffer.from(
        await mustRun('sh', ['-c', `cd "$(mktemp -d)" && echo ${i} > f${i} && tar -c . && rm -r "$PWD"`]),
        'latin1',
      );
      const diffId = sha(tar);
      const chainId: string = parent === null ? diffId : sha(`${parent} ${diffId}`);
      await store.unpack({ chainId, parent, diffId, tar: Readable.from([tar]) });
      parent = chainId;
    }
    for (let round = 0; round < 9; round += 1) {
      await store.close();
      await store.createRoot('bench', parent);
      for (const kind of [0, 1] as const) {
        const start = performance.now();
        await store.mountRoot('bench');
        times[kind].push(performance.now() - start);
        await store.unmountRoot('bench');
      }
      await store.removeRoot('bench');
    }
    return [median(times[0]), median(times[1])];
  } finally {
    await store.close();
    db.close();
    fs.rmSync(dataRoot, { recursive: true, force: true });
  }
}

/** Runs it and prints the table; also into docs/bench-pull.md. */
export async function benchPull(): Promise<void> {
  const image = await largeImage();
  const registry = await startRegistry();
  const sides: Record<string, Measured[]> = { dockerd: [], erofs: [], dirs: [] };
  try {
    await pushImage(registry, 'bench/large', image);
    for (let round = 0; round < rounds; round += 1) {
      const order = ['dockerd', 'erofs', 'dirs'];
      if (round % 2) order.reverse();
      for (const side of order) {
        const measured =
          side === 'dockerd'
            ? await dockerdRound(image, 'bench/large')
            : await galleyRound(registry, 'bench/large', side);
        sides[side]?.push(measured);
        process.stderr.write(`${side}: ${(measured.pull / 1000).toFixed(2)} s\n`);
      }
    }
  } finally {
    await registry.stop();
  }
  const mib = image.blobs.slice(1).reduce((sum, blob) => sum + blob.size, 0) / 1048576;
  const peer = median((sides.dockerd as Measured[]).map((one) => one.pull));
  const lines = [
    `Medians of ${rounds} rounds in turn, each on a fresh ext4; ${image.diffIds.length} layers, ${mib.toFixed(0)} MiB compressed; ${os.cpus().length} cores (${os.cpus()[0]?.model.trim()}), Linux ${os.release()}, Node ${process.version}.`,
    '',
    '| | pull, s | ratio | processor, s | slowest 1 % of answers meanwhile, ms | peak memory, MiB | on disk, MiB | remove, s |',
    '|---|---|---|---|---|---|---|---|',
    ...Object.entries(sides).map(([side, all]) => {
      const pull = median(all.map((one) => one.pull));
      const cells = [
        side,
        (pull / 1000).toFixed(2),
        (pull / peer).toFixed(2),
        median(all.map((one) => one.processor)).toFixed(1),
        percentile(
          all.flatMap((one) => one.pings),
          0.99,
        ).toFixed(1),
        Math.max(...all.map((one) => one.peakMiB)).toFixed(0),
        median(all.map((one) => one.diskMiB)).toFixed(0),
        (median(all.map((one) => one.remove)) / 1000).toFixed(2),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    '',
    '| mounting a root, ms | 12 layers, first / again | 128 layers, first / again |',
    '|---|---|---|',
  ];
  for (const driver of ['erofs', 'dirs'] as const) {
    const few = await mountTimes(driver, 12);
    const many = await mountTimes(driver, 128);
    lines.push(
      `| ${driver} | ${few.map((ms) => ms.toFixed(1)).join(' / ')} | ${many.map((ms) => ms.toFixed(1)).join(' / ')} |`,
    );
  }
  const text = `${lines.join('\n')}\n`;
  process.stdout.write(text);
  fs.mkdirSync(path.join(repositoryRoot, 'docs'), { recursive: true });
  fs.writeFileSync(path.join(repositoryRoot, 'docs/bench-pull.md'), `# What a cold pull costs\n\n${text}`);
}
