/** The create body that galley sends is the docker CLI's, field for field: both talk to a server that only records. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { repositoryRoot } from '../fixtures/cache.ts';
import { comparing } from '../fixtures/comparing.ts';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { tool } from '../fixtures/exec.ts';

interface Recorded {
  url: string;
  body: unknown;
}

let folder: string;
let server: Server;
let docker: DockerCli;
let recorded: Recorded[] = [];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'galley-record-'));
  writeFileSync(path.join(folder, 'vars'), '# comment\nA=1\nHOME\nNOT_SET_ANYWHERE\n');
  writeFileSync(path.join(folder, 'labels'), 'x=1\ny\n');
  writeFileSync(path.join(folder, 'seccomp.json'), '{ "defaultAction": "SCMP_ACT_ALLOW" }');
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      // The versions that both speak, so that neither leaves a field out.
      response.setHeader('Api-Version', '1.50');
      response.setHeader('Ostype', 'linux');
      if (request.url?.endsWith('/_ping')) return response.end();
      // Without the version: galley's first request goes out in its own, docker's in that of its ping.
      recorded.push({
        url: request.url?.replace(/^\/v[\d.]+/, '') ?? '',
        body: text === '' ? undefined : JSON.parse(text),
      });
      response.statusCode = 201;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ Id: 'c'.repeat(64), Warnings: [] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(path.join(folder, 'sock'), resolve));
  docker = await dockerCli(`unix://${folder}/sock`);
});
afterAll(() => {
  docker?.close();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function galley(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return tool(process.execPath, ['--', path.join(repositoryRoot, 'src/main.ts'), ...args], { env: { ...docker.env } });
}

/** The docker CLI keeps these in a Go map first, so its order changes from run to run; ours is the order typed. */
const UNORDERED = new Set(['Binds', 'Env']);

/** Go leaves empty maps and lists out or writes null by the field; an engine reads both alike. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null)
    return value === '' || value === 0 || value === null ? undefined : value;
  const entries = Object.entries(value)
    .map(([key, one]) => [key, withoutEmpty(UNORDERED.has(key) && Array.isArray(one) ? one.toSorted() : one)] as const)
    .filter(([, one]) => one !== undefined && one !== false);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('create sends what the docker CLI sends', () => {
  comparing.each([
    'busybox echo hi',
    '-it busybox',
    '-i -a stdin -a stderr busybox cat',
    '--name web -p 8080:80 -p 127.0.0.1:53:53/udp -p 9000-9002:9000-9002 -p 7000-7005:70 -p 81 -p [::1]:82:82 --expose 99 --expose 100-102/udp -P nginx',
    '-v vol:/a -v /tmp:/b:ro -v /anon --tmpfs /t --tmpfs /u:size=1m,mode=755 --volumes-from x --read-only busybox',
    '--mount type=bind,src=/tmp,dst=/c,readonly,bind-propagation=rshared --mount type=volume,source=v,target=/d,volume-nocopy,volume-opt=o=x,volume-label=a=b --mount type=tmpfs,dst=/e,tmpfs-size=1m,tmpfs-mode=1770 busybox',
    '-m 64m --memory-reservation 32m --memory-swap -1 --memory-swappiness 10 --cpus 1.5 -c 512 --cpu-period 1000 --cpu-quota 2000 --cpuset-cpus 0-1 --cpuset-mems 0 --pids-limit 5 --oom-kill-disable --oom-score-adj 3 --cgroup-parent /p busybox',
    '--ulimit nofile=10:20 --ulimit core=0 --shm-size 1m --blkio-weight 300 --blkio-weight-device /dev/sda:200 --device-read-bps /dev/sda:1mb --device-write-iops /dev/sda:10 busybox',
    '--privileged --cap-add NET_ADMIN --cap-add sys_time --cap-drop ALL --security-opt no-new-privileges --security-opt systempaths=unconfined --device /dev/null --device /dev/zero:/dev/z:r --sysctl net.core.somaxconn=1 busybox',
    '--restart on-failure:3 --stop-signal INT --stop-timeout 5 --init --user 1:1 --group-add 5 -w /w --hostname h --domainname d busybox',
    '--restart unless-stopped --log-driver local --log-opt max-size=1m --label a=b -l c --annotation k=v busybox',
    '--health-cmd true --health-interval 1m30s --health-timeout 5s --health-retries 2 --health-start-period 1s busybox',
    '--no-healthcheck --entrypoint /bin/x busybox a b',
    '--entrypoint= busybox',
    '--network n --network-alias q --ip 10.0.0.9 --mac-address 02:42:ac:11:00:02 --dns 1.1.1.1 --dns-option ndots:1 --dns-search s --add-host a:1.2.3.4 --add-host b=host-gateway busybox',
    '--network host --ipc host --pid host --uts host --userns host --cgroupns private busybox',
    '--network name=n,alias=a,alias=b,driver-opt=x=y --network m busybox',
    '--link other:alias --runtime crun --gpus all --platform linux/amd64 --storage-opt size=1G busybox',
    '--rm --env-file VARS -e B=2 -e HOME -e NOT_SET_ANYWHERE --label-file LABELS --label z=3 busybox',
    '--security-opt seccomp=SECCOMP --security-opt apparmor=unconfined busybox',
    '--gpus 2 127.0.0.1:5000/a/b:c cmd -x --rm',
  ])('%s', async (line) => {
    const replaced = line
      .replace('VARS', `${folder}/vars`)
      .replace('LABELS', `${folder}/labels`)
      .replace('SECCOMP', `${folder}/seccomp.json`);
    const args = ['create', ...replaced.split(' ')];
    recorded = [];
    const theirs = await docker.run(args);
    const ours = await galley(args);
    expect(ours.stderr).toBe(theirs.stderr);
    expect(ours.stdout).toBe(theirs.stdout);
    expect(recorded).toHaveLength(2);
    const [first, second] = recorded as [Recorded, Recorded];
    expect(second.url).toBe(first.url);
    expect(withoutEmpty(second.body)).toEqual(withoutEmpty(first.body));
  });
});

describe('what is refused before an engine is asked', () => {
  comparing.each([
    '--network n --network n busybox',
    '--no-healthcheck --health-cmd x busybox',
    '--restart always --rm busybox',
    '--env-file /nonexistent busybox',
    '--health-retries -1 busybox',
    '-p 70000:80 busybox',
    '-p 80:80/foo busybox',
    '-p a:80 busybox',
    '--expose x busybox',
    '--security-opt foo busybox',
    '--mount type=bind busybox',
    '--mount type=bind,dst=/x,volume-nocopy busybox',
    '--ulimit foo=1 busybox',
    '--ulimit nofile=5:1 busybox',
    '--restart a:b busybox',
    '--add-host a:b busybox',
    '--device a:b:c:d busybox',
    '--device /a:/b:q busybox',
    '--device-cgroup-rule c1 busybox',
    '--sysctl a=1 busybox',
  ])('%s: same words, same exit code', async (line) => {
    const args = ['create', ...line.split(' ')];
    recorded = [];
    const [theirs, ours] = [await docker.run(args), await galley(args)];
    expect(ours.stderr).toBe(theirs.stderr.replaceAll('docker', 'galley'));
    expect(ours.code).toBe(theirs.code);
    expect(recorded).toEqual([]);
  });
});
