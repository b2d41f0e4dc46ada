import { describe, expect, it } from 'vitest';
import { humanDuration, parseDuration } from '../../../src/api/index.ts';
import { binarySize, humanSize, parseBytes, parseTimestamp } from '../../../src/format/units.ts';

describe('sizes', () => {
  it.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [1_982_000, '1.98MB'],
    [999_999, '1e+03kB'],
    [123_456_789_012, '123GB'],
  ])('writes %d bytes with three digits as %s, as Docker does', (bytes, text) =>
    expect(humanSize(bytes, 3)).toBe(text),
  );

  it('writes binary sizes with four digits', () => {
    expect(binarySize(360_448)).toBe('352KiB');
    expect(binarySize(25_275_000_000)).toBe('23.54GiB');
  });

  it.each([
    ['512', 512],
    ['1b', 1],
    ['64m', 64 << 20],
    ['1.5g', 1.5 * 2 ** 30],
    ['32KiB', 32_768],
    ['2 MB', 2 << 20],
  ])('reads %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each(['', 'abc', '1x', '-5m', '1..5g'])('refuses %j and names it', (text) => {
    expect(() => parseBytes(text)).toThrow(`invalid size: '${text}'`);
  });
});

describe('durations', () => {
  it.each([
    [400, 'Less than a second'],
    [1_500, '1 second'],
    [59_000, '59 seconds'],
    [61_000, 'About a minute'],
    [45 * 60_000, '45 minutes'],
    [70 * 60_000, 'About an hour'],
    [3 * 3_600_000, '3 hours'],
    [50 * 3_600_000, '2 days'],
    [15 * 86_400_000, '2 weeks'],
    [100 * 86_400_000, '3 months'],
    [800 * 86_400_000, '2 years'],
  ])('says %d ms as %s', (ms, text) => expect(humanDuration(ms)).toBe(text));

  it('reads durations as Go does', () => {
    expect(parseDuration('1h30m')).toBe(5_400e9);
    expect(parseDuration('1.5s')).toBe(1.5e9);
    expect(parseDuration('-300ms')).toBe(-3e8);
    expect(parseDuration('0')).toBe(0);
    expect(() => parseDuration('x')).toThrow('time: invalid duration "x"');
    expect(() => parseDuration('5')).toThrow('time: missing unit in duration "5"');
    expect(() => parseDuration('5y')).toThrow('time: unknown unit "y" in duration "5y"');
  });
});

describe('timestamps of --since and --until', () => {
  const now = Date.parse('2026-11-27T12:00:00Z');
  it('takes Unix seconds, durations ago and dates', () => {
    expect(parseTimestamp('1700000000.5', now)).toBe('1700000000.5');
    expect(Number(parseTimestamp('10m', now))).toBe(now / 1000 - 600);
    expect(parseTimestamp('2026-11-27T11:00:00.25Z', now)).toBe(`${now / 1000 - 3600}.250000000`);
    expect(() => parseTimestamp('yesterday', now)).toThrow('yesterday');
  });
});
