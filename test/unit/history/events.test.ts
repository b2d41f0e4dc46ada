import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventMatches } from '../../../daemon/history/filters.ts';
import { createEventBus } from '../../../daemon/history/index.ts';
import { Database } from '../../../daemon/state/index.ts';
import { createLog } from '../../../daemon/system/log.ts';
import type { EngineEvent, Filters } from '../../../src/api/index.ts';

const log = createLog('error');

describe('the event journal', () => {
  it('replays what happened before, then goes on live, each event once and in order', async () => {
    const bus = createEventBus(new Database(':memory:'), log);
    for (let i = 0; i < 2500; i += 1) bus.publish('container', 'start', String(i), {});
    const stop = new AbortController();
    const seen: string[] = [];
    const done = bus.subscribe({ since: 0n, filters: {}, signal: stop.signal }, (event) => seen.push(event.Actor.ID));
    bus.publish('container', 'start', '2500', {});
    stop.abort();
    await done;
    expect(seen).toEqual(Array.from({ length: 2501 }, (_, i) => String(i)));
  });

  it('survives a restart, with exact and increasing nanoseconds', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'gh-'));
    const file = path.join(folder, 'db');
    const db = new Database(file);
    const bus = createEventBus(db, log);
    for (let i = 0; i < 100; i += 1) bus.publish('image', 'pull', `i${i}`, { name: 'x' });
    bus.flush();
    db.close();
    const again = new Database(file);
    const lines: string[] = [];
    await createEventBus(again, log).subscribe(
      { since: 0n, until: BigInt(Date.now() + 1) * 1_000_000n, filters: {}, signal: AbortSignal.timeout(2000) },
      (_e, line) => lines.push(line),
    );
    const nanos = lines.map((line) => BigInt(/"timeNano":(\d+)/.exec(line)?.[1] ?? 0));
    expect(nanos.length).toBe(100);
    expect(nanos.every((n, i) => i === 0 || n > (nanos[i - 1] as bigint))).toBe(true);
    again.close();
    rmSync(folder, { recursive: true });
  });

  it('can begin at the very event that a client saw last', async () => {
    const bus = createEventBus(new Database(':memory:'), log);
    const lines: string[] = [];
    for (const id of ['a', 'b', 'c']) bus.publish('volume', 'create', id, {});
    await bus.subscribe({ since: 0n, until: 1n << 62n, filters: {}, signal: AbortSignal.abort() }, (_e, line) =>
      lines.push(line),
    );
    const second = BigInt(/"timeNano":(\d+)/.exec(lines[1] as string)?.[1] ?? 0);
    const rest: string[] = [];
    await bus.subscribe({ since: second, filters: {}, signal: AbortSignal.abort() }, (event) =>
      rest.push(event.Actor.ID),
    );
    expect(rest).toEqual(['b', 'c']);
  });
});

describe('event filters', () => {
  const event = (change: Partial<EngineEvent>): EngineEvent => ({
    Type: 'container',
    Action: 'start',
    Actor: { ID: 'abc123', Attributes: { name: 'web', image: 'nginx:1.25', tier: 'front' } },
    scope: 'local',
    time: 0,
    timeNano: 0,
    ...change,
  });
  it.each<[Filters, boolean]>([
    [{}, true],
    [{ event: ['start'] }, true],
    [{ event: ['stop', 'start'] }, true],
    [{ event: ['stop'] }, false],
    [{ type: ['container'], event: ['stop'] }, false],
    [{ container: ['web'] }, true],
    [{ container: ['abc'] }, true],
    [{ container: ['other'] }, false],
    [{ image: ['nginx'] }, true],
    [{ image: ['nginx:1.24'] }, false],
    [{ label: ['tier=front'] }, true],
    [{ label: ['tier=front', 'missing'] }, false],
    [{ network: ['web'] }, false],
    [{ service: ['web'] }, false],
  ])('%j selects: %s', (filters, selected) => expect(eventMatches(event({}), filters)).toBe(selected));

  it('an action with an argument is found by its first word', () => {
    expect(eventMatches(event({ Action: 'health_status: healthy' }), { event: ['health_status'] })).toBe(true);
    expect(eventMatches(event({ Action: 'exec_start: sh' }), { event: ['exec_create'] })).toBe(false);
  });
});
