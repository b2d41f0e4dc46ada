/** The keys that leave a container running. Pure; client and galleyd both look for them, as Docker's two sides do. */

/** ctrl-p,ctrl-q */
const DEFAULT_KEYS = [16, 17];
const CONTROL: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

function codeOf(key: string): number | undefined {
  if (key.length === 1) return key.charCodeAt(0) < 128 ? key.charCodeAt(0) : undefined;
  const letter = /^ctrl-(.)$/.exec(key.toLowerCase())?.[1];
  if (letter === undefined) return undefined;
  return letter >= 'a' && letter <= 'z' ? letter.charCodeAt(0) - 96 : CONTROL[letter];
}

/** `ctrl-p,ctrl-q`, `a,ctrl-[`: one key a comma, as bytes; empty text is the default. @throws Error naming the part that is no key. */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === '') return Uint8Array.from(DEFAULT_KEYS);
  return Uint8Array.from(
    text.split(',').map((key) => {
      const code = codeOf(key);
      if (code === undefined) throw new Error(`Unknown character: '${key}'`);
      return code;
    }),
  );
}

/**
 * Looks for the key sequence in typed bytes, across pieces. Bytes that may begin it are held back until that is decided,
 * so that the container never sees half of it.
 */
export class DetachScanner {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What to hand on of `data`, and whether the sequence is complete (what follows it is dropped, as dockerd does). */
  push(data: Uint8Array): { forward: Buffer; detached: boolean } {
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
