import { containerErrors } from '../errors/containers.ts';

const DEFAULT = Buffer.from([16, 17]); // ctrl-p,ctrl-q
const CONTROL: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

/** `ctrl-p,ctrl-q`, `a,ctrl-[`: one key a comma; empty is the default. @throws EngineError 400 */
export function parseDetachKeys(text: string): Buffer {
  if (text === '') return DEFAULT;
  return Buffer.from(
    text.split(',').map((key) => {
      const lower = key.toLowerCase();
      if (lower.startsWith('ctrl-') && key.length === 6) {
        const letter = lower[5] as string;
        if (letter >= 'a' && letter <= 'z') return letter.charCodeAt(0) - 96;
        const code = CONTROL[letter];
        if (code !== undefined) return code;
      } else if (key.length === 1 && key.charCodeAt(0) < 128) {
        return key.charCodeAt(0);
      }
      throw containerErrors.badDetachKeys(text);
    }),
  );
}

/**
 * Looks for the detach sequence in what a client types. A started sequence is held back until it completes or breaks,
 * so that the container never sees half of it.
 */
export class DetachScanner {
  readonly #keys: Buffer;
  #matched = 0;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** What to hand on, and whether the sequence completed (what follows it is dropped, as dockerd does). */
  push(data: Buffer): { forward: Buffer; detached: boolean } {
    if (this.#keys.length === 0) return { forward: data, detached: false };
    const out: number[] = [];
    for (const byte of data) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === this.#keys.length) return { forward: Buffer.from(out), detached: true };
        continue;
      }
      if (this.#matched > 0) {
        out.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
        if (byte === this.#keys[0]) {
          this.#matched = 1;
          continue;
        }
      }
      out.push(byte);
    }
    return { forward: Buffer.from(out), detached: false };
  }
}
