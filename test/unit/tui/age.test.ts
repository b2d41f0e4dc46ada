/** Ages: read from Docker's status text, written in a column of four cells, and drawn again exactly when their text changes. */
import { describe, expect, it } from 'vitest';
import { statusAge } from '../../../src/store/index.ts';
import { nextAgeChange, shortAge } from '../../../src/tui/age.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('ages', () => {
  it.each([
    ['Up 12 seconds', 12_000],
    ['Up About a minute (healthy)', MINUTE],
    ['Up About an hour', HOUR],
    ['Exited (137) 3 weeks ago', 21 * DAY],
    ['Up Less than a second', 0],
    ['Exited (0) Less than a second ago', 0],
    ['Created', undefined],
  ])('%s', (status, age) => expect(statusAge(status)).toBe(age));

  it.each([
    [0, '0s'],
    [59_999, '59s'],
    [MINUTE, '1m'],
    [59 * MINUTE, '59m'],
    [HOUR, '1h'],
    [47 * HOUR, '47h'],
    [13 * DAY, '13d'],
    [59 * DAY, '8w'],
    [729 * DAY, '24mo'],
    [800 * DAY, '2y'],
    [-5, '0s'],
  ])('%i ms is %s', (age, text) => expect(shortAge(age)).toBe(text));

  it('the text stays until the next change and is another one after it', () => {
    for (const age of [0, 1, 999, 59_000, 61_500, HOUR - 1, HOUR, 47.9 * HOUR, 3.3 * DAY, 13.99 * DAY, 59 * DAY]) {
      const wait = nextAgeChange([age]);
      expect(shortAge(age + wait - 1)).toBe(shortAge(age));
      if (wait < DAY) expect(shortAge(age + wait)).not.toBe(shortAge(age));
    }
    expect(nextAgeChange([500, 90_000])).toBe(500);
  });
});
