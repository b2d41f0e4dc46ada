/** A subset of Go's text/template for --format: fields, pipes, variables, if/else, range, with, and Docker's functions. */
import { GoStruct, GoValue } from './go-values.ts';
import { type Functions, functionOf, goText, isTrue } from './template-functions.ts';
import { type Node, type Pipeline, parseTemplate, TemplateError, type Term } from './template-parser.ts';

export interface Template {
  /** @throws TemplateError when a field or function does not fit the data. */
  execute(data: unknown): string;
}

export interface TemplateOptions {
  /** Added to the built-in functions, or in their place. */
  functions?: Functions;
  /** The template's name in messages. */
  name?: string;
  /** The Go type of the data, for the message about a field that it lacks. */
  type?: string;
  /** A key that a map lacks is an error, as in Docker's second try on the raw answer; else it is `<no value>`. */
  strict?: boolean;
}

interface Scope {
  root: unknown;
  dot: unknown;
  variables: Map<string, unknown>;
  source: string;
  options: Required<TemplateOptions>;
}

/**
 * Compiles `source`.
 * @throws TemplateError `template: :1: …` for malformed text.
 */
export function compileTemplate(source: string, given: TemplateOptions = {}): Template {
  const options = { functions: {}, name: '', type: '', strict: true, ...given };
  const nodes = parseTemplate(source, (name) => functionOf(name, options.functions) !== undefined);
  return {
    execute: (data) => run(nodes, { root: data, dot: data, variables: new Map([['$', data]]), source, options }),
  };
}

function run(nodes: readonly Node[], scope: Scope): string {
  let out = '';
  for (const node of nodes) {
    if (node.kind === 'text') out += node.text;
    else if (node.kind === 'action') {
      const value = evaluate(node.pipeline, scope);
      if (!node.pipeline.declares) out += goText(value);
    } else if (node.kind === 'if') {
      out += run(isTrue(evaluate(node.pipeline, scope)) ? node.body : node.otherwise, scope);
    } else if (node.kind === 'with') {
      const value = evaluate(node.pipeline, scope);
      out += isTrue(value) ? run(node.body, { ...scope, dot: value }) : run(node.otherwise, scope);
    } else out += runRange(node, scope);
  }
  return out;
}

function runRange(node: Extract<Node, { kind: 'range' }>, scope: Scope): string {
  const value = evaluate({ ...node.pipeline, declares: undefined }, scope);
  let entries: [unknown, unknown][];
  if (Array.isArray(value)) entries = value.map((one, index) => [index, one]);
  else if (typeof value === 'number') entries = Array.from({ length: value }, (_, index) => [index, index]);
  else if (value === null || value === undefined || value instanceof GoValue) entries = [];
  else if (typeof value === 'object' && !(value instanceof GoStruct)) {
    entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  } else throw located(scope, node.pipeline.commands[0]?.[0], `range can't iterate over ${goText(value)}`);
  if (entries.length === 0) return run(node.otherwise, scope);
  let out = '';
  for (const [key, one] of entries) {
    const variables = new Map(scope.variables);
    const names = node.pipeline.declares ?? [];
    if (names.length === 1) variables.set(names[0] as string, one);
    if (names.length === 2) variables.set(names[0] as string, key).set(names[1] as string, one);
    out += run(node.body, { ...scope, dot: one, variables });
  }
  return out;
}

function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  let value: unknown;
  let piped = false;
  for (const command of pipeline.commands) {
    value = call(command, scope, piped ? [value] : []);
    piped = true;
  }
  for (const name of pipeline.declares ?? []) scope.variables.set(name, value);
  return value;
}

function call(terms: readonly Term[], scope: Scope, last: unknown[]): unknown {
  const [head, ...rest] = terms as [Term, ...Term[]];
  const values = () => [...rest.map((one) => operand(one, scope)), ...last];
  if (head.kind === 'function') return callFunction(head, values(), terms, scope);
  if (head.kind === 'literal' && head.value === null) throw located(scope, head, 'nil is not a command');
  if (head.kind === 'path' && rest.length + last.length > 0) return walk(head, scope, values());
  if (rest.length + last.length > 0) throw located(scope, head, `can't give argument to non-function ${textOf(head)}`);
  return operand(head, scope);
}

