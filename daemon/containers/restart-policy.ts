import type { RestartPolicy } from '../../src/api/index.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;
/** A run at least this long starts the back-off anew. */
const STEADY_MS = 10_000;

export interface RestartQuestion {
  policy: RestartPolicy;
  exitCode: number;
  restartCount: number;
  /** The user stopped or killed it. */
  wanted: boolean;
}

/** Whether a container that ended is to be started again while galleyd runs. */
export function shouldRestart({ policy, exitCode, restartCount, wanted }: RestartQuestion): boolean {
  if (wanted) return false;
  switch (policy.Name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return exitCode !== 0 && (policy.MaximumRetryCount === 0 || restartCount < policy.MaximumRetryCount);
    default:
      return false;
  }
}

/** At boot `always` starts also what the user had stopped; `unless-stopped` does not. */
export function shouldStartAtBoot(question: RestartQuestion): boolean {
  if (question.policy.Name === 'always') return true;
  return shouldRestart(question);
}

/** The wait before the next start: 100 ms, doubled each time up to a minute; anew after a steady run. */
export function nextDelay(previous: number, ranForMs: number): number {
  if (previous === 0 || ranForMs >= STEADY_MS) return FIRST_DELAY_MS;
  return Math.min(previous * 2, LONGEST_DELAY_MS);
}
