/** Many containers, ten at a time: every exit code and every line is there. `npm run test:long` takes two hundred with a thousand lines. */
import { describe, expect, it } from 'vitest';
import { isRoot, requestUnix } from '../fixtures/engine.ts';
import { useEngine } from '../fixtures/use-engine.ts';

const LONG = process.env.GALLEY_TEST_LONG === '1';
const MANY = LONG ? 200 : 20;
const LINES = LONG ? 1000 : 300;
const AT_ONCE = 10;

describe.skipIf(!isRoot)('a crowd of containers (root)', () => {
  const kitchen = useEngine();

  it('loses no line and mixes up no code', async () => {
    const { engine, busybox } = kitchen;
    const ask = async (method: string, url: string, body?: unknown) => {
      const answer = await requestUnix(engine.socket, method, url, body);
      if (answer.status >= 300) throw new Error(`${method} ${url}: ${answer.status} ${answer.text}`);
      return answer;
    };
    await ask('POST', `/images/create?fromImage=${encodeURIComponent(busybox)}`);
    const script = `i=0; while [ $i -lt ${LINES} ]; do echo "$N line $i"; i=$((i+1)); done; exit $N`;
    const wrong: string[] = [];
    const one = async (n: number) => {
      const body = { Image: busybox, Cmd: ['sh', '-c', script], Env: [`N=${n}`], HostConfig: { NetworkMode: 'none' } };
      const { Id } = (await ask('POST', '/containers/create', body)).json<{ Id: string }>();
      await ask('POST', `/containers/${Id}/start`);
      const { StatusCode } = (await ask('POST', `/containers/${Id}/wait`)).json<{ StatusCode: number }>();
      if (StatusCode !== n) wrong.push(`container ${n} ended with ${StatusCode}`);
      const { text } = await ask('GET', `/containers/${Id}/logs?stdout=1`);
      // Each line of the answer has a frame's eight bytes before it.
      const lines = text
        .split('\n')
        .slice(0, -1)
        .map((line) => line.slice(line.indexOf(`${n} line`)));
      const missing = Array.from({ length: LINES }, (_, i) => `${n} line ${i}`).findIndex(
        (want, i) => lines[i] !== want,
      );
      if (missing >= 0 || lines.length !== LINES) wrong.push(`container ${n}: line ${missing} of ${lines.length}`);
      await ask('DELETE', `/containers/${Id}`);
    };
    let next = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (next < MANY) await one(next++);
      }),
    );
    expect(wrong).toEqual([]);
  }, 1_800_000);
});
