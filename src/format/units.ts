/** Sizes and times in Docker's words (its units library), without Intl: that alone costs 30 ms cold. */
import { parseDuration } from '../api/durations.ts';

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];

/** Go's `%.<digits>g` for the sizes at hand: significant digits, no trailing zeros, exponent when the number is too long. */
function significant(value: number, digits: number): string {
  if (value === 0) return '0';
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  const rounded = Number(value.toPrecision(digits));
  if (exponent < -4 || Math.abs(rounded) >= 10 ** digits) {
    const [mantissa, power = '0'] = rounded.toExponential(digits - 1).split('e');
    const sign = power.startsWith('-') ? '-' : '+';
    return `${Number(mantissa)}e${sign}${power.replace(/^[+-]/, '').padStart(2, '0')}`;
  }
  return String(rounded);
}

function scaled(size: number, base: number, units: readonly string[], digits: number): string {
  let value = size;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${significant(value, digits)}${units[unit]}`;
}

/** Bytes in powers of 1000: `1.98MB`. */
export function humanSize(bytes: number, digits = 4): string {
  return scaled(bytes, 1000, DECIMAL, digits);
}

/** Bytes in powers of 1024: `1.5GiB`. */
export function binarySize(bytes: number): string {
  return scaled(bytes, 1024, BINARY, 4);
}

/** Bytes from `512m`, `1.5g`, `64MiB`: every unit is a power of 1024. @throws Error `invalid size: 'x'`. */
export function parseBytes(text: string): number {
  const match =
    /^(\d+(?:\.\d+)?) ?([kmgtp])?(i?b)?$/i.exec(text.trim()) ??
    (/^(\d+(?:\.\d+)?) ?b?$/i.exec(text.trim()) as RegExpExecArray | null);
  if (!match) throw new Error(`invalid size: '${text}'`);
  const power = match[2] ? 'kmgtp'.indexOf(match[2].toLowerCase()) + 1 : 0;
  return Math.trunc(Number(match[1]) * 1024 ** power);
}

const two = (n: number) => String(n).padStart(2, '0');

/** Local time as Go prints a time.Time: `2026-11-27 15:19:06 +0000 UTC`. Takes Unix seconds. */
export function goTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  // The zone's abbreviation without Intl: V8 puts a name in parentheses, short ones are the abbreviation itself.
  const abbreviation = offset === 0 ? 'UTC' : zone;
  return `${dateText(date)} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone} ${abbreviation}`;
}

function dateText(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Unix nanoseconds (as far as a double carries them) as RFC 3339 local time with nine digits, as `events` prints. */
export function rfc3339Nano(seconds: number, nanoseconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  const zone =
    offset === 0
      ? 'Z'
      : `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const fraction = String(nanoseconds).padStart(9, '0');
  return `${dateText(date)}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${fraction}${zone}`;
}

/**
 * `--since`/`--until`: Unix seconds and RFC 3339 pass as seconds(.nanoseconds), a Go duration is that long ago.
 * @throws Error naming the text when it is neither.
 */
export function parseTimestamp(text: string, now: number): string {
  if (/^\d+(\.\d{1,9})?$/.test(text)) return text;
  try {
    const ago = parseDuration(text);
    return ((now - ago / 1e6) / 1000).toFixed(6);
  } catch {
    // Not a duration: a date then.
  }
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}(?::\d{2}(?::\d{2}(?:\.(\d{1,9}))?)?)?))?(Z|[+-]\d{2}:\d{2})?$/.exec(
    text,
  );
  if (match) {
    const clock = (match[2] ?? '00').split('.')[0] as string;
    const full = `${match[1]}T${clock}${':00:00'.slice(0, 8 - clock.length)}${match[4] ?? ''}`;
    const parsed = Date.parse(full);
    if (!Number.isNaN(parsed)) return `${Math.floor(parsed / 1000)}.${(match[3] ?? '').padEnd(9, '0')}`;
  }
  throw new Error(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
}
