import type { EngineEvent } from '../../api/system.ts';
import { goObject } from '../../format/go-values.ts';
import { goEscapeHtml } from '../../format/json-text.ts';
import { compileTemplate, type Template } from '../../format/template.ts';
import { TemplateError } from '../../format/template-parser.ts';
import { parseTimestamp, rfc3339Nano } from '../../format/units.ts';
import { BAD_FORMAT, ExitError } from '../errors.ts';
import { filtersOf } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `2026-11-27T16:02:57.695336256Z volume create vol1 (driver=local)`. `nanoseconds` within the second, exact. */
export function eventLine(event: EngineEvent, nanoseconds: number): string {
  const attributes = Object.entries(event.Actor?.Attributes ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const tail = attributes.length > 0 ? ` (${attributes.join(', ')})` : '';
  return `${rfc3339Nano(event.time, nanoseconds)} ${event.Type} ${event.Action} ${event.Actor?.ID ?? ''}${tail}`;
}

async function* textLines(body: AsyncIterable<unknown>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of body) {
    rest += String(chunk);
    const lines = rest.split('\n');
    rest = lines.pop() as string;
    for (const line of lines) if (line.trim() !== '') yield line.trim();
  }
}

/** timeNano has 19 digits, more than a double holds: its last nine are read from the text. */
function nanosOf(line: string): number {
  const digits = /"timeNano":\s*(\d+)/.exec(line)?.[1] ?? '0';
  return Number(digits.slice(-9));
}

/** Tried on an event with nothing in it, so that a mistake shows before anything happens. */
function templateOf(format: string): Template {
  try {
    const source = format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
    const template = compileTemplate(source, { type: '*events.Message', strict: false });
    template.execute(goObject({}, 'event'));
    return template;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new ExitError(BAD_FORMAT, `Error parsing format: ${error.message}`);
  }
}

/** `galley events`: until the connection ends, or --until. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const time = (name: string) => (args.string(name) ? parseTimestamp(args.string(name), Date.now()) : undefined);
  const format = args.string('format');
  const template = format === '' || format === 'json' ? undefined : templateOf(format);
  const client = await context.client();
  const { encodeFilters } = await import('../../client/core.ts');
  const body = await client.stream('GET', '/events', {
    query: { since: time('since'), until: time('until'), filters: encodeFilters(filtersOf(args.list('filter'))) },
  });
  body.setEncoding('utf8');
  for await (const line of textLines(body)) {
    if (format === 'json') context.out(`${goEscapeHtml(line)}\n`);
    else {
      const event = JSON.parse(line) as EngineEvent;
      context.out(`${template ? template.execute(goObject(event, 'event')) : eventLine(event, nanosOf(line))}\n`);
    }
  }
  return 0;
}
