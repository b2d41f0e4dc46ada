import { lifetime, type Question } from './message.ts';

const MAX_ENTRIES = 2000;
const MAX_SECONDS = 3600;

interface Entry {
  message: Buffer;
  ttlOffsets: number[];
  storedAt: number;
  expiresAt: number;
}

/** Replies of the servers outside, for as long as they may be kept; the oldest give way. */
export class ReplyCache {
  readonly #entries = new Map<string, Entry>();

  /** The reply with the times to live that are left, under the id of the query. */
  get(key: string, query: Buffer, now = Date.now()): Buffer | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (entry.expiresAt <= now) {
      this.#entries.delete(key);
      return undefined;
    }
    const message = Buffer.from(entry.message);
    query.copy(message, 0, 0, 2);
    const age = Math.floor((now - entry.storedAt) / 1000);
    for (const at of entry.ttlOffsets) message.writeUInt32BE(Math.max(0, message.readUInt32BE(at) - age), at);
    return message;
  }

  put(key: string, message: Buffer, question: Question, now = Date.now()): void {
    const life = lifetime(message, question);
    if (!life || life.seconds === 0) return;
    this.#entries.delete(key);
    this.#entries.set(key, {
      message,
      ttlOffsets: life.ttlOffsets,
      storedAt: now,
      expiresAt: now + Math.min(life.seconds, MAX_SECONDS) * 1000,
    });
    if (this.#entries.size > MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value as string);
  }
}
