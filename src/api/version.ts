/** Engine API versions (field/engine-api.md section 1: 1.51 keeps the legacy fields that 1.52 removed). */
export const API_VERSION = '1.51';
export const MIN_API_VERSION = '1.24';
/** galley's own version; the daemon reports it and the launcher compares it. Kept equal to package.json by a test. */
export const GALLEY_VERSION = '0.1.0';

/** Compares "1.43" with "1.5" as numbers: negative, 0 or positive. */
export function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}
