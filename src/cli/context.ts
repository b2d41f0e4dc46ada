import { type Endpoint, resolveEndpoint } from '../client/endpoint.ts';
import type { RawEngineClient } from '../client/engine.ts';
import { createFastClient } from '../client/fast.ts';
import { isPlain } from '../client/fast-transport.ts';
import { err, out } from './output.ts';
import type { CliContext, CommandSpec, GlobalFlags } from './types.ts';

/** Makes the context of a command; nothing is opened before `client()`. */
export function createContext(
  globals: GlobalFlags,
  invoked: string,
  commands: readonly CommandSpec[] = [],
  env: NodeJS.ProcessEnv = process.env,
): CliContext {
  let endpoint: Endpoint | undefined;
  let client: RawEngineClient | undefined;
  const resolve = () => {
    endpoint ??= resolveEndpoint({
      env,
      ...(globals.host === undefined ? {} : { hostFlag: globals.host }),
      ...(globals.context === undefined ? {} : { contextFlag: globals.context }),
      ...(globals.config === undefined ? {} : { configDir: globals.config }),
      tls: {
        ...(globals.tls === undefined ? {} : { enabled: globals.tls }),
        ...(globals.tlsverify === undefined ? {} : { verify: globals.tlsverify }),
        ...(globals.tlscacert === undefined ? {} : { ca: globals.tlscacert }),
        ...(globals.tlscert === undefined ? {} : { cert: globals.tlscert }),
        ...(globals.tlskey === undefined ? {} : { key: globals.tlskey }),
      },
    });
    return endpoint;
  };
  return {
    env,
    globals,
    invoked,
    commands,
    get endpoint() {
      return resolve();
    },
    async client(options = {}) {
      if (client) return client;
      const target = resolve();
      if (options.start && target.source === 'galley') {
        const { ensureEngine } = await import('./engine-start.ts');
        await ensureEngine(target, { env, say: (line) => err(`${line}\n`) });
      }
      client = isPlain(target) ? createFastClient(target) : (await import('../client/index.ts')).createClient(target);
      return client;
    },
    out,
    err,
  };
}
