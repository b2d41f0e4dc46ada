/** conmon's k8s-file lines: `TIME stdout|stderr F|P TEXT` (field/conmon.md). P: the stream had no newline here. */
export interface LogEntry {
  stream: 1 | 2;
  /** RFC 3339 with conmon's own offset and precision, as written. */
  time: string;
  /** What the container wrote, with its newline when the line is whole. */
  data: Buffer;
  partial: boolean;
}

const NEWLINE = 10;
const SPACE = 32;
const BREAK = Buffer.from('\n');

/** One line without its newline; undefined when it is no log line (a torn write of a crashed host). */
export function parseLogLine(line: Buffer): LogEntry | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  if (first < 1 || second < 0) return undefined;
  const name = line.toString('latin1', first + 1, second);
  const tag = line[second + 1];
  const stream = name === 'stdout' ? 1 : name === 'stderr' ? 2 : undefined;
  if (stream === undefined || (tag !== 0x46 && tag !== 0x50) || line[second + 2] !== SPACE) return undefined;
  const text = line.subarray(second + 3);
  const partial = tag === 0x50;
  return {
    stream,
    time: line.toString('latin1', 0, first),
    data: partial ? Buffer.from(text) : Buffer.concat([text, BREAK]),
    partial,
  };
}

/** Cuts a byte stream into log lines, whatever the pieces are. Keeps the unfinished rest. */
export class LineSplitter {
  #rest: Buffer[] = [];

  *push(chunk: Buffer): Generator<Buffer> {
    let at = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, at);
      if (end < 0) break;
      const piece = chunk.subarray(at, end);
      at = end + 1;
      if (this.#rest.length === 0) yield piece;
      else {
        this.#rest.push(piece);
        const whole = Buffer.concat(this.#rest);
        this.#rest = [];
        yield whole;
      }
    }
    if (at < chunk.length) this.#rest.push(Buffer.from(chunk.subarray(at)));
  }

  /** What is left when a file ends without a newline. */
  take(): Buffer | undefined {
    if (this.#rest.length === 0) return undefined;
    const whole = Buffer.concat(this.#rest);
    this.#rest = [];
    return whole;
  }
}

/** RFC 3339 with up to nine digits to Unix nanoseconds; undefined when it is none. */
export function parseTime(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)$/.exec(text);
  if (!match) return undefined;
  const zone = match[3] as string;
  const seconds = Date.parse(
    `${match[1]}${zone === 'Z' || zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`}`,
  );
  if (Number.isNaN(seconds)) return undefined;
  return BigInt(seconds) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}

/** Docker's timestamp prefix: UTC with fixed nine digits. */
export function formatTime(time: string): string {
  const nanos = parseTime(time);
  if (nanos === undefined) return time;
  const fraction = nanos % 1_000_000_000n;
  const seconds = new Date(Number((nanos - fraction) / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(fraction).padStart(9, '0')}Z`;
}
