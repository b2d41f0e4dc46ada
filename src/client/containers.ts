import type {
  ContainerInspect,
  ContainerStats,
  ContainerSummary,
  CreateContainerResponse,
  ExecInspect,
  TopResponse,
  WaitResponse,
} from '../api/index.ts';
import { compareVersions, MULTIPLEXED } from '../api/index.ts';
import { type Core, encodeFilters, jsonLines } from './core.ts';
import { readText } from './transport.ts';
import type { ContainerHandle, EngineClient, ExecHandle, HijackedStream } from './types.ts';

const path = (id: string, rest = '') => `/containers/${encodeURIComponent(id)}${rest}`;

type ContainerPart = Pick<EngineClient, 'listContainers' | 'createContainer' | 'getContainer' | 'getExec'>;

/** Since 1.42 the content type says how a stream is framed; older engines say raw for both, so the tty decides. */
async function framing(core: Core, type: string, tty: () => Promise<boolean>): Promise<boolean> {
  if (type === MULTIPLEXED) return true;
  if (compareVersions(await core.apiVersion(), '1.42') >= 0) return false;
  return !(await tty());
}

function execHandle(core: Core, id: string): ExecHandle {
  const base = `/exec/${encodeURIComponent(id)}`;
  return {
    id,
    async start({ tty, consoleSize }): Promise<HijackedStream> {
      const body = { Detach: false, Tty: tty, ...(consoleSize ? { ConsoleSize: consoleSize } : {}) };
      const { socket } = await core.hijack(`${base}/start`, { body });
      return { socket, multiplexed: !tty };
    },
    startDetached: () => core.done('POST', `${base}/start`, { body: { Detach: true, Tty: false } }),
    resize: (h, w) => core.done('POST', `${base}/resize`, { query: { h, w } }),
    inspect: () => core.json<ExecInspect>('GET', `${base}/json`),
  };
}

function containerHandle(core: Core, id: string): ContainerHandle {
  const inspect = (options: { size?: boolean } = {}) =>
    core.json<ContainerInspect>('GET', path(id, '/json'), { query: { size: options.size || undefined } });
  const isTty = async () => (await inspect()).Config.Tty;
  return {
    id,
    inspect,
    start: (options = {}) => core.done('POST', path(id, '/start'), { query: { detachKeys: options.detachKeys } }),
    stop: (options = {}) => core.done('POST', path(id, '/stop'), { query: { t: options.t, signal: options.signal } }),
    restart: (options = {}) =>
      core.done('POST', path(id, '/restart'), { query: { t: options.t, signal: options.signal } }),
    kill: (options = {}) => core.done('POST', path(id, '/kill'), { query: { signal: options.signal } }),
    pause: () => core.done('POST', path(id, '/pause')),
    unpause: () => core.done('POST', path(id, '/unpause')),
    rename: (name) => core.done('POST', path(id, '/rename'), { query: { name } }),
    remove: (options = {}) =>
      core.done('DELETE', path(id), {
        query: { force: options.force || undefined, v: options.v || undefined, link: options.link || undefined },
      }),
    async wait(options = {}) {
      const answer = await core.stream('POST', path(id, '/wait'), {
        query: { condition: options.condition },
        signal: options.signal,
      });
      const result = readText(answer.body).then((text) => JSON.parse(text) as WaitResponse);
      // Whoever never asks for the result must not see an unhandled rejection when the connection ends.
      result.catch(() => undefined);
      return { result };
    },
    resize: (h, w) => core.done('POST', path(id, '/resize'), { query: { h, w } }),
    top: (psArgs) => core.json<TopResponse>('GET', path(id, '/top'), { query: { ps_args: psArgs } }),
    async logs({ signal, ...options } = {}) {
      const query = {
        stdout: options.stdout ?? true,
        stderr: options.stderr ?? true,
        follow: options.follow || undefined,
        timestamps: options.timestamps || undefined,
        details: options.details || undefined,
        since: options.since,
        until: options.until,
        tail: options.tail,
      };
      const answer = await core.stream('GET', path(id, '/logs'), { query, signal });
      return { body: answer.body, multiplexed: await framing(core, answer.headers['content-type'] ?? '', isTty) };
    },
    stats: (options = {}) =>
      core.json<ContainerStats>('GET', path(id, '/stats'), {
        query: { stream: false, 'one-shot': options.oneShot || undefined },
        signal: options.signal,
      }),
    async *statsStream(options = {}) {
      const answer = await core.stream('GET', path(id, '/stats'), { query: { stream: true }, signal: options.signal });
      yield* jsonLines<ContainerStats>(answer.body);
    },
    async attach(options) {
      const query = {
        stream: options.stream ?? true,
        stdin: options.stdin || undefined,
        stdout: options.stdout || undefined,
        stderr: options.stderr || undefined,
        logs: options.logs || undefined,
        detachKeys: options.detachKeys,
      };
      const { socket, type } = await core.hijack(path(id, '/attach'), { query });
      return { socket, multiplexed: await framing(core, type, isTty) };
    },
    async exec(body) {
      const { Id } = await core.json<{ Id: string }>('POST', path(id, '/exec'), { body });
      return execHandle(core, Id);
    },
  };
}

/** /containers and /exec. */
export function containerCalls(core: Core): ContainerPart {
  return {
    listContainers: (options = {}) =>
      core.json<ContainerSummary[]>('GET', '/containers/json', {
        query: {
          all: options.all || undefined,
          limit: options.limit,
          size: options.size || undefined,
          filters: encodeFilters(options.filters),
        },
      }),
    createContainer: (body, options = {}) =>
      core.json<CreateContainerResponse>('POST', '/containers/create', {
        query: { name: options.name || undefined, platform: options.platform || undefined },
        body,
      }),
    getContainer: (id) => containerHandle(core, id),
    getExec: (id) => execHandle(core, id),
  };
}
