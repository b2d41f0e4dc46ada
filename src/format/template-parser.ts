/** Go template text to a tree. */

/** A mistake in a --format template, in its text (`parse`) or in its use on the data (`execute`). The message is Go's. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly phase: 'parse' | 'execute';
  /** The message says where already. */
  readonly located: boolean;

  constructor(message: string, phase: 'parse' | 'execute' = 'execute', located = phase === 'parse') {
    super(message);
    this.phase = phase;
    this.located = located;
  }
}

/** `at` is the offset in the template that Go's messages name: of the last field where there are several. */
export type Term =
  | { kind: 'literal'; at: number; value: string | number | boolean | null }
  | { kind: 'path'; at: number; variable?: string; fields: string[] }
  | { kind: 'function'; at: number; name: string }
  | { kind: 'group'; at: number; pipeline: Pipeline; fields: string[] };

export interface Pipeline {
  declares?: string[] | undefined;
  commands: Term[][];
}

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipeline: Pipeline }
  | Block<'if'>
  | Block<'range'>
  | Block<'with'>;

interface Block<Kind> {
  kind: Kind;
  pipeline: Pipeline;
  body: Node[];
  otherwise: Node[];
}

type Token = {
  type: 'string' | 'number' | 'field' | 'variable' | 'word' | 'dot' | 'op';
  text: string;
  at: number;
  spaced: boolean;
};

const fail = (why: string): never => {
  throw new TemplateError(`template: :1: ${why}`, 'parse');
};

type Piece = { text: string } | { action: string; at: number };

function split(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    let text = open < 0 ? source.slice(at) : source.slice(at, open);
    if (trimNext) text = text.trimStart();
    if (open < 0) {
      pieces.push({ text });
      break;
    }
    let start = open + 2;
    if (/^- /.test(source.slice(start, start + 2))) {
      text = text.trimEnd();
      start += 2;
    }
    if (text !== '') pieces.push({ text });
    const close = endOfAction(source, start);
    let action = source.slice(start, close);
    trimNext = / -$/.test(action);
    if (trimNext) action = action.slice(0, -2);
    if (!action.trim().startsWith('/*')) pieces.push({ action, at: start });
    at = close + 2;
  }
  return pieces;
}

function endOfAction(source: string, start: number): number {
  let quote = '';
  for (let at = start; at < source.length; at++) {
    const character = source[at] as string;
    if (quote !== '') {
      if (character === '\\' && quote === '"') at++;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === '`') quote = character;
    else if (character === '}' && source[at + 1] === '}') return at;
  }
  return fail(quote ? 'unterminated quoted string' : 'unclosed action');
}

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*"|`[^`]*`)|('(?:[^'\\]|\\.)')|([+-]?\d+(?:\.\d+)?)|(\.[A-Za-z_]\w*)|(\$\w*)|([A-Za-z_]\w*)|(\.)|(:=|[|(),=]))/y;

/** `base` is where `action` stands in the template. */
function tokens(action: string, base: number): Token[] {
  const out: Token[] = [];
  TOKEN.lastIndex = 0;
  const end = action.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const before = TOKEN.lastIndex;
    const match = TOKEN.exec(action);
    if (!match) {
      fail(`unexpected ${JSON.stringify(action.slice(before).trim()[0] ?? '')} in ${JSON.stringify(action.trim())}`);
      break;
    }
    const types = ['string', 'number', 'number', 'field', 'variable', 'word', 'dot', 'op'] as const;
    const group = match.slice(1).findIndex((one) => one !== undefined);
    const text = match[group + 1] as string;
    const value = group === 1 ? String(text.codePointAt(1)) : text;
    const at = base + TOKEN.lastIndex - text.length;
    out.push({ type: types[group] as Token['type'], text: value, at, spaced: match[0] !== text });
  }
  return out;
}

function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  return text.slice(1, -1).replace(/\\(n|t|r|"|\\|'|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)/g, (_, code: string) => {
    if (code === 'n') return '\n';
    if (code === 't') return '\t';
    if (code === 'r') return '\r';
    if (/^[xu]./.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return code;
  });
}

class ActionParser {
  readonly #tokens: Token[];
  readonly #functions: (name: string) => boolean;
  #at = 0;

  constructor(list: Token[], functions: (name: string) => boolean) {
    this.#tokens = list;
    this.#functions = functions;
  }

