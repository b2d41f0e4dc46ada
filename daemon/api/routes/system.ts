import {
  API_VERSION,
  compareVersions,
  GALLEY_COMPONENT,
  GALLEY_VERSION,
  MIN_API_VERSION,
  type SystemInfo,
  type VersionResponse,
} from '../../../src/api/index.ts';
import type { EventBus } from '../../history/index.ts';
import type { Host } from '../../system/host.ts';
import type { Context, Route } from '../context.ts';
import { filters, timestamp } from '../query.ts';
import { json } from '../respond.ts';

/** What the system routes tell; collected by main, read at each request. */
export interface SystemFacts {
  host: Host;
  engineId: string;
  name: string;
  dataRoot: string;
  execRoot: string;
  startedAt: Date;
  pid: number;
  /** Hash of the build that runs, '' when run from source; the launcher restarts an older daemon by it. */
  buildHash: string;
  cgroupVersion: 1 | 2;
  runtimes: Record<string, { path: string; version: string }>;
  conmonVersion: string;
  registryMirrors: string[];
  insecureRegistries: string[];
  containers(): { total: number; running: number; paused: number; stopped: number };
  images(): number;
  layerStatus(): [string, string][];
  warnings(): string[];
}

/** A client that reads slower than events come is cut off before it fills our memory; it can ask again with `since`. */
const EVENT_BACKLOG = 8 * 1024 * 1024;

function pingHeaders({ res }: Context): void {
  res.setHeader('Builder-Version', '1');
  res.setHeader('Swarm', 'inactive');
  res.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate');
  res.setHeader('Pragma', 'no-cache');
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.setHeader('Content-Length', 2);
}

function version(facts: SystemFacts): VersionResponse {
  const { host } = facts;
  const common = { Os: 'linux', Arch: host.architecture, KernelVersion: host.kernelVersion };
  return {
    Platform: { Name: 'galley' },
    Components: [
      {
        Name: 'Engine',
        Version: GALLEY_VERSION,
        Details: {
          ApiVersion: API_VERSION,
          MinAPIVersion: MIN_API_VERSION,
          ...common,
          GitCommit: facts.buildHash,
          GoVersion: process.version,
          BuildTime: '',
          Experimental: 'false',
        },
      },
      {
        Name: GALLEY_COMPONENT,
        Version: GALLEY_VERSION,
        Details: {
          BuildHash: facts.buildHash,
          Pid: String(facts.pid),
          DataRoot: facts.dataRoot,
          ExecRoot: facts.execRoot,
          Name: facts.name,
          StartedAt: facts.startedAt.toISOString(),
        },
      },
      { Name: 'conmon', Version: facts.conmonVersion },
      ...Object.entries(facts.runtimes).map(([name, runtime]) => ({ Name: name, Version: runtime.version })),
    ],
    Version: GALLEY_VERSION,
    ApiVersion: API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: facts.buildHash,
    GoVersion: process.version,
    ...common,
    BuildTime: '',
  };
}

function info(facts: SystemFacts): SystemInfo {
  const { host } = facts;
  const counts = facts.containers();
  return {
    ID: facts.engineId,
    Containers: counts.total,
    ContainersRunning: counts.running,
    ContainersPaused: counts.paused,
    ContainersStopped: counts.stopped,
    Images: facts.images(),
    Driver: 'overlay2',
    DriverStatus: facts.layerStatus(),
    SystemTime: new Date().toISOString(),
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: ['json-file', 'local', 'none'],
    },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    OomKillDisable: facts.cgroupVersion === 1,
    IPv4Forwarding: true,
    Debug: false,
    NFd: 0,
    NGoroutines: 0,
    NEventsListener: 0,
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: String(facts.cgroupVersion),
    KernelVersion: host.kernelVersion,
    OperatingSystem: host.operatingSystem,
    OSVersion: '',
    OSType: 'linux',
    Architecture: host.machine,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      AllowNondistributableArtifactsCIDRs: [],
      AllowNondistributableArtifactsHostnames: [],
      InsecureRegistryCIDRs: ['127.0.0.0/8', '::1/128'],
      IndexConfigs: {
        'docker.io': { Name: 'docker.io', Mirrors: facts.registryMirrors, Secure: true, Official: true },
        ...Object.fromEntries(
          facts.insecureRegistries.map((name) => [name, { Name: name, Mirrors: [], Secure: false, Official: false }]),
        ),
      },
      Mirrors: facts.registryMirrors,
    },
    NCPU: host.cpus,
    MemTotal: host.memoryBytes,
    GenericResources: null,
    DockerRootDir: facts.dataRoot,
    HttpProxy: process.env['HTTP_PROXY'] ?? '',
    HttpsProxy: process.env['HTTPS_PROXY'] ?? '',
    NoProxy: process.env['NO_PROXY'] ?? '',
    Name: host.name,
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: GALLEY_VERSION,
    Runtimes: Object.fromEntries(Object.entries(facts.runtimes).map(([name, { path }]) => [name, { path }])),
    DefaultRuntime: 'runc',
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: 'docker-init',
    ContainerdCommit: { ID: '', Expected: '' },
    RuncCommit: { ID: facts.runtimes['runc']?.version ?? '', Expected: '' },
    InitCommit: { ID: '', Expected: '' },
    SecurityOptions: ['name=seccomp,profile=builtin', ...(facts.cgroupVersion === 2 ? ['name=cgroupns'] : [])],
    Warnings: facts.warnings(),
  };
}

/** An `until` in the past ends after the replay; without `since` there is nothing to replay then. */
async function streamEvents(events: EventBus, { res, query, version: client, signal }: Context): Promise<void> {
  const since = timestamp(query, 'since');
  const until = timestamp(query, 'until');
  // Docker lets a filter that it does not know pass.
  const asked = filters(query, 'any');
  res.writeHead(200, { 'Content-Type': 'application/json' });
  res.flushHeaders();
  const legacy = compareVersions(client, '1.52') < 0;
  await events.subscribe(
    { ...(since !== undefined ? { since } : {}), ...(until !== undefined ? { until } : {}), filters: asked, signal },
    (_event, line) => {
      if (res.writableLength > EVENT_BACKLOG) res.destroy();
      else if (!res.destroyed)
        res.write(`${legacy ? line : line.replace(/^\{"status":"[^"]*","id":"[^"]*",(?:"from":"[^"]*",)?/, '{')}\n`);
    },
  );
  res.end();
}

export function systemRoutes(facts: SystemFacts, events: EventBus): Route[] {
  return [
    {
      method: 'GET',
      path: '/_ping',
      handler: (context) => {
        pingHeaders(context);
        context.res.end('OK');
      },
    },
    {
      method: 'HEAD',
      path: '/_ping',
      handler: (context) => {
        pingHeaders(context);
        context.res.end();
      },
    },
    { method: 'GET', path: '/version', handler: ({ res }) => json(res, 200, version(facts)) },
    { method: 'GET', path: '/info', handler: ({ res }) => json(res, 200, info(facts)) },
    { method: 'GET', path: '/events', handler: (context) => streamEvents(events, context) },
    {
      method: 'OPTIONS',
      path: '/*',
      handler: ({ res }) => {
        res.writeHead(200, { 'Content-Length': 0 });
        res.end();
      },
    },
  ];
}
