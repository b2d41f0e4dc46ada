/** A pull's progress: a line per layer that is redrawn on a terminal, plain lines otherwise. */
import type { ProgressMessage } from '../api/images.ts';
import { humanSize } from '../format/units.ts';

export interface ProgressScreen {
  write(text: string): void;
  /** Columns of the terminal, or undefined when it is none. */
  columns: number | undefined;
}

const BAR_CELLS = 50;
const WIDE = 110;

/** `[=====>     ]  1.2MB/3.4MB` as far as the width allows; empty when the message carries no numbers. */
export function progressBar(detail: ProgressMessage['progressDetail'], columns: number): string {
  const { current = 0, total = 0, units } = detail ?? {};
  if (current <= 0 && total <= 0) return '';
  if (units) return `${current} ${units}`;
  const done = humanSize(current).padStart(8);
  if (total <= 0 || current > total) return done;
  const numbers = `${done}/${humanSize(total)}`;
  if (columns <= WIDE) return numbers;
  const filled = Math.floor((current / total) * BAR_CELLS);
  const bar =
    filled >= BAR_CELLS ? '='.repeat(BAR_CELLS) : `${'='.repeat(filled)}>${' '.repeat(BAR_CELLS - filled - 1)}`;
  return `[${bar}]  ${numbers}`;
}

/** Draws messages as they come. On a terminal each id keeps its line; ids that scrolled off keep their place in the count. */
export class ProgressView {
  readonly #screen: ProgressScreen;
  readonly #lines = new Map<string, number>();

  constructor(screen: ProgressScreen) {
    this.#screen = screen;
  }

  show(message: ProgressMessage): void {
    const { columns } = this.#screen;
    const label = message.id ? `${message.id}: ` : '';
    const text = message.stream ?? `${label}${message.status ?? ''}`;
    if (columns === undefined) {
      if (progressBar(message.progressDetail, 0) === '') this.#screen.write(message.stream ?? `${text}\n`);
      return;
    }
    const bar = progressBar(message.progressDetail, columns);
    const line = bar ? `${text} ${bar}` : text;
    // Only layer lines (they carry a detail, be it empty) are drawn over; `latest: Pulling from …` is an ordinary line.
    if (!message.id || !message.progressDetail) {
      this.#lines.clear();
      this.#screen.write(message.stream ?? `${line}\n`);
      return;
    }
    this.#over(message.id, line.slice(0, Math.max(columns - 1, 1)));
  }

  #over(id: string, line: string): void {
    let at = this.#lines.get(id);
    if (at === undefined) {
      at = this.#lines.size;
      this.#lines.set(id, at);
      this.#screen.write(`${line}\n`);
      return;
    }
    const up = this.#lines.size - at;
    this.#screen.write(`\x1b[${up}A\r\x1b[2K${line}\r\x1b[${up}B`);
  }
}
