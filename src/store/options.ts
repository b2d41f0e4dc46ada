/** What the command line and the dashboard's bundle agree on. Types only: neither side loads the other for them. */
import type { Endpoint } from '../client/endpoint.ts';

export interface DashboardOptions {
  endpoint: Endpoint;
  env: NodeJS.ProcessEnv;
  debug: boolean;
  /** Starts galleyd at the endpoint unless one answers; true when it was started now. @throws Error with the reason and the way out */
  startEngine: (endpoint: Endpoint, say: (line: string) => void) => Promise<boolean>;
  /** True where something accepts connections. */
  answers: (endpoint: Endpoint) => Promise<boolean>;
  /** Hosts of other engines that answer on their usual sockets. */
  otherEngines: () => Promise<string[]>;
}

export interface SnapshotOptions extends Pick<DashboardOptions, 'endpoint'> {
  columns: number;
  rows: number;
}

/** What src/tui/main.tsx exports to the command line. */
export interface DashboardModule {
  startDashboard(options: DashboardOptions): Promise<number>;
  snapshot(options: SnapshotOptions): Promise<string>;
}
