/** Re-indents JSON text without parsing it, so that key order and large numbers stay as the engine wrote them. */
export function indentJson(text: string, indent = '    '): string {
  let out = '';
  let depth = 0;
  let pending = false;
  const newline = () => `\n${indent.repeat(depth)}`;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === ' ' || character === '\n' || character === '\r' || character === '\t') continue;
    if (character === '}' || character === ']') {
      depth--;
      out += pending ? character : newline() + character;
      pending = false;
      continue;
    }
    if (pending) {
      out += newline();
      pending = false;
    }
    if (character === '{' || character === '[') {
      depth++;
      pending = true;
      out += character;
    } else if (character === ',') out += character + newline();
    else if (character === ':') out += ': ';
    else if (character === '"') {
      const start = at++;
      while (text[at] !== '"' && at < text.length) at += text[at] === '\\' ? 2 : 1;
      out += text.slice(start, at + 1);
    } else {
      const start = at;
      while (at + 1 < text.length && !/[\s,}\]]/.test(text[at + 1] as string)) at++;
      out += text.slice(start, at + 1);
    }
  }
  return out;
}

/** JSON as Go's encoder writes a map: keys sorted. Values of class instances are not expected here. */
export function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${sortedJson(one)}`).join(',')}}`;
  }
  return value === undefined ? 'null' : JSON.stringify(value);
}

/** Go's strconv.Quote for what appears in a command line. */
export function goQuote(text: string): string {
  let out = '';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (character === '"' || character === '\\') out += `\\${character}`;
    else if (character === '\n') out += '\\n';
    else if (character === '\t') out += '\\t';
    else if (character === '\r') out += '\\r';
    else if (code === 7) out += '\\a';
    else if (code === 8) out += '\\b';
    else if (code === 12) out += '\\f';
    else if (code === 11) out += '\\v';
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else out += character;
  }
  return `"${out}"`;
}

/** At most `width` characters, the last an ellipsis when text was cut. */
export function ellipsis(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  return `${characters.slice(0, width - 1).join('')}…`;
}

/** JSON text with `<`, `>` and `&` escaped as Go's json.Marshal does. */
export function goEscapeHtml(json: string): string {
  return json.replace(/[<>&]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`);
}
