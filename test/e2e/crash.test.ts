/**
 * kill -9 of galleyd at random moments of create, start, stop, delete and exec, again and again over one data root (design section 4):
 * what ran runs on, no log line and no exit code is lost, a removal that was asked for is done, nothing is left. `npm run test:long` does
 * more rounds; GALLEY_TEST_SEED repeats one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { dockerCli } from '../fixtures/docker.ts';
import { type Answer, isRoot } from '../fixtures/engine.ts';
import { waitFor } from '../fixtures/exec.ts';
import { useEngine } from '../fixtures/use-engine.ts';

const LONG = process.env['GALLEY_TEST_LONG'] === '1';
const ROUNDS = LONG ? 60 : 4;
const SEED = Number(process.env['GALLEY_TEST_SEED'] ?? 20261127);

/** mulberry32 */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface State {
  State: { Status: string; ExitCode: number; Pid: number };
  RestartCount: number;
}

describe.skipIf(!isRoot)(`kill -9 at any moment, seed ${SEED} (needs root)`, () => {
  const kitchen = useEngine();
  const random = randomOf(SEED);
  beforeAll(async () => {
    if (!isRoot) return;
    const docker = await dockerCli(kitchen.engine.host);
    await docker.must(['pull', '-q', 'busybox']);
    docker.close();
  });

  /** undefined: galleyd was killed before it answered. */
  const ask = async (method: string, url: string, body?: unknown): Promise<Answer | undefined> => {
    try {
      return await kitchen.engine.request(method, url, body);
    } catch {
      return undefined;
    }
  };
  const create = (name: string, script: string, more: object = {}) =>
    ask('POST', `/containers/create?name=${name}`, { Image: 'busybox', Cmd: ['sh', '-c', script], ...more });
  const inspect = async (name: string): Promise<State | undefined> => {
    const answer = await kitchen.engine.request('GET', `/containers/${name}/json`);
    return answer.status === 404 ? undefined : answer.json<State>();
  };
  /** Without the frames' headers: each line is a frame or a part of one. */
  const logOf = async (name: string) => {
    const docker = await dockerCli(kitchen.engine.host);
    try {
      return await docker.must(['logs', name]);
    } finally {
      docker.close();
    }
  };
  const traces = () => ({
    roots: readdirSync(path.join(kitchen.engine.dataRoot, 'roots')).length,
    folders: readdirSync(path.join(kitchen.engine.dataRoot, 'containers')).length,
    bundles: readdirSync(path.join(kitchen.engine.execRoot, 'b')).length,
    execs: readdirSync(path.join(kitchen.engine.execRoot, 'x')).length,
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${kitchen.engine.folder}/data/roots`)).length,
  });

  /** What one actor did before galleyd died, as the checks need it. */
  interface Deed {
    name: string;
    check(): Promise<void>;
  }

  /** Runs to its own end: its code and its words must be there, whoever watched. */
  async function finisher(name: string): Promise<Deed> {
    const code = 1 + random(100);
    const wait = (random(15) / 10).toFixed(1);
    const made = await create(name, `echo begun; sleep ${wait}; echo ended; exit ${code}`);
    const started = made?.status === 201 ? await ask('POST', `/containers/${name}/start`) : undefined;
    return {
      name,
      async check() {
        const now = await inspect(name);
        if (started?.status === 204) {
          expect(now, `${name} was started and is gone`).toBeDefined();
          await waitFor(`${name} to end`, async () => (await inspect(name))?.State.Status === 'exited');
          expect([name, (await inspect(name))?.State.ExitCode]).toEqual([name, code]);
          expect(await logOf(name)).toBe('begun\nended');
        } else if (made?.status === 201) expect(now, `${name} was created and is gone`).toBeDefined();
      },
    };
  }

  async function stopper(name: string): Promise<Deed> {
    const made = await create(name, 'trap "exit 4" TERM; while :; do sleep 0.05; done');
    const started = made?.status === 201 ? await ask('POST', `/containers/${name}/start`) : undefined;
    const stopped = started?.status === 204 ? await ask('POST', `/containers/${name}/stop?t=5`) : undefined;
    return {
      name,
      async check() {
        const now = await inspect(name);
        if (stopped?.status === 204) expect([now?.State.Status, now?.State.ExitCode]).toEqual(['exited', 4]);
        if (started?.status === 204 && now?.State.Status === 'running') {
          process.kill(now.State.Pid, 0);
          expect((await kitchen.engine.request('POST', `/containers/${name}/stop?t=5`)).status).toBe(204);
          expect((await inspect(name))?.State.ExitCode).toBe(4);
        }
      },
    };
  }

  async function remover(name: string): Promise<Deed> {
    const made = await create(name, 'sleep 1000', { Volumes: { '/data': {} } });
    const started = made?.status === 201 ? await ask('POST', `/containers/${name}/start`) : undefined;
    const removed = started?.status === 204 ? await ask('DELETE', `/containers/${name}?force=1&v=1`) : undefined;
    return {
      name,
      async check() {
        const now = await inspect(name);
        if (removed?.status === 204) expect(now).toBeUndefined();
        // Asked for and cut: either it never began, or it is finished at boot.
        else if (now) expect(['created', 'running', 'exited']).toContain(now.State.Status);
      },
    };
  }

  async function runner(name: string): Promise<Deed> {
    const made = await create(name, 'exit 3', { HostConfig: { AutoRemove: true } });
    const started = made?.status === 201 ? await ask('POST', `/containers/${name}/start`) : undefined;
    return {
      name,
      async check() {
        // --rm holds over the death of galleyd.
        if (started?.status === 204) await waitFor(`${name} to be removed`, async () => !(await inspect(name)));
      },
    };
  }

  async function executor(name: string): Promise<Deed> {
    for (let n = 0; n < 4; n += 1) {
      const made = await ask('POST', '/containers/ticker-0/exec', { Cmd: ['sh', '-c', `sleep 0.${random(9)}`] });
      if (made?.status !== 201) break;
      await ask('POST', `/exec/${made.json<{ Id: string }>().Id}/start`, { Detach: true });
    }
    return {
      name,
      check: async () => {
        await waitFor('execs to be cleaned up', () => traces().execs === 0);
      },
    };
  }
  const ACTORS = [finisher, stopper, remover, runner, executor];

  it(
    `${ROUNDS} deaths`,
    async () => {
      const tick = 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.02; done';
      for (const n of [0, 1]) {
        await create(`ticker-${n}`, tick);
        expect((await ask('POST', `/containers/ticker-${n}/start`))?.status).toBe(204);
      }
      await create('phoenix', 'sleep 0.3; exit 1', { HostConfig: { RestartPolicy: { Name: 'always' } } });
      expect((await ask('POST', '/containers/phoenix/start'))?.status).toBe(204);
      const pids = await Promise.all([0, 1].map(async (n) => (await inspect(`ticker-${n}`))?.State.Pid));

      for (let round = 0; round < ROUNDS; round += 1) {
        const actors = Array.from({ length: 5 }, (_, n) =>
          (ACTORS[random(ACTORS.length)] as (name: string) => Promise<Deed>)(`r${round}-${n}`),
        );
        await sleep(random(700));
        await kitchen.engine.kill9();
        const deeds = await Promise.all(actors);
        if (random(2) === 1) await sleep(random(1500)); // what ends meanwhile ends unwatched
        await kitchen.engine.start();
        await waitFor('the restore', () => kitchen.engine.log().includes('galleyd is ready'));
        for (const { check } of deeds) await check();
        for (const { name } of deeds) await ask('DELETE', `/containers/${name}?force=1&v=1`);
        for (const n of [0, 1]) {
          const now = await inspect(`ticker-${n}`);
          expect([now?.State.Status, now?.State.Pid]).toEqual(['running', pids[n]]);
        }
        const phoenix = await inspect('phoenix');
        expect(['running', 'restarting']).toContain(phoenix?.State.Status);
        await waitFor('only the three are left', () => traces().folders === 3 && traces().roots === 3);
      }

      for (const n of [0, 1]) {
        await kitchen.engine.request('POST', `/containers/ticker-${n}/kill`);
        const lines = (await logOf(`ticker-${n}`)).split('\n');
        expect(lines.length).toBeGreaterThan(10);
        expect(lines).toEqual(lines.map((_, at) => String(at)));
      }
      for (const name of ['ticker-0', 'ticker-1', 'phoenix'])
        expect((await kitchen.engine.request('DELETE', `/containers/${name}?force=1&v=1`)).status).toBe(204);
      expect(traces()).toEqual({ roots: 0, folders: 0, bundles: 0, execs: 0, mounts: 0 });
      const { Volumes } = (await kitchen.engine.request('GET', '/volumes')).json<{ Volumes: unknown[] }>();
      expect(Volumes).toEqual([]);
    },
    LONG ? 900_000 : 180_000,
  );
});
