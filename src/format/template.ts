/** A subset of Go's text/template for --format: fields, pipes, variables, if/else, range, with, and Docker's functions. */
import { callBuiltin, type Functions, goText, isTrue } from './template-functions.ts';
import { type Node, type Pipeline, parseTemplate, TemplateError, type Term } from './template-parser.ts';

export interface Template {
  /** @throws TemplateError when a field or function does not fit the data. */
  execute(data: unknown): string;
}

interface Scope {
  root: unknown;
  dot: unknown;
  variables: Map<string, unknown>;
  functions: Functions;
}

/**
 * Compiles `source`. `functions` adds to (or replaces) the built-in ones.
 * @throws TemplateError `template parsing error: …` for malformed text.
 */
export function compileTemplate(source: string, functions: Functions = {}): Template {
  const nodes = parseTemplate(source);
  return {
    execute: (data) => run(nodes, { root: data, dot: data, variables: new Map([['$', data]]), functions }),
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
  else if (typeof value === 'object' && value !== null) {
    entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  } else if (value === null || value === undefined) entries = [];
  else throw new TemplateError(`range can't iterate over ${goText(value)}`);
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
  if (head.kind === 'function') return callBuiltin(head.name, values(), scope.functions);
  if (head.kind === 'path' && rest.length + last.length > 0) return walk(head, scope, values());
  if (rest.length + last.length > 0) throw new TemplateError(`can't give argument to non-function ${describe(head)}`);
  return operand(head, scope);
}

function operand(term: Term, scope: Scope): unknown {
  if (term.kind === 'literal') return term.value;
  if (term.kind === 'function') return callBuiltin(term.name, [], scope.functions);
  if (term.kind === 'group') return follow(evaluate(term.pipeline, scope), term.fields, []);
  return walk(term, scope, []);
}

function walk(term: Extract<Term, { kind: 'path' }>, scope: Scope, args: unknown[]): unknown {
  if (term.variable !== undefined && !scope.variables.has(term.variable)) {
    throw new TemplateError(`undefined variable ${JSON.stringify(term.variable)}`);
  }
  return follow(term.variable === undefined ? scope.dot : scope.variables.get(term.variable), term.fields, args);
}

function follow(start: unknown, fields: readonly string[], args: unknown[]): unknown {
  let value = start;
  fields.forEach((field, index) => {
    const owner = value;
    if (owner === null || owner === undefined)
      throw new TemplateError(`nil data; no entry for key ${JSON.stringify(field)}`);
    if (typeof owner !== 'object') throw new TemplateError(`can't evaluate field ${field} in type ${typeName(owner)}`);
    if (!(field in owner)) throw new TemplateError(`map has no entry for key ${JSON.stringify(field)}`);
    value = (owner as Record<string, unknown>)[field];
    const isLast = index === fields.length - 1;
    if (typeof value === 'function')
      value = (value as (...given: unknown[]) => unknown).apply(owner, isLast ? args : []);
    else if (isLast && args.length > 0)
      throw new TemplateError(`${field} has arguments but cannot be invoked as function`);
  });
  return value;
}

function typeName(value: unknown): string {
  return typeof value === 'string'
    ? 'string'
    : typeof value === 'number'
      ? 'int'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value;
}

function describe(term: Term): string {
  if (term.kind === 'path') return `${term.variable ?? ''}${term.fields.map((field) => `.${field}`).join('') || '.'}`;
  return term.kind === 'literal' ? JSON.stringify(term.value) : term.kind;
}
