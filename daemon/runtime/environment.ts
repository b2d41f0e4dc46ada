const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Defaults first, then the container's own entries, which replace in place; `KEY` without `=` removes. */
export function mergeEnvironment(defaults: readonly string[], own: readonly string[]): string[] {
  const result = new Map<string, string>();
  for (const entry of [...defaults, ...own]) {
    const at = entry.indexOf('=');
    if (at < 0) result.delete(entry);
    else result.set(entry.slice(0, at), entry);
  }
  return [...result.values()];
}

/** What Docker puts before the configured environment: PATH, HOSTNAME, and TERM for a terminal (field/engine-api.md section 2.2). */
export function processEnvironment(hostname: string, tty: boolean, own: readonly string[]): string[] {
  return mergeEnvironment([PATH, `HOSTNAME=${hostname}`, ...(tty ? ['TERM=xterm'] : [])], own);
}