  /** `context` is what lacks a value when there is none, in Go's words. */
  pipeline(context: string, closing = false): Pipeline {
    const declares = this.#declaration();
    const commands: Term[][] = [];
    for (;;) {
      const terms: Term[] = [];
      while (this.#peek() && !this.#isOp('|') && !this.#isOp(')')) terms.push(this.#term());
      if (terms.length === 0) fail(`missing value for ${context}`);
      commands.push(terms);
      if (!this.#isOp('|')) break;
      this.#at++;
    }
    if (closing) {
      if (!this.#isOp(')')) fail('unclosed left paren');
      this.#at++;
    } else if (this.#peek()) fail(`unexpected ${JSON.stringify(this.#peek()?.text)} in operand`);
    return { declares, commands };
  }

  #peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead];
  }

  #isOp(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    return token?.type === 'op' && token.text === text;
  }

  #declaration(): string[] | undefined {
    const first = this.#peek();
    if (first?.type !== 'variable') return undefined;
    if (this.#isOp(':=', 1) || this.#isOp('=', 1)) {
      this.#at += 2;
      return [first.text];
    }
    const second = this.#peek(2);
    if (this.#isOp(',', 1) && second?.type === 'variable' && this.#isOp(':=', 3)) {
      this.#at += 4;
      return [first.text, second.text];
    }
    return undefined;
  }

  /** The fields that follow without a blank, and where Go says that they are: the second of a chain. */
  #fields(first: Token): { fields: string[]; at: number } {
    const fields: string[] = [];
    const at = this.#peek()?.type === 'field' && !this.#peek()?.spaced ? (this.#peek() as Token).at : first.at;
    for (let next = this.#peek(); next?.type === 'field' && !next.spaced; next = this.#peek()) {
      fields.push(next.text.slice(1));
      this.#at++;
    }
    return { fields, at };
  }

  #term(): Term {
    const token = this.#peek() as Token;
    this.#at++;
    const { at } = token;
    if (token.type === 'string') return { kind: 'literal', at, value: unquote(token.text) };
    if (token.type === 'number') return { kind: 'literal', at, value: Number(token.text) };
    if (token.type === 'dot') return { kind: 'path', at, fields: [] };
    if (token.type === 'field') {
      const rest = this.#fields(token);
      return { kind: 'path', at: rest.at, fields: [token.text.slice(1), ...rest.fields] };
    }
    if (token.type === 'variable') return { kind: 'path', variable: token.text, ...this.#fields(token) };
    if (token.type === 'op' && token.text === '(') {
      const pipeline = this.pipeline('parenthesized pipeline', true);
      return { kind: 'group', pipeline, ...this.#fields(token) };
    }
    if (token.type === 'word') {
      if (token.text === 'true' || token.text === 'false') return { kind: 'literal', at, value: token.text === 'true' };
      if (token.text === 'nil') return { kind: 'literal', at, value: null };
      if (!this.#functions(token.text)) fail(`function ${JSON.stringify(token.text)} not defined`);
      return { kind: 'function', at, name: token.text };
    }
    return fail(`unexpected ${JSON.stringify(token.text)} in command`);
  }
}

/** Parses a whole template; `functions` tells which names there are. @throws TemplateError */
export function parseTemplate(source: string, functions: (name: string) => boolean): Node[] {
  const pieces = split(source);
  let at = 0;
  const parse = (text: string, from: number, context: string) =>
    new ActionParser(tokens(text, from), functions).pipeline(context);
  const block = (inside: string): { nodes: Node[]; end: string; rest: string; from: number } => {
    const nodes: Node[] = [];
    while (at < pieces.length) {
      const piece = pieces[at++] as Piece;
      if ('text' in piece) {
        nodes.push({ kind: 'text', text: piece.text });
        continue;
      }
      const word = /^\s*(if|range|with|else|end)\b(?!\s*:?=)/.exec(piece.action);
      if (!word) {
        nodes.push({ kind: 'action', pipeline: parse(piece.action, piece.at, 'command') });
        continue;
      }
      const rest = piece.action.slice(word[0].length);
      const from = piece.at + word[0].length;
      const keyword = word[1] as string;
      if (keyword === 'end' || keyword === 'else') {
        if (inside === '') fail(`unexpected {{${keyword}}}`);
        return { nodes, end: keyword, rest, from };
      }
      nodes.push(control(keyword as 'if', rest, from));
    }
    if (inside !== '') fail('unexpected EOF');
    return { nodes, end: '', rest: '', from: source.length };
  };
  const control = (kind: 'if' | 'range' | 'with', rest: string, from: number): Node => {
    const pipeline = parse(rest, from, kind);
    const body = block(kind);
    let otherwise: Node[] = [];
    if (body.end === 'else') {
      const chained = /^\s*(if|with)\b/.exec(body.rest);
      if (chained)
        otherwise = [control(chained[1] as 'if', body.rest.slice(chained[0].length), body.from + chained[0].length)];
      else {
        const tail = block(kind);
        if (tail.end !== 'end') fail('expected end; found {{else}}');
        otherwise = tail.nodes;
      }
    }
    return { kind, pipeline, body: body.nodes, otherwise } as Node;
  };
  return block('').nodes;
}
