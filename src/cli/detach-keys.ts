/** The keys that leave a container: `ctrl-p,ctrl-q` by default; single characters and ctrl-LETTER, separated by commas. */
export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** @throws Error naming the part that is no key. */
export function parseDetachKeys(text: string): Uint8Array {
  const codes = (text || DEFAULT_DETACH_KEYS).split(',').map((part) => {
    if ([...part].length === 1) return part.charCodeAt(0);
    const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(part)?.[1];
    if (!control) throw new Error(`invalid detach keys (${text}): Unknown character: '${part}'`);
    return control.toUpperCase().charCodeAt(0) & 0x1f;
  });
  return Uint8Array.from(codes);
}

/** Watches typed bytes for the key sequence across pieces; bytes that may begin it are held back until that is decided. */
export class DetachWatcher {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What to pass on of `chunk`, and whether the sequence is complete (then nothing after it counts). */
  push(chunk: Uint8Array): { pass: Uint8Array; detached: boolean } {
    const pass: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        if (++this.#matched === this.#keys.length) return { pass: Uint8Array.from(pass), detached: true };
        continue;
      }
      if (this.#matched > 0) {
        pass.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = byte === this.#keys[0] ? 1 : 0;
        if (this.#matched === 1 && this.#keys.length > 1) continue;
      }
      pass.push(byte);
    }
    return { pass: Uint8Array.from(pass), detached: false };
  }
}
