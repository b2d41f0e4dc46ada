/** The Engine API client, in dockerode's shape (types.ts), on undici. One-shot commands import fast.ts instead. */
import type { Endpoint } from './endpoint.ts';
import { createEngine, type RawEngineClient } from './engine.ts';
import { createUndiciTransport } from './undici-transport.ts';

export * from './endpoint.ts';
export type { RawEngineClient } from './engine.ts';
export { EngineRequestError, EngineUnreachableError, isConnectionFailure, statusOf } from './failure.ts';
export type * from './types.ts';

/**
 * A client for the engine at `endpoint` (see `resolveEndpoint`). Nothing is sent before the first call; the first
 * call negotiates the API version. `close()` ends every connection.
 */
export function createClient(endpoint: Endpoint): RawEngineClient {
  return createEngine(createUndiciTransport(endpoint));
}
