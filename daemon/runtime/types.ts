/**
 * The containerd role: bundles, conmon and runc. It knows nothing of HTTP, images or networks.
 * Protocol of conmon: field/conmon.md (tested with conmon 2.1.6 and runc 1.1.5).
 */
import type { ContainerConfig, ContainerStats, HostConfig, TopResponse } from '../../src/api/index.ts';

/** An OCI runtime-spec config.json; built by `buildSpec`, written by `create`. */
export interface OciSpec {
  ociVersion: string;
  process: OciProcess;
  root: { path: string; readonly: boolean };
  hostname?: string;
  domainname?: string;
  mounts: OciMount[];
  linux: Record<string, unknown>;
  annotations?: Record<string, string>;
  hooks?: Record<string, unknown>;
}
export interface OciProcess {
  terminal: boolean;
  consoleSize?: { height: number; width: number };
  user: { uid: number; gid: number; additionalGids?: number[]; umask?: number };
  args: string[];
  env: string[];
  cwd: string;
  capabilities?: Record<'bounding' | 'effective' | 'permitted' | 'inheritable' | 'ambient', string[]>;
  rlimits?: { type: string; soft: number; hard: number }[];
  noNewPrivileges?: boolean;
  apparmorProfile?: string;
  oomScoreAdj?: number;
}
export interface OciMount {
  destination: string;
  type?: string;
  source?: string;
  options?: string[];
}

/** A mount that the container asked for (binds, volumes, tmpfs, the engine's own hosts/resolv.conf/hostname files). */
export interface SpecMount {
  destination: string;
  type: 'bind' | 'tmpfs';
  source: string;
  readOnly: boolean;
  /** Extra mount options: propagation (`rprivate`…), tmpfs `size=`, `mode=`… */
  options: string[];
  /** True for what the user asked for (a user mount at a default's destination replaces the default). */
  user: boolean;
}

export type NamespaceChoice = { kind: 'private' } | { kind: 'host' } | { kind: 'path'; path: string };

export interface SpecInput {
  id: string;
  config: ContainerConfig;
  hostConfig: HostConfig;
  rootfs: string;
  /** Entrypoint + Cmd after the merge. */
  args: string[];
  /** Resolved in the container's own /etc/passwd by `resolveUser`. */
  user: { uid: number; gid: number; additionalGids: number[] };
  mounts: SpecMount[];
  namespaces: {
    network: NamespaceChoice;
    pid: NamespaceChoice;
    ipc: NamespaceChoice;
    uts: NamespaceChoice;
    cgroup: NamespaceChoice;
  };
  /** e.g. /galley/<id>; the parent folder is the daemon's own (so that several galleyd do not mix). */
  cgroupsPath: string;
  /** Path on the host of the static init binary when HostConfig.Init asks for one; null otherwise. */
  initPath: string | null;
}

export interface TaskRequest {
  id: string;
  spec: OciSpec;
  /** conmon's log (k8s-file format); null: no log at all. */
  logPath: string | null;
  stdin: boolean;
  tty: boolean;
  /** OpenStdin without StdinOnce: the container's stdin stays open when an attached client ends. */
  leaveStdinOpen: boolean;
  /** 'runc', 'crun' or an absolute path. */
  runtime: string;
  /** Bound, non-listening sockets that conmon inherits so that published ports stay reserved for the container's life. */
  portDescriptors: number[];
}

/** A process is recognised by start time and boot id, never by PID alone (design section 4). */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/<pid>/stat. */
  startTime: string;
  bootId: string;
}

export interface ExitStatus {
  exitCode: number;
  oomKilled: boolean;
  /** When the exit file was written. */
  at: Date;
}

/** Stdio of a container or an exec. */
export interface TaskStream {
  /** stream: 1 stdout (also a tty), 2 stderr. Reading begins with the first listener; nothing from before it is lost. */
  onData(listener: (stream: 1 | 2, data: Buffer) => void): void;
  /** Called once, when the other side has ended and everything was read. */
  onEnd(listener: () => void): void;
  /** Reads no more until `resume`: the process waits in its write. Only for an exec's own stream: a container must never wait for a reader (field/conmon.md). */
  pause(): void;
  resume(): void;
  /** Sends stdin in pieces the socket takes; resolves when the kernel has it (back-pressure). */
  write(data: Buffer): Promise<void>;
  /** Closes the process' stdin. */
  endInput(): void;
  close(): void;
}

export interface ExecRequest {
  containerId: string;
  execId: string;
  process: OciProcess;
  stdin: boolean;
  tty: boolean;
  /** false: detached, no attach socket. */
  attach: boolean;
  runtime: string;
}

export interface ExecTask {
  /** null for a detached exec. Connected before the process starts, so nothing is missed. */
  readonly stream: TaskStream | null;
  /** Starts the process. @throws EngineError with runc's words when it cannot start. */
  start(): Promise<{ pid: number }>;
  resize(rows: number, columns: number): Promise<void>;
  /** The exit code; 255 when conmon dies, 126 or 127 when the process could not start. */
  exited(): Promise<number>;
}

export type TaskStatus = 'created' | 'running' | 'paused' | 'stopped' | 'absent';

export interface Runtime {
  /** Makes the bundle, starts conmon, which calls `runc create`. The container exists but does not run yet. @throws EngineError with runc's words. */
  create(request: TaskRequest): Promise<ProcessIdentity>;
  start(id: string): Promise<void>;
  /** kill(2) through the runtime; a process that is gone is no error. */
  kill(id: string, signal: number, options?: { all?: boolean }): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Deletes what is left (runc state, cgroup, bundle, conmon). Idempotent. */
  remove(id: string): Promise<void>;
  /** A new connection to the container's stdio. */
  attach(id: string): Promise<TaskStream>;
  resize(id: string, rows: number, columns: number): Promise<void>;
  /** Closes and reopens the log after it was renamed (rotation). */
  reopenLog(id: string): Promise<void>;
  exec(request: ExecRequest): Promise<ExecTask>;
  /** Resolves when the container has ended, from conmon's exit file; at once when it already has. Survives daemon restarts: call it again at boot. */
  exited(id: string): Promise<ExitStatus>;
  /** What the kernel and the exit file say now, cheaply, without spawning where possible. */
  status(id: string, identity: ProcessIdentity | null): Promise<TaskStatus>;
  /** One sample without `precpu_stats`, `name`, network counters included when pid is given. */
  sample(id: string, pid: number): Promise<ContainerStats>;
  processes(id: string): Promise<number[]>;
  top(id: string, psArgs: string): Promise<TopResponse>;
  update(id: string, hostConfig: HostConfig): Promise<void>;
  /** Bundles on disk (ids) for the boot-time clean-up. */
  bundles(): Promise<string[]>;
}
