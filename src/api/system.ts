/** Wire types of /version, /info and /events (Engine API 1.51; field/engine-api.md sections 1.3 and 2.7). */
import type { StringMap } from './containers.ts';

export interface VersionComponent {
  Name: string;
  Version: string;
  Details?: StringMap;
}

export interface VersionResponse {
  Platform: { Name: string };
  Components: VersionComponent[];
  Version: string;
  ApiVersion: string;
  MinAPIVersion: string;
  GitCommit: string;
  GoVersion: string;
  Os: string;
  Arch: string;
  KernelVersion: string;
  BuildTime: string;
}

/** The component name by which a client knows that /galley/v1 exists (design section 1). */
export const GALLEY_COMPONENT = 'galley';

export type EventType = 'container' | 'image' | 'volume' | 'network' | 'daemon' | 'builder';

export interface EngineEvent {
  Type: EventType;
  Action: string;
  Actor: { ID: string; Attributes: StringMap };
  scope: 'local';
  /** Unix seconds. */
  time: number;
  /** Unix nanoseconds; a JSON number, so clients in JavaScript see it rounded to 256 ns. */
  timeNano: number;
  /** Legacy fields of API < 1.52. */
  status?: string;
  id?: string;
  from?: string;
}

/** Both encodings of the `filters` parameter after decoding: key to values. */
export type Filters = Record<string, string[]>;

export interface ErrorResponse {
  message: string;
}

export interface SystemInfo {
  ID: string;
  Name: string;
  ServerVersion: string;
  Containers: number;
  ContainersRunning: number;
  ContainersPaused: number;
  ContainersStopped: number;
  Images: number;
  Driver: string;
  DriverStatus: [string, string][];
  OperatingSystem: string;
  OSType: string;
  Architecture: string;
  KernelVersion: string;
  NCPU: number;
  MemTotal: number;
  DockerRootDir: string;
  Warnings: string[] | null;
  Labels: string[];
  [other: string]: unknown;
}
