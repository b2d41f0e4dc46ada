import type { RawEngineClient } from '../../client/engine.ts';
import { statusOf } from '../../client/failure.ts';
import { type GoKind, goObject } from '../../format/go-values.ts';
import { indentJson } from '../../format/json-text.ts';
import { compileTemplate, type Template } from '../../format/template.ts';
import { TemplateError } from '../../format/template-parser.ts';
import { BAD_FORMAT, ExitError, errorText } from '../errors.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

type Kind = Exclude<GoKind, 'event'>;
interface Found {
  kind: Kind;
  text: string;
}
const KINDS: readonly Kind[] = ['container', 'image', 'network', 'volume'];

function fetchText(client: RawEngineClient, kind: Kind, name: string, args: ParsedArgs): Promise<string> {
  const part = encodeURIComponent(name);
  const size =
    kind === 'container' && args.command.name !== 'image inspect' && hasFlag(args, 'size') && args.bool('size');
  if (kind === 'container')
    return client.text('GET', `/containers/${part}/json`, size ? { query: { size: true } } : {});
  if (kind === 'image') return client.text('GET', `/images/${name.split('/').map(encodeURIComponent).join('/')}/json`);
  if (kind === 'network') {
    const verbose = hasFlag(args, 'verbose') && args.bool('verbose');
    return client.text('GET', `/networks/${part}`, verbose ? { query: { verbose: true } } : {});
  }
  return client.text('GET', `/volumes/${part}`);
}

const hasFlag = (args: ParsedArgs, name: string) => args.command.flags.some((flag) => flag.name === name);

/** The first kind that knows the name; what is not found (404) is asked of the next. */
async function find(client: RawEngineClient, kinds: readonly Kind[], name: string, args: ParsedArgs): Promise<Found> {
  let failure: unknown;
  for (const kind of kinds) {
    try {
      return { kind, text: await fetchText(client, kind, name, args) };
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      failure = error;
    }
  }
  throw kinds.length > 1 ? new ExitError(1, `Error: No such object: ${name}`) : failure;
}

function kindsOf(args: ParsedArgs): readonly Kind[] {
  const owner = args.command.name.split(' ');
  if (owner.length === 2) return [owner[0] as Kind];
  const type = args.string('type');
  if (type === '') return KINDS;
  const kind = KINDS.find((one) => one === type);
  if (!kind) {
    const known = KINDS.map((one) => JSON.stringify(one)).join(', ');
    throw new ExitError(1, `unknown type: ${JSON.stringify(type)}: must be one of ${known}`);
  }
  return [kind];
}

/** `galley inspect` and `… inspect` of every kind: an array of what was found, in the engine's own words. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const kinds = kindsOf(args);
  const format = args.string('format');
  const template = format === '' || format === 'json' ? undefined : inspectTemplate(format);
  const client = await context.client();
  const found: Found[] = [];
  const failures: string[] = [];
  for (const name of args.positionals) {
    try {
      found.push(await find(client, kinds, name, args));
    } catch (error) {
      if (!(error instanceof ExitError) && statusOf(error) === undefined) throw error;
      failures.push(errorText(error));
    }
  }
  if (template) {
    // Docker ends a line even when there was nothing to print on it.
    if (found.length === 0) context.out('\n');
    for (const one of found) context.out(`${executeOn(template, one, context)}\n`);
  } else if (format === 'json') context.out(`[${found.map(({ text }) => text.trim()).join(',')}]\n`);
  else context.out(`${indentJson(`[${found.map(({ text }) => text).join(',')}]`)}\n`);
  for (const failure of failures) context.err(`${failure}\n`);
  return failures.length > 0 ? 1 : 0;
}

interface InspectTemplate {
  typed: Template;
  raw: Template;
}

/** Docker tries a template on its Go types first, then on the bare answer; the second one's mistakes are what people see. */
function inspectTemplate(format: string): InspectTemplate {
  try {
    return { typed: compileTemplate(format, { strict: false }), raw: compileTemplate(format) };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new ExitError(BAD_FORMAT, `template parsing error: ${error.message}`);
  }
}

function executeOn({ typed, raw }: InspectTemplate, { kind, text }: Found, context: CliContext): string {
  const value: unknown = JSON.parse(text);
  try {
    return typed.execute(goObject(value, kind));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
  }
  try {
    return raw.execute(value);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    // Docker ends the (empty) line of a template that failed on the data.
    context.out('\n');
    throw new ExitError(1, `template parsing error: ${error.message}`);
  }
}
