/** Where a text is found in the lines of the detail area. Pure, remembered per set of lines. */
import type { TextLine } from './ansi.ts';

const known = new WeakMap<readonly TextLine[], { wanted: string; found: readonly number[] }>();

/** Indexes of the lines that hold `wanted`, whatever the case of its letters. */
export function matchesIn(lines: readonly TextLine[], wanted: string): readonly number[] {
  if (wanted === '') return [];
  const before = known.get(lines);
  if (before?.wanted === wanted) return before.found;
  const lower = wanted.toLowerCase();
  const found = lines.flatMap((line, at) => (line.text.toLowerCase().includes(lower) ? [at] : []));
  known.set(lines, { wanted, found });
  return found;
}
