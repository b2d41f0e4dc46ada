import type { HostConfig } from '../../src/api/index.ts';
import { runtimeErrors } from '../errors/runtime.ts';
import type { HostFacts } from './host-facts.ts';
import type { OciProcess } from './types.ts';

/** As setrlimit(2) has them, and docker's CLI. */
const NAMES = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack as'.split(' '),
);

/**
 * `--ulimit` as OCI limits, clamped to this process' own hard limits where it may not raise them: the kernel would refuse the
 * container. -1 means unlimited; encodeOci writes Infinity as RLIM_INFINITY.
 * @throws EngineError for a name that is none
 */
export function clampLimits(ulimits: HostConfig['Ulimits'], host: HostFacts): NonNullable<OciProcess['rlimits']> {
  return (ulimits ?? []).map(({ Name, Soft, Hard }) => {
    if (!NAMES.has(Name)) throw runtimeErrors.badUlimit(Name);
    const type = `RLIMIT_${Name.toUpperCase()}`;
    const ceiling = (host.mayRaiseLimits ? undefined : host.hardLimits[type]) ?? Number.POSITIVE_INFINITY;
    const value = (wanted: number) => Math.min(wanted < 0 ? Number.POSITIVE_INFINITY : wanted, ceiling);
    return { type, soft: value(Soft), hard: value(Hard) };
  });
}
