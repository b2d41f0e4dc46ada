import { GoStruct, GoValue } from './go-values.ts';
import { goQuote, sortedJson } from './json-text.ts';
import { TemplateError } from './template-parser.ts';

export type Functions = Readonly<Record<string, (...args: never[]) => unknown>>;

/** A value as Go's fmt prints it: maps as `map[k:v]`, structs as `{v w}`, lists as `[a b]`, nil as `<no value>`. */
export function goText(value: unknown): string {
  return value === null || value === undefined ? '<no value>' : inner(value);
}

function inner(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(inner).join(' ')}]`;
  if (typeof value === 'function') return inner((value as () => unknown)());
  if (value instanceof GoValue) return value.text;
  if (value instanceof GoStruct) return GoStruct.text(value, inner);
  if (typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, one]) => `${key}:${inner(one)}`).join(' ')}]`;
  }
  return String(value);
}

/** Go's idea of truth: empty strings, lists, maps, zero and nil are false. */
export function isTrue(value: unknown): boolean {
  if (value instanceof GoValue) return value.truth;
  if (value instanceof GoStruct) return true;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

const str = (value: unknown): string => (typeof value === 'string' ? value : inner(value));

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const out: Record<string, unknown> = {};
  for (const [key, one] of Object.entries(value))
    out[key] = typeof one === 'function' ? (one as () => unknown).call(value) : one;
  return out;
}

/** printf for the verbs people use: %s %v %d %q %x %t %f %g %%, with width, precision, - and 0. */
function printf(format: unknown, ...args: unknown[]): string {
  let next = 0;
  const out = str(format).replace(
    /%([-+0 #]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g,
    (whole, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const value = args[next++];
      let text: string;
      if (verb === 'q') text = goQuote(str(value));
      else if (verb === 'x')
        text = typeof value === 'number' ? value.toString(16) : Buffer.from(str(value)).toString('hex');
      else if (verb === 'f') text = Number(value).toFixed(precision === undefined ? 6 : Number(precision));
      else if (verb === 's' || verb === 'v' || verb === 'd' || verb === 't' || verb === 'g') text = str(value);
      else return whole;
      if (precision !== undefined && verb === 's') text = text.slice(0, Number(precision));
      if (width === undefined) return text;
      if (flags.includes('-')) return text.padEnd(Number(width));
      return text.padStart(Number(width), flags.includes('0') && typeof value === 'number' ? '0' : ' ');
    },
  );
  return next < args.length ? `${out}%!(EXTRA ${args.slice(next).map(str).join(', ')})` : out;
}

function index(collection: unknown, ...keys: unknown[]): unknown {
  let value = collection;
  for (const key of keys) {
    if (value === null || value === undefined) throw new TemplateError('error calling index: index of untyped nil');
    if (Array.isArray(value) || typeof value === 'string') {
      if (typeof key !== 'number')
        throw new TemplateError('error calling index: cannot index slice/array with type string');
      if (key < 0 || key >= value.length) throw new TemplateError(`error calling index: index out of range: ${key}`);
      value = value[key];
    } else if (typeof value === 'object') value = (value as Record<string, unknown>)[String(key)] ?? '';
    else throw new TemplateError(`error calling index: can't index item of type ${typeof value}`);
  }
  return value;
}

const compare = (a: unknown, b: unknown) =>
  (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;

const BUILTINS: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
  json: (value) => sortedOrPlain(value),
  upper: (value) => str(value).toUpperCase(),
  lower: (value) => str(value).toLowerCase(),
  title: (value) => str(value).replace(/\b\w/g, (letter) => letter.toUpperCase()),
  split: (value, separator) => str(value).split(str(separator)),
  join: (value, separator) => (Array.isArray(value) ? value.map(str).join(str(separator)) : str(value)),
  pad: (value, before, after) =>
    str(value) === '' ? '' : ' '.repeat(Number(before)) + str(value) + ' '.repeat(Number(after)),
  truncate: (value, length) => [...str(value)].slice(0, Number(length)).join(''),
  println: (...values) => `${values.map(str).join(' ')}\n`,
  // Go puts a blank between two operands when neither is a string.
  print: (...values) =>
    values
      .map((one, at) => (at > 0 && typeof one !== 'string' && typeof values[at - 1] !== 'string' ? ' ' : '') + str(one))
      .join(''),
  printf,
  len: (value) => (typeof value === 'object' && value !== null ? Object.keys(value).length : str(value).length),
  index,
  not: (value) => !isTrue(value),
  and: (...values) => values.find((one) => !isTrue(one)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  eq: (first, ...rest) => rest.some((one) => one === first),
  ne: (a, b) => a !== b,
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  slice: (value, from = 0, to) => {
    const list = value as string | unknown[];
    const over = [from, to].find((one) => one !== undefined && !(Number(one) >= 0 && Number(one) <= list.length));
    if (over !== undefined) throw new TemplateError(`error calling slice: index out of range: ${over}`);
    return list.slice(Number(from), to === undefined ? undefined : Number(to));
  },
  html: (value) => str(value).replace(/[&<>'"]/g, (one) => `&#${one.charCodeAt(0)};`),
  urlquery: (value) => encodeURIComponent(str(value)),
};

/** Parsed answers keep the engine's key order; rows of our own tables are sorted, as Docker's are. */
function sortedOrPlain(value: unknown): string {
  const methods =
    typeof value === 'object' && value !== null && Object.values(value).some((one) => typeof one === 'function');
  return methods ? sortedJson(plain(value)) : JSON.stringify(value ?? null);
}

type Callable = (...given: unknown[]) => unknown;

/** The function of that name; those of `extra` first. */
export function functionOf(name: string, extra: Functions): Callable | undefined {
  if (Object.hasOwn(extra, name)) return extra[name] as Callable;
  return Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined;
}
