import type { RawEngineClient } from '../../client/engine.ts';
import { statusOf } from '../../client/failure.ts';
import { indentJson } from '../../format/json-text.ts';
import { compileTemplate, type Template } from '../../format/template.ts';
import { ExitError, errorText } from '../errors.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

type Kind = 'container' | 'image' | 'network' | 'volume';
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
async function find(client: RawEngineClient, kinds: readonly Kind[], name: string, args: ParsedArgs): Promise<string> {
  let failure: unknown;
  for (const kind of kinds) {
    try {
      return await fetchText(client, kind, name, args);
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
  if (!kind) throw new ExitError(1, `unknown type: ${JSON.stringify(type)} (container, image, network or volume)`);
  return [kind];
}

/** `galley inspect` and `… inspect` of every kind: an array of what was found, in the engine's own words. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const kinds = kindsOf(args);
  const format = args.string('format');
  let template: Template | undefined;
  if (format !== '' && format !== 'json') template = compileTemplate(format);
  const client = await context.client();
  const found: string[] = [];
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
    for (const text of found) context.out(`${executeOn(template, text, context)}\n`);
  } else if (format === 'json') context.out(`[${found.map((text) => text.trim()).join(',')}]\n`);
  else context.out(`${indentJson(`[${found.join(',')}]`)}\n`);
  for (const failure of failures) context.err(`${failure}\n`);
  return failures.length > 0 ? 1 : 0;
}

function executeOn(template: Template, text: string, context: CliContext): string {
  try {
    return template.execute(JSON.parse(text));
  } catch (error) {
    // Docker ends the (empty) line of a template that failed on the data.
    context.out('\n');
    throw new ExitError(1, `template parsing error: template: :1: ${(error as Error).message}`);
  }
}
