/**
 * Room on the disk that is kept for the database: on a file system that containers and pulls have filled, the end of a container can
 * still be recorded and what fills the disk be removed.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** Some hundreds of commits. */
const BYTES = 4 * 2 ** 20;
const TRY_AGAIN_MS = 10_000;
/** SQLITE_FULL */
const FULL = 13;

/** Whether a statement failed because the disk is full. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === FULL;
}

export class Reserve {
  readonly #file: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: string) {
    this.#file = file;
    this.#fill();
  }

  #fill(): void {
    if (existsSync(this.#file)) return;
    try {
      writeFileSync(this.#file, Buffer.alloc(BYTES), { mode: 0o600 });
    } catch {
      // No room for it now: a part of it would be taken from whoever needs it.
      rmSync(this.#file, { force: true });
      this.#later();
    }
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fill(), TRY_AGAIN_MS).unref();
  }

  /** Gives the room up, and takes it back when there is some again. False: it was given up already. */
  spend(): boolean {
    if (!existsSync(this.#file)) return false;
    rmSync(this.#file, { force: true });
    this.#later();
    return true;
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
