import { parseDetachKeys } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';

/** The bytes of a `detachKeys` parameter. @throws EngineError 400 */
export function detachKeysOf(text: string): Uint8Array {
  try {
    return parseDetachKeys(text);
  } catch {
    throw containerErrors.badDetachKeys(text);
  }
}
