/** What to say when no engine answers: the way to start galleyd, and the exact -H of another engine that does answer. */
import { parseHost } from '../client/endpoint.ts';
import type { EngineUnreachableError } from '../client/failure.ts';
import { answers } from './engine-start.ts';
import type { CliContext } from './types.ts';

/** Other engines' usual sockets, the ones a person may mean. */
export function otherEngines(env: NodeJS.ProcessEnv): string[] {
  const runtime = env['XDG_RUNTIME_DIR'];
  return [
    'unix:///var/run/docker.sock',
    'unix:///run/podman/podman.sock',
    ...(runtime ? [`unix://${runtime}/docker.sock`, `unix://${runtime}/podman/podman.sock`] : []),
  ];
}

/** The other engines that answer. */
export async function answeringEngines(env: NodeJS.ProcessEnv): Promise<string[]> {
  const hosts = otherEngines(env);
  const found = await Promise.all(hosts.map((host) => answers(parseHost(host, 'host flag'))));
  return hosts.filter((_host, at) => found[at]);
}

/** The message for an unreachable engine, without a prefix. */
export async function explainUnreachable(error: EngineUnreachableError, context: CliContext): Promise<string> {
  if (context.endpoint.source !== 'galley') return error.message;
  const start = 'Start it with "galley daemon start"';
  const head = error.code === 'EACCES' ? error.message : `galleyd is not running at ${error.host}. ${start}`;
  const [other] = await answeringEngines(context.env);
  if (!other) return `${head}.`;
  return `${head}, or use the engine that answers at ${other} by naming it: galley -H ${other} ${context.invoked}`;
}
