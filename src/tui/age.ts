/** Ages as short as a column wants them. Pure. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const STEPS: readonly (readonly [below: number, size: number, unit: string])[] = [
  [MINUTE, SECOND, 's'],
  [HOUR, MINUTE, 'm'],
  [2 * DAY, HOUR, 'h'],
  [14 * DAY, DAY, 'd'],
  [60 * DAY, 7 * DAY, 'w'],
  [730 * DAY, 30 * DAY, 'mo'],
  [Number.POSITIVE_INFINITY, 365 * DAY, 'y'],
];

/** `7s`, `12m`, `47h`, `13d`, `8w`, `23mo`, `4y`; at most four cells. */
export function shortAge(milliseconds: number): string {
  const age = Math.max(0, milliseconds);
  const [, size, unit] = STEPS.find(([below]) => age < below) as (typeof STEPS)[number];
  return `${Math.floor(age / size)}${unit}`;
}

/** Milliseconds until the text of one of these ages is another one. */
export function nextAgeChange(ages: readonly number[]): number {
  let least = DAY;
  for (const each of ages) {
    const age = Math.max(0, each);
    const [, size] = STEPS.find(([below]) => age < below) as (typeof STEPS)[number];
    least = Math.min(least, size - (age % size));
  }
  return least;
}
