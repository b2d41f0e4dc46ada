import type { OciProcess, OciSpec } from './types.ts';

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** RLIM_INFINITY has more digits than a double, so no limit stands as Infinity until here. */
function limit(value: number): unknown {
  return value === Number.POSITIVE_INFINITY ? rawJSON('18446744073709551615') : value;
}

function encodable(process: OciProcess): unknown {
  const { rlimits } = process;
  if (!rlimits?.some(({ soft, hard }) => soft === Number.POSITIVE_INFINITY || hard === Number.POSITIVE_INFINITY))
    return process;
  return {
    ...process,
    rlimits: rlimits.map(({ type, soft, hard }) => ({ type, soft: limit(soft), hard: limit(hard) })),
  };
}

/** JSON as Go reads it. */
export function encodeOci(value: OciSpec | OciProcess): string {
  return JSON.stringify('process' in value ? { ...value, process: encodable(value.process) } : encodable(value));
}
