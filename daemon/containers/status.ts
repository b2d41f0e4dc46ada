import { type ContainerState, type ContainerStatus, humanDuration } from '../../src/api/index.ts';
import { type ContainerRecord, isAlive, ZERO_TIME } from './record.ts';

export function statusOf(record: ContainerRecord): ContainerStatus {
  if (record.removing) return record.status === 'dead' ? 'dead' : 'removing';
  return record.status;
}

/** The text of the STATUS column; clients print it as it is. `now` in milliseconds since 1970. */
export function statusText(record: ContainerRecord, now: number): string {
  const since = (time: string) => humanDuration(now - Date.parse(time));
  if (record.removing && !isAlive(record)) return record.status === 'dead' ? 'Dead' : 'Removal In Progress';
  switch (record.status) {
    case 'running': {
      const up = `Up ${since(record.startedAt)}`;
      if (!record.health || record.health.Status === 'none') return up;
      return record.health.Status === 'starting' ? `${up} (health: starting)` : `${up} (${record.health.Status})`;
    }
    case 'paused':
      return `Up ${since(record.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${record.exitCode}) ${since(record.finishedAt)} ago`;
    case 'created':
      return 'Created';
    case 'dead':
      return 'Dead';
    case 'exited':
      return record.finishedAt === ZERO_TIME ? '' : `Exited (${record.exitCode}) ${since(record.finishedAt)} ago`;
  }
}

/** The State object of inspect. */
export function stateOf(record: ContainerRecord): ContainerState {
  return {
    Status: statusOf(record),
    Running: isAlive(record) || record.status === 'restarting',
    Paused: record.status === 'paused',
    Restarting: record.status === 'restarting',
    OOMKilled: record.oomKilled,
    Dead: record.status === 'dead',
    Pid: isAlive(record) ? (record.identity?.pid ?? 0) : 0,
    ExitCode: record.exitCode,
    Error: record.error,
    StartedAt: record.startedAt,
    FinishedAt: record.finishedAt,
    ...(record.health ? { Health: record.health } : {}),
  };
}
