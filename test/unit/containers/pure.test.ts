import { describe, expect, test } from 'vitest';
import { nextHealth, probeCommand } from '../../../daemon/containers/health.ts';
import { familiarReference } from '../../../daemon/containers/image-name.ts';
import { mergeConfig } from '../../../daemon/containers/merge.ts';
import { checkName, generateName, newContainerId, readNameLists } from '../../../daemon/containers/names.ts';
import { nextDelay, shouldRestart, shouldStartAtBoot } from '../../../daemon/containers/restart-policy.ts';
import { signalNumber } from '../../../daemon/containers/signals.ts';
import { classifyStartFailure } from '../../../daemon/containers/start.ts';
import { goDuration, humanDuration, parseTimestamp } from '../../../src/api/index.ts';
import { configOf } from './samples.ts';

describe('durations', () => {
  test.each([
    [999, 'Less than a second'],
    [1000, '1 second'],
    [59_999, '59 seconds'],
    [60_000, 'About a minute'],
    [5 * 60_000, '5 minutes'],
    [45 * 60_000, '45 minutes'],
    [65 * 60_000, 'About an hour'],
    [90 * 60_000, '2 hours'],
    [47 * 3600_000, '47 hours'],
    [3 * 86400_000, '3 days'],
    [15 * 86400_000, '2 weeks'],
    [100 * 86400_000, '3 months'],
    [800 * 86400_000, '2 years'],
  ])('%i ms is %s', (ms, text) => expect(humanDuration(ms)).toBe(text));

  test('prints and reads Go durations', () => {
    expect(goDuration(30e9)).toBe('30s');
    expect(goDuration(90e9)).toBe('1m30s');
    expect(goDuration(5e8)).toBe('500ms');
    expect(goDuration(3600e9)).toBe('1h0m0s');
    expect(parseTimestamp('10m', 1_000_000)).toBe(400_000);
    expect(parseTimestamp('1700000000')).toBe(1_700_000_000_000);
    expect(parseTimestamp('nonsense')).toBeUndefined();
  });
});

describe('names', () => {
  const lists = { adjectives: ['boring'], surnames: ['wozniak'] };
  test('never calls Wozniak boring and ends with the short id', () =>
    expect(generateName(lists, 'abcdef0123456789', () => false)).toBe('abcdef012345'));
  test('takes a free name, with a digit when the first is taken', () => {
    const one = { adjectives: ['calm'], surnames: ['cook'] };
    expect(generateName(one, 'x'.repeat(64), () => false)).toBe('calm_cook');
    expect(generateName(one, 'x'.repeat(64), (name) => name === 'calm_cook')).toMatch(/^calm_cook\d$/);
  });
  test('the list that is shipped can be read and makes valid names', () => {
    const shipped = readNameLists();
    for (const a of shipped.adjectives)
      for (const s of shipped.surnames) expect(checkName(`${a}_${s}`)).toBe(`${a}_${s}`);
  });
  test('ids are 64 hex digits', () => expect(newContainerId()).toMatch(/^[0-9a-f]{64}$/));
  test.each(['a', '-x', 'a b', '', 'ä1', '/'])('refuses %j', (name) =>
    expect(() => checkName(name)).toThrow(`Invalid container name (${name})`),
  );
});

describe('signals', () => {
  test.each([
    ['KILL', 9],
    ['SIGTERM', 15],
    ['term', 15],
    ['9', 9],
    ['SIGRTMIN+3', 37],
    ['RTMAX-1', 63],
  ])('%s is %i', (text, number) => expect(signalNumber(text)).toBe(number));
  test.each(['SIGNOPE', '0', '', 'RTMIN+99'])('refuses %j', (text) =>
    expect(() => signalNumber(text)).toThrow(`invalid signal: ${text}`),
  );
  test('a number that Linux has no signal for', () =>
    expect(() => signalNumber('65')).toThrow('does not support signal 65'));
});

