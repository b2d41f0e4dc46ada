/** Docker's progress lines (field/engine-api.md section 3.4), at most one number each 100 ms for a layer. */
import type { ProgressMessage } from '../../src/api/index.ts';

const THROTTLE_MS = 100;
const WIDTH = 50;

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}

/** `[=====>     ]  1.2MB/3.4MB`, as old clients print it. */
export function progressBar(current: number, total: number): string {
  if (total <= 0) return `${size(current).padStart(8)}`;
  const share = Math.min(WIDTH, Math.floor((current / total) * WIDTH));
  const bar = share >= WIDTH ? `${'='.repeat(WIDTH - 1)}>` : `${'='.repeat(share)}>${' '.repeat(WIDTH - 1 - share)}`;
  return `[${bar}]  ${size(current)}/${size(total)}`;
}

export class LayerProgress {
  readonly #id: string;
  readonly #send: (message: ProgressMessage) => void;
  #last = 0;
  #status = '';

  /** `digest` of the blob: lines carry its first 12 hex digits. */
  constructor(digest: string, send: (message: ProgressMessage) => void) {
    this.#id = digest.slice('sha256:'.length, 'sha256:'.length + 12);
    this.#send = send;
  }

  status(status: string): void {
    this.#status = status;
    this.#send({ status, progressDetail: {}, id: this.#id });
  }

  /** The first and the last number of a status always go out. */
  amount(status: string, current: number, total: number): void {
    const now = performance.now();
    if (status === this.#status && current < total && now - this.#last < THROTTLE_MS) return;
    this.#status = status;
    this.#last = now;
    this.#send({ status, progressDetail: { current, total }, progress: progressBar(current, total), id: this.#id });
  }
}
