/** The event journal (field/engine-api.md section 2.7). */
import type { EngineEvent, EventType, Filters } from '../../src/api/index.ts';

export interface EventBus {
  publish(type: EventType, action: string, id: string, attributes: Record<string, string>): void;
  /** Replays from the journal (since, until in Unix nanoseconds), then live until `signal` aborts or `until` passes. Every event exactly once, in order. */
  subscribe(
    options: { since?: bigint; until?: bigint; filters: Filters; signal: AbortSignal },
    listener: (event: EngineEvent) => void,
  ): Promise<void>;
}
