/** The event journal (field/engine-api.md section 2.7). */
import type { EngineEvent, EventType, Filters } from '../../src/api/index.ts';

export interface SubscribeOptions {
  /** Unix nanoseconds; absent: from now on. */
  since?: bigint;
  /** Unix nanoseconds; absent: until `signal` aborts. */
  until?: bigint;
  filters: Filters;
  signal: AbortSignal;
}

/** `line` is the event as JSON with its exact nanoseconds, which a JavaScript number cannot hold. */
export type EventListener = (event: EngineEvent, line: string) => void;

export interface EventBus {
  publish(type: EventType, action: string, id: string, attributes: Record<string, string>): void;
  /** Replays from the journal, then live. Every event exactly once, in order. Resolves when the subscription ends. */
  subscribe(options: SubscribeOptions, listener: EventListener): Promise<void>;
  /** Writes what is still in memory. */
  flush(): void;
}
