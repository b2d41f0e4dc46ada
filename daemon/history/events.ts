import type { EngineEvent, EventType } from '../../src/api/index.ts';
import { messageOf } from '../errors/engine-error.ts';
import type { Database } from '../state/index.ts';
import type { Log } from '../system/log.ts';
import { eventMatches } from './filters.ts';
import type { EventBus, EventListener, SubscribeOptions } from './types.ts';

/** Events kept on disk; older ones go (dockerd keeps 256 in memory and loses them on restart). */
const JOURNAL_LENGTH = 100_000;
/** Events are written in batches: a burst of starts costs one transaction, a crash at most the last 20 ms of the journal. */
const BATCH_MS = 20;
const REPLAY_PAGE = 1000;

interface Entry {
  nano: bigint;
  event: EngineEvent;
  line: string;
}

/** Strictly increasing Unix nanoseconds, so that `since` can name a place in the journal. */
function createClock(): () => bigint {
  const origin = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
  let last = 0n;
  return () => {
    // The wall clock may be set while galleyd runs: follow it when it is more than a second away.
    const steady = origin + process.hrtime.bigint();
    const wall = BigInt(Date.now()) * 1_000_000n;
    const drift = steady > wall ? steady - wall : wall - steady;
    const now = drift > 1_000_000_000n ? wall : steady;
    last = now > last ? now : last + 1n;
    return last;
  };
}

function encode(type: EventType, action: string, id: string, attributes: Record<string, string>, nano: bigint): Entry {
  const event: EngineEvent = {
    ...(type === 'container' || type === 'image' ? { status: action, id } : {}),
    ...(type === 'container' && attributes['image'] !== undefined ? { from: attributes['image'] } : {}),
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: Number(nano / 1_000_000_000n),
    timeNano: Number(nano),
  };
  const { timeNano: _rounded, ...rest } = event;
  return { nano, event, line: `${JSON.stringify(rest).slice(0, -1)},"timeNano":${nano}}` };
}

export function createEventBus(db: Database, log: Log): EventBus {
  const now = createClock();
  const listeners = new Set<(entry: Entry) => void>();
  let pending: Entry[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sincePruned = 0;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const batch = pending;
    pending = [];
    if (batch.length === 0) return;
    const write = () => {
      for (const entry of batch)
        db.sql('INSERT INTO events (time_nano, record) VALUES (?, ?)').run(entry.nano, entry.line);
      sincePruned += batch.length;
      if (sincePruned > 1000) {
        sincePruned = 0;
        db.sql('DELETE FROM events WHERE seq <= (SELECT MAX(seq) FROM events) - ?').run(JOURNAL_LENGTH);
      }
    };
    // The last moments before a power cut may be missing: a journal of events is no truth, and none of them is worth galleyd's life.
    try {
      db.relaxed(() => db.transaction(write));
    } catch (error) {
      log.warn('events could not be kept for replay', { events: batch.length, error: messageOf(error) });
    }
  };

  /** The journal in pages after `seq`, so that a long replay holds little memory. */
  function* journal(since: bigint, until: bigint | undefined): Generator<Entry> {
    flush();
    let after = 0;
    for (;;) {
      const rows = db
        .sql(
          'SELECT seq, CAST(time_nano AS TEXT) AS nano, record FROM events WHERE time_nano >= ? AND seq > ? ORDER BY seq LIMIT ?',
        )
        .all(since, after, REPLAY_PAGE) as unknown as { seq: number; nano: string; record: string }[];
      for (const row of rows) {
        const nano = BigInt(row.nano);
        if (until !== undefined && nano > until) return;
        yield { nano, event: JSON.parse(row.record) as EngineEvent, line: row.record };
      }
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.seq;
    }
  }

  return {
    publish(type, action, id, attributes) {
      const entry = encode(type, action, id, attributes, now());
      pending.push(entry);
      timer ??= setTimeout(flush, BATCH_MS);
      for (const listener of listeners) listener(entry);
    },

    async subscribe(options: SubscribeOptions, listener: EventListener) {
      const { since, until, filters, signal } = options;
      const deliver = (entry: Entry) => {
        if (eventMatches(entry.event, filters)) listener(entry.event, entry.line);
      };
      // The replay is synchronous, so nothing can be published between its end and the registration.
      if (since !== undefined) for (const entry of journal(since, until)) deliver(entry);
      if (signal.aborted || (until !== undefined && until <= BigInt(Date.now()) * 1_000_000n)) return;
      const ended = Promise.withResolvers<void>();
      const live = (entry: Entry) => {
        if (until !== undefined && entry.nano > until) ended.resolve();
        else deliver(entry);
      };
      listeners.add(live);
      const late =
        until === undefined
          ? undefined
          : setTimeout(() => ended.resolve(), Math.min(Number(until / 1_000_000n) - Date.now(), 2 ** 31 - 1));
      const stop = () => ended.resolve();
      signal.addEventListener('abort', stop, { once: true });
      try {
        await ended.promise;
      } finally {
        listeners.delete(live);
        clearTimeout(late);
        signal.removeEventListener('abort', stop);
      }
    },

    flush,
  };
}
