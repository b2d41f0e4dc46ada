import type { Readable } from 'node:stream';
import { containerCalls } from './containers.ts';
import { type CallOptions, createCore } from './core.ts';
import { imageCalls } from './images.ts';
import { storageCalls, systemCalls } from './resources.ts';
import type { Transport } from './transport.ts';
import type { EngineClient } from './types.ts';

/** The client plus the two calls for what its typed face does not cover: an answer's exact text, and rare endpoints. */
export interface RawEngineClient extends EngineClient {
  /** The answer's text, byte for byte (inspect prints it with the engine's own key order and numbers). */
  text(method: 'GET' | 'POST' | 'DELETE', path: string, options?: CallOptions): Promise<string>;
  json<T>(method: 'GET' | 'POST' | 'DELETE', path: string, options?: CallOptions): Promise<T>;
  /** The answer's body as it comes. */
  stream(method: 'GET' | 'POST', path: string, options?: CallOptions): Promise<Readable>;
  /** The API version both sides agreed on. */
  apiVersion(): Promise<string>;
}

/** Builds the client on a transport; both transports get the same resources, so both pass one contract suite. */
export function createEngine(transport: Transport, env: NodeJS.ProcessEnv = process.env): RawEngineClient {
  const core = createCore(transport, env);
  return {
    ...systemCalls(core),
    ...containerCalls(core),
    ...imageCalls(core),
    ...storageCalls(core),
    text: (method, path, options) => core.text(method, path, options),
    json: (method, path, options) => core.json(method, path, options),
    stream: async (method, path, options) => (await core.stream(method, path, options)).body,
    apiVersion: () => core.apiVersion(),
  };
}
