import type { OciProcess, OciSpec } from './types.ts';

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** JSON as Go reads it: RLIM_INFINITY has more digits than a double, so it stands as Infinity until here. */
export function encodeOci(value: OciSpec | OciProcess): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item === Number.POSITIVE_INFINITY ? rawJSON('18446744073709551615') : item,
  );
}
