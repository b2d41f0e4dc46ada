/** The listing commands' common end: table, json or template, as Docker's formatter prints them. */

import { goEscapeHtml, sortedJson } from '../format/json-text.ts';
import { alignColumns } from '../format/table.ts';
import { compileTemplate } from '../format/template.ts';

/** One line of a list: every field that --format may name. */
export type Row = Readonly<Record<string, string | null | ((...args: string[]) => string)>>;

export interface Listing {
  /** Column heads by field name. */
  headers: Readonly<Record<string, string>>;
  /** Fields of the default table. */
  columns: readonly string[];
  rows: readonly Row[];
  /** The --format flag; empty is the default table. */
  format: string;
  /** Fields that are no part of `json` (they take arguments). */
  methods?: readonly string[];
  /** Docker's Go type of a row, for its messages. */
  type?: string;
  /** What `--format raw` shows: `key: value` lines. */
  raw?: readonly [key: string, field: string][];
}

const textOf = (row: Row, field: string): string => {
  const value = row[field];
  return typeof value === 'function' ? value() : (value ?? '');
};

/** Functions as Docker applies them to column heads: they leave the head as it is. */
const HEADER_FUNCTIONS = {
  json: (value: unknown) => value,
  title: (value: unknown) => value,
  lower: (value: unknown) => value,
  upper: (value: unknown) => value,
  truncate: (value: unknown) => value,
};

function rowJson(listing: Listing, row: Row): string {
  const fields = Object.keys(listing.headers).filter((field) => !listing.methods?.includes(field));
  return goEscapeHtml(
    sortedJson(Object.fromEntries(fields.map((field) => [field, row[field] === null ? null : textOf(row, field)]))),
  );
}

/** The whole text of a list, with its last line break. @throws TemplateError for a --format that does not fit. */
export function formatList(listing: Listing): string {
  const { format, rows, headers } = listing;
  const type = listing.type ?? '';
  if (format === '' || format === 'table') {
    const head = listing.columns.map((field) => headers[field] ?? field).join('\t');
    return alignColumns(
      [head, ...rows.map((row) => listing.columns.map((field) => textOf(row, field)).join('\t')), ''].join('\n'),
    );
  }
  if (format === 'raw' && listing.raw) {
    const lines = listing.raw;
    return rows.map((row) => `${lines.map(([key, field]) => `${key}: ${textOf(row, field)}\n`).join('')}\n`).join('');
  }
  if (format === 'json') return rows.map((row) => `${rowJson(listing, row)}\n`).join('');
  const isTable = format.startsWith('table ');
  const source = (isTable ? format.slice('table '.length) : format)
    .trim()
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
  // Mistakes show without any row, too.
  compileTemplate(source, { type });
  const lines = rows.map((row) => {
    const whole = { toJson: () => rowJson(listing, row) };
    return `${compileTemplate(source, { functions: { json: jsonOf(whole, row) }, type }).execute(row)}\n`;
  });
  if (!isTable) return lines.join('');
  const named: Row = Object.fromEntries(
    Object.entries(headers).map(([field, head]) => [field, headOf(field, head, listing)]),
  );
  const head = compileTemplate(source, { functions: HEADER_FUNCTIONS, type }).execute(named);
  return alignColumns(`${head}\n${lines.join('')}`);
}

/**
 * The listing as `-q` or `--format` wants it; `id` is the field that -q shows. As with Docker a --format of one's own wins
 * over -q. @throws Error with Docker's words for a template that does not fit.
 */
export function listText(listing: Listing, quiet: boolean, id: string): string {
  if (quiet && (listing.format === '' || listing.format === 'table'))
    return listing.rows.map((row) => `${textOf(row, id)}\n`).join('');
  if (quiet && listing.format === 'raw') {
    const key = listing.raw?.find(([, field]) => field === id)?.[0] ?? id;
    return listing.rows.map((row) => `${key}: ${textOf(row, id)}\n`).join('');
  }
  return formatList(listing);
}

/** `{{.Label "x"}}` heads its column with the last part of the label's name. */
function headOf(field: string, head: string, listing: Listing): string | ((...args: string[]) => string) {
  if (!listing.methods?.includes(field)) return head;
  return (...args) => (args[0] ?? head).split(/[.]/).at(-1) ?? head;
}

function jsonOf(whole: { toJson: () => string }, row: Row) {
  return (value: unknown) => (value === row ? whole.toJson() : JSON.stringify(value ?? null));
}

/** `--filter` values as key to values; the parser has seen to the `=`. */
export function filtersOf(list: readonly string[]): Record<string, string[]> {
  const filters: Record<string, string[]> = {};
  for (const one of list) {
    const equals = one.indexOf('=');
    const key = one.slice(0, equals).trim().toLowerCase();
    (filters[key] ??= []).push(one.slice(equals + 1).trim());
  }
  return filters;
}

/** Runs `action` for each name; prints what it gives on stdout, errors on stderr, goes on after an error. 1 when any failed. */
export async function forEachName(
  names: readonly string[],
  io: { out(text: string): void; err(text: string): void },
  action: (name: string) => Promise<string>,
): Promise<number> {
  let code = 0;
  const { errorText } = await import('./errors.ts');
  const { EngineUnreachableError } = await import('../client/failure.ts');
  const results = await Promise.allSettled(names.map(action));
  results.forEach((result) => {
    if (result.status === 'fulfilled') {
      if (result.value !== '') io.out(`${result.value}\n`);
      return;
    }
    if (result.reason instanceof EngineUnreachableError) throw result.reason;
    io.err(`${errorText(result.reason)}\n`);
    code = 1;
  });
  return code;
}