function callFunction(
  head: Extract<Term, { kind: 'function' }>,
  args: unknown[],
  terms: readonly Term[],
  scope: Scope,
): unknown {
  try {
    return functionOf(head.name, scope.options.functions)?.(...args);
  } catch (error) {
    if (!(error instanceof TemplateError) || error.located) throw error;
    throw located(scope, head, error.message, terms.map(textOf).join(' '));
  }
}

function operand(term: Term, scope: Scope): unknown {
  if (term.kind === 'literal') return term.value;
  if (term.kind === 'function') return callFunction(term, [], [term], scope);
  if (term.kind === 'group') return follow(evaluate(term.pipeline, scope), term, [], scope);
  return walk(term, scope, []);
}

function walk(term: Extract<Term, { kind: 'path' }>, scope: Scope, args: unknown[]): unknown {
  if (term.variable !== undefined && !scope.variables.has(term.variable)) {
    throw located(scope, term, `undefined variable ${JSON.stringify(term.variable)}`);
  }
  return follow(term.variable === undefined ? scope.dot : scope.variables.get(term.variable), term, args, scope);
}

function follow(start: unknown, term: Extract<Term, { fields: string[] }>, args: unknown[], scope: Scope): unknown {
  let value = start;
  term.fields.forEach((field, index) => {
    const owner = value;
    if (owner === null || owner === undefined)
      throw located(scope, term, `nil data; no entry for key ${JSON.stringify(field)}`);
    if (owner instanceof GoValue) throw located(scope, term, `nil pointer evaluating ${field}`);
    if (typeof owner !== 'object')
      throw located(scope, term, `can't evaluate field ${field} in type ${typeName(owner)}`);
    if (!Object.hasOwn(owner, field) && (scope.options.strict || owner instanceof GoStruct))
      throw located(scope, term, missing(field, owner, scope));
    value = Object.hasOwn(owner, field) ? (owner as Record<string, unknown>)[field] : undefined;
    const isLast = index === term.fields.length - 1;
    if (typeof value === 'function')
      value = (value as (...given: unknown[]) => unknown).apply(owner, isLast ? args : []);
    else if (isLast && args.length > 0)
      throw located(scope, term, `${field} has arguments but cannot be invoked as function`);
  });
  return value;
}

function missing(field: string, owner: object, scope: Scope): string {
  if (owner === scope.root && scope.options.type) return `can't evaluate field ${field} in type ${scope.options.type}`;
  return `map has no entry for key ${JSON.stringify(field)}`;
}

/** Go's way to say where in a template something went wrong. */
function located(scope: Scope, term: Term | undefined, why: string, context = term ? textOf(term) : ''): TemplateError {
  const before = scope.source.slice(0, term?.at ?? 0);
  const line = before.split('\n').length;
  const column = before.length - (before.lastIndexOf('\n') + 1);
  const { name } = scope.options;
  return new TemplateError(
    `template: ${name}:${line}:${column}: executing ${JSON.stringify(name)} at <${context}>: ${why}`,
    'execute',
    true,
  );
}

function typeName(value: unknown): string {
  return typeof value === 'number' ? 'int' : typeof value === 'boolean' ? 'bool' : typeof value;
}

/** A term as Go writes it. */
function textOf(term: Term): string {
  if (term.kind === 'literal') return term.value === null ? 'nil' : JSON.stringify(term.value);
  if (term.kind === 'function') return term.name;
  const fields = term.fields.map((field) => `.${field}`).join('');
  if (term.kind === 'path') return `${term.variable ?? ''}${fields}` || '.';
  return `(${term.pipeline.commands.map((command) => command.map(textOf).join(' ')).join(' | ')})${fields}`;
}
