/**
 * A network manager in a process of its own, so that a test can put it into a network namespace that stands for the host,
 * kill it, and leave this machine's firewall alone. Run as a program it answers one JSON line per call.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createNetworkManager, type Sandbox, type SandboxRequest } from '../../daemon/networks/index.ts';
import { Database } from '../../daemon/state/index.ts';
import { createLog } from '../../daemon/system/log.ts';

const file = fileURLToPath(import.meta.url);

export function sandboxRequest(id: string, more: Partial<SandboxRequest> = {}): SandboxRequest {
  return {
    containerId: id,
    containerName: `/${id}`,
    hostname: id,
    domainname: '',
    networkMode: 'bridge',
    endpoints: { [more.networkMode ?? 'bridge']: null },
    portBindings: {},
    exposedPorts: [],
    publishAll: false,
    dns: [],
    dnsSearch: [],
    dnsOptions: [],
    extraHosts: [],
    macAddress: '',
    links: [],
    started: false,
    ...more,
  };
}

export interface RemoteManager {
  call(method: string, ...args: unknown[]): Promise<unknown>;
  setUp(request: SandboxRequest): Promise<Sandbox>;
  /** As a crash of galleyd. */
  kill(): Promise<void>;
  /** Everything of the manager's removed, and its process ended. */
  destroy(): Promise<void>;
}

/** Starts a manager inside the network namespace of that name (`ip netns`). */
export function startManager(
  host: string,
  folder: string,
  name: string,
  environment: NodeJS.ProcessEnv = {},
): RemoteManager {
  const child: ChildProcess = spawn(
    'nsenter',
    [`--net=/run/netns/${host}`, process.execPath, '--no-warnings', file, folder, name],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...environment } },
  );
  const ended = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? String(code))));
  const waiting = new Map<number, (answer: { result?: unknown; error?: string }) => void>();
  readline.createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    const answer = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  let next = 0;
  const call = (method: string, ...args: unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      next += 1;
      waiting.set(next, ({ result, error }) => (error === undefined ? resolve(result) : reject(new Error(error))));
      void ended.then((how) => reject(new Error(`the manager ended: ${how}`)));
      child.stdin?.write(`${JSON.stringify({ id: next, method, args })}\n`);
    });
  return {
    call,
    setUp: async (request) => (await call('setUp', request)) as Sandbox,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async destroy() {
      await call('destroy');
      child.stdin?.end();
      await ended;
    },
  };
}

async function serve(folder: string, name: string): Promise<void> {
  const db = new Database(`${folder}/galley.db`);
  const held = new Map<string, Sandbox>();
  /** What daemon/containers would know: each container's request, and its files as they are now. */
  const memory = `${folder}/known.json`;
  const known = new Map<string, SandboxRequest>(existsSync(memory) ? JSON.parse(readFileSync(memory, 'utf8')) : []);
  const learn = (request: SandboxRequest) => {
    known.set(request.containerId, request);
    writeFileSync(memory, JSON.stringify([...known]));
  };
  const files = new Map<string, { hostsFile: string; resolvConf: string }>();
  const manager = createNetworkManager({
    db,
    name,
    execRoot: folder,
    poolSize: 2,
    publish: () => {},
    containers: {
      sandboxRequest(reference) {
        const request = known.get(reference);
        if (!request) throw new Error(`no such container: ${reference}`);
        return { request, running: held.has(reference), pid: 0 };
      },
      nameOf: (id) => (held.has(id) ? id : undefined),
      recordEndpoint(id, network, settings) {
        const request = known.get(id) as SandboxRequest;
        const { [network]: _old, ...others } = request.endpoints;
        learn({ ...request, endpoints: settings ? { ...others, [network]: settings } : others });
      },
      async writeFiles(id, content) {
        files.set(id, content);
      },
    },
    log: createLog('error'),
  });
  const methods: Record<string, (...args: never[]) => unknown> = {
    async setUp(request: SandboxRequest) {
      learn(request);
      const sandbox = await manager.setUp(request);
      held.set(request.containerId, { ...sandbox, portDescriptors: [...sandbox.portDescriptors] });
      return sandbox;
    },
    // The end of conmon, which holds the port descriptors of a real container.
    async tearDown(id: string) {
      const sandbox = held.get(id);
      held.delete(id);
      if (sandbox) manager.releaseDescriptors(sandbox);
      await manager.tearDown(id);
    },
    createContainer: learn,
    connect: manager.connect,
    disconnect: manager.disconnect,
    filesOf: (id: string) => files.get(id),
    settings: (id: string) => manager.settingsOf(id, known.get(id) as SandboxRequest),
    restore: (running: string[]) => manager.restore(new Set(running)),
    create: manager.create,
    remove: manager.remove,
    inspect: manager.inspect,
    list: manager.list,
    prune: manager.prune,
    warnings: manager.warnings,
    destroy: manager.destroy,
    settingsOf: manager.settingsOf,
  };
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { id, method, args } = JSON.parse(line) as { id: number; method: string; args: never[] };
    let answer: { result?: unknown; error?: string };
    try {
      answer = { result: await methods[method]?.(...args) };
    } catch (error) {
      answer = { error: error instanceof Error ? error.message : String(error) };
    }
    process.stdout.write(`${JSON.stringify({ id, ...answer })}\n`);
  }
  await manager.close();
  db.close();
}

if (process.argv[1] === file) await serve(process.argv[2] as string, process.argv[3] as string);
