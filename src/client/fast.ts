import type { Endpoint } from './endpoint.ts';
import { createEngine, type RawEngineClient } from './engine.ts';
import { createFastTransport } from './fast-transport.ts';

/** The client of one-shot commands on a plain socket: loads no undici. @throws Error for TLS and ssh endpoints (see `isPlain`). */
export function createFastClient(endpoint: Endpoint): RawEngineClient {
  return createEngine(createFastTransport(endpoint));
}
