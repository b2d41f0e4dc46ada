/** docker-compose 1.29 (Debian's, unpacked) on galleyd: a project with two services, aliases, a link, a volume and a health condition. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unpackedDebs } from '../fixtures/debs.ts';
import { isRoot } from '../fixtures/engine.ts';
import { tool, waitFor } from '../fixtures/exec.ts';
import { useEngine } from '../fixtures/use-engine.ts';

const PROJECT = `
version: "2.4"
services:
  db:
    image: busybox
    command: sh -c 'echo rows > /data/x; exec httpd -f -p 5432 -h /data'
    volumes: ["data:/data"]
    networks: {back: {aliases: [database]}}
    healthcheck: {test: ["CMD", "test", "-s", "/data/x"], interval: 1s, timeout: 2s, retries: 5}
  web:
    image: busybox
    command: sh -c 'wget -q -O /x http://database:5432/x; exec httpd -f -p 8000 -h /'
    depends_on: {db: {condition: service_healthy}}
    networks: [back, front]
    links: ["db:linked"]
    ports: ["8000"]
networks:
  back: {ipam: {config: [{subnet: 10.199.77.0/24}]}}
  front: {}
volumes: {data: {}}
`;

async function composeFiles(): Promise<string | undefined> {
  if (!isRoot || (await tool('python3', ['--version'])).code !== 0) return undefined;
  const shown = await tool('apt-cache', [
    'depends',
    '--recurse',
    ...['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((what) => `--no-${what}`),
    'docker-compose',
  ]);
  const packages = [...new Set(shown.stdout.match(/^(python3-[a-z0-9.-]+|docker-compose)$/gm))];
  return packages.includes('docker-compose') ? unpackedDebs('docker-compose', packages) : undefined;
}
const files = await composeFiles();

describe.skipIf(!files)('docker-compose 1.29 on galleyd (needs root, python3, docker-compose)', () => {
  const kitchen = useEngine();
  let folder: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gnc-'));
    fs.writeFileSync(path.join(folder, 'docker-compose.yml'), PROJECT);
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  const compose = (...args: string[]) =>
    tool('python3', [path.join(files as string, 'usr/bin/docker-compose'), '-p', 'shop', ...args], {
      cwd: folder,
      env: {
        ...process.env,
        DOCKER_HOST: kitchen.engine.host,
        PYTHONPATH: path.join(files as string, 'usr/lib/python3/dist-packages'),
      },
    });
  const must = async (...args: string[]) => {
    const result = await compose(...args);
    expect(result.code, result.stderr).toBe(0);
    return result.stdout;
  };
  const names = async (what: string) => {
    const listed = (await kitchen.engine.request('GET', `/${what}`)).json<unknown>();
    const items = (what === 'volumes' ? (listed as { Volumes: { Name: string }[] }).Volumes : listed) as {
      Name: string;
    }[];
    return items
      .map(({ Name }) => Name)
      .filter((name) => name.startsWith('shop_'))
      .sort();
  };

  it('brings a project up, scales it, changes nothing the second time, and takes it down', async () => {
    await must('up', '-d');
    expect(await names('networks')).toEqual(['shop_back', 'shop_front']);
    expect(await names('volumes')).toEqual(['shop_data']);
    const [port] = /\d+$/.exec((await must('port', 'web', '8000')).trim()) ?? [];
    await waitFor('the page', async () => (await (await fetch(`http://127.0.0.1:${port}/x`)).text()) === 'rows\n');
    for (const name of ['db', 'database', 'linked', 'shop_db_1'])
      expect(await must('exec', '-T', 'web', 'wget', '-q', '-O', '-', `http://${name}:5432/x`)).toBe('rows\n');
    await must('up', '-d', '--scale', 'web=3');
    const addresses = (await must('exec', '-T', 'db', 'nslookup', 'web')).match(/10\.199\.77\.\d+/g);
    expect(new Set(addresses).size).toBe(3);
    const again = await compose('up', '-d', '--scale', 'web=3');
    expect(again.stderr).not.toMatch(/Recreating|Creating/);
    await must('down', '-v');
    expect([await names('networks'), await names('volumes')]).toEqual([[], []]);
  }, 180_000);
});
