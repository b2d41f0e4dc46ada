/** The text of a Go-quoted string (`"…"`), its escapes resolved. */
function unquote(text: string): string {
  // \a, \v, \x.. and \U........ are Go's only: JSON knows them as \u.....
  const json = text
    .replace(
      /\\(?:x([0-9a-f]{2})|U0000([0-9a-f]{4}))/gi,
      (_, short?: string, long?: string) => `\\u${long ?? `00${short}`}`,
    )
    .replace(/\\([av])/g, (_, letter) => (letter === 'a' ? '\\u0007' : '\\u000b'));
  try {
    return String(JSON.parse(json));
  } catch {
    return text.slice(1, -1); // not Go's quoting after all: as it stands
  }
}

/**
 * What went wrong, in the runtime's own words, from its stderr: runc's logrus lines (`time="…" level=error msg="…"`, or JSON),
 * crun's plain lines. The last error counts.
 */
export function runtimeWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  for (const line of lines.toReversed()) {
    const quoted = /(?:\bmsg=|"msg":\s*)("(?:[^"\\]|\\.)*")/.exec(line);
    if (quoted) return unquote(quoted[1] as string).trim();
    const bare = /\bmsg=(\S+)/.exec(line);
    if (bare) return bare[1] as string;
  }
  return (lines.at(-1) ?? '').replace(/^\d{4}-\d\d-\d\dT\S+: /, '').trim();
}
