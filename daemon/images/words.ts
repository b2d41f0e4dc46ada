/** Splits and expands the words of Dockerfile instructions (Dockerfile reference: "Environment replacement", ENV, LABEL). */

/** `$name`, `${name}`, `${name:-word}`, `${name:+word}`; a backslash takes a dollar sign its meaning. Unknown names are empty. */
export function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(
    /\\\$|\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/g,
    (
      whole,
      bare: string | undefined,
      braced: string | undefined,
      kind: string | undefined,
      word: string | undefined,
    ) => {
      if (whole === '\\$') return '$';
      const value = variables[bare ?? braced ?? ''] ?? '';
      if (kind === '-') return value === '' ? (word ?? '') : value;
      if (kind === '+') return value === '' ? '' : (word ?? '');
      return value;
    },
  );
}

/**
 * Words by the shell's rules of quoting, without its expansions.
 * @throws Error for a quote that stays open.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] as string;
    const next = text[at + 1];
    if (quote) {
      if (char === quote) quote = '';
      else if (char === '\\' && quote === '"' && next !== undefined && '"\\$'.includes(next)) {
        word = `${word ?? ''}${next === '$' ? '\\$' : next}`;
        at += 1;
      } else word = (word ?? '') + (quote === "'" && char === '$' ? '\\$' : char);
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === '\\' && next !== undefined) {
      word = `${word ?? ''}${next === '$' ? '\\$' : next}`;
      at += 1;
    } else word = (word ?? '') + char;
  }
  if (quote) throw new Error(`the quote ${quote} stays open`);
  if (word !== undefined) words.push(word);
  return words;
}

/** A JSON array of texts, the exec form; undefined for everything else. */
export function execForm(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((one): one is string => typeof one === 'string') ? value : undefined;
  } catch {
    return undefined; // then it is the shell form
  }
}

/** `K=V K2="V 2"`, or the old `K the rest`. @throws Error */
export function keyValues(text: string): [key: string, value: string][] {
  const words = splitWords(text);
  const first = words[0] ?? '';
  if (first.includes('=')) {
    return words.map((word) => {
      const equals = word.indexOf('=');
      if (equals < 0) throw new Error(`can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
      if (equals === 0) throw new Error('names can not be blank');
      return [word.slice(0, equals), word.slice(equals + 1)];
    });
  }
  const old = /^(\S+)\s+([\s\S]+)$/.exec(text.trim());
  if (!old) throw new Error('must have two arguments');
  return [[old[1] as string, splitWords(old[2] as string).join(' ')]];
}