describe('merge', () => {
  const image = {
    Entrypoint: ['/entry'],
    Cmd: ['serve'],
    Env: ['A=1', 'B=2'],
    User: 'www',
    WorkingDir: '/srv',
    Labels: { a: 'i', b: 'i' },
  };
  test('the image fills what the container leaves open', () => {
    const merged = mergeConfig(configOf({ Env: ['B=3', 'C=4'], Labels: { b: 'c' } }), image);
    expect(merged.Entrypoint).toEqual(['/entry']);
    expect(merged.Cmd).toEqual(['serve']);
    expect(merged.Env).toEqual(['B=3', 'C=4', 'A=1']);
    expect(merged.Labels).toEqual({ a: 'i', b: 'c' });
    expect([merged.User, merged.WorkingDir]).toEqual(['www', '/srv']);
  });
  test("a container's Cmd replaces the image's, its Entrypoint drops it", () => {
    expect(mergeConfig(configOf({ Cmd: ['x'] }), image)).toMatchObject({ Entrypoint: ['/entry'], Cmd: ['x'] });
    expect(mergeConfig(configOf({ Entrypoint: ['/e'] }), image)).toMatchObject({ Entrypoint: ['/e'], Cmd: null });
  });
  test('[""] resets the entrypoint', () => {
    expect(mergeConfig(configOf({ Entrypoint: [''], Cmd: ['x'] }), image)).toMatchObject({
      Entrypoint: null,
      Cmd: ['x'],
    });
    expect(() => mergeConfig(configOf({ Entrypoint: [''] }), image)).toThrow('no command specified');
  });
  test('health checks merge field by field', () => {
    const merged = mergeConfig(configOf({ Cmd: ['x'], Healthcheck: { Retries: 5 } }), {
      Healthcheck: { Test: ['CMD', 'true'], Interval: 7 },
    });
    expect(merged.Healthcheck).toMatchObject({ Test: ['CMD', 'true'], Interval: 7, Retries: 5 });
  });
});

describe('restart policy', () => {
  const ask = (
    Name: 'no' | 'always' | 'unless-stopped' | 'on-failure',
    exitCode: number,
    wanted: boolean,
    restartCount = 0,
    MaximumRetryCount = 0,
  ) => ({
    policy: { Name, MaximumRetryCount },
    exitCode,
    restartCount,
    wanted,
  });
  test('while galleyd runs', () => {
    expect(shouldRestart(ask('always', 0, false))).toBe(true);
    expect(shouldRestart(ask('always', 0, true))).toBe(false);
    expect(shouldRestart(ask('on-failure', 0, false))).toBe(false);
    expect(shouldRestart(ask('on-failure', 1, false, 2, 3))).toBe(true);
    expect(shouldRestart(ask('on-failure', 1, false, 3, 3))).toBe(false);
    expect(shouldRestart(ask('no', 1, false))).toBe(false);
  });
  test('at boot only `always` brings back what the user stopped', () => {
    expect(shouldStartAtBoot(ask('always', 0, true))).toBe(true);
    expect(shouldStartAtBoot(ask('unless-stopped', 0, true))).toBe(false);
  });
  test('the back-off doubles up to a minute and starts anew after a steady run', () => {
    let delay = 0;
    const seen: number[] = [];
    for (let i = 0; i < 12; i += 1) seen.push((delay = nextDelay(delay, 0)));
    expect(seen).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]);
    expect(nextDelay(delay, 10_000)).toBe(100);
  });
});

test('exit codes and statuses from the words of the runtime', () => {
  const of = (words: string) => {
    const { exitCode, error } = classifyStartFailure(words);
    return [exitCode, error.status];
  };
  expect(of('exec: "foo": executable file not found in $PATH')).toEqual([127, 400]);
  expect(of('exec: "/x": permission denied')).toEqual([126, 400]);
  expect(of('exec: "/etc": is a directory')).toEqual([126, 400]);
  expect(of('something broke')).toEqual([128, 500]);
});

describe('health', () => {
  const result = (ExitCode: number, at: number) => ({
    Start: new Date(at).toISOString(),
    End: '',
    ExitCode,
    Output: '',
  });
  const fresh = { Status: 'starting' as const, FailingStreak: 0, Log: [] };
  test('the probe command', () => {
    expect(probeCommand({ Test: ['CMD', 'a', 'b'] }, undefined)).toEqual(['a', 'b']);
    expect(probeCommand({ Test: ['CMD-SHELL', 'x || exit 1'] }, undefined)).toEqual(['/bin/sh', '-c', 'x || exit 1']);
    expect(probeCommand({ Test: ['NONE'] }, undefined)).toBeUndefined();
  });
  test('turns unhealthy after the retries, healthy at once, and forgives the start period', () => {
    let health: ReturnType<typeof nextHealth> = fresh;
    for (const expected of ['starting', 'unhealthy'] as const) {
      health = nextHealth(health, result(1, 10_000), { Retries: 2 }, 0);
      expect(health.Status).toBe(expected);
    }
    expect(nextHealth(health, result(0, 1), {}, 0)).toMatchObject({ Status: 'healthy', FailingStreak: 0 });
    expect(nextHealth(fresh, result(1, 1000), { Retries: 1, StartPeriod: 2e9 }, 0)).toMatchObject({
      Status: 'starting',
      FailingStreak: 0,
    });
    for (let i = 0; i < 9; i += 1) health = nextHealth(health, result(1, i), {}, 0);
    expect(health.Log).toHaveLength(5);
  });
});

test('images are named as Docker names them in messages', () => {
  expect(familiarReference('docker.io/library/busybox')).toBe('busybox:latest');
  expect(familiarReference('localhost:5000/a/b')).toBe('localhost:5000/a/b:latest');
  expect(familiarReference('a/b:1')).toBe('a/b:1');
});
