import { run } from './spawn.ts';

/** Runs `ip` commands in one process, stopping at the first that fails; inside a network namespace when its path is given. @throws CommandError */
export async function ipBatch(lines: readonly string[], netnsPath?: string): Promise<void> {
  const input = `${lines.join('\n')}\n`;
  if (netnsPath === undefined) await run('ip', ['-batch', '-'], { input });
  else await run('nsenter', [`--net=${netnsPath}`, 'ip', '-batch', '-'], { input });
}

/** Names of the interfaces of this namespace. */
export async function linkNames(): Promise<string[]> {
  const { stdout } = await run('ip', ['-o', 'link', 'show']);
  return [...stdout.matchAll(/^\d+: ([^:@]+)/gm)].map((match) => match[1] as string);
}

/** IPv4 destinations that this host already routes, as CIDR ("10.0.0.0/8"); the default route is left out. */
export async function routedSubnets(): Promise<string[]> {
  const { stdout } = await run('ip', ['-4', '-o', 'route', 'show', 'table', 'all']);
  const found = new Set<string>();
  for (const line of stdout.split('\n')) {
    const match = /^(?:(?:unicast|local|broadcast|blackhole) )?(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?/.exec(line);
    if (match && match[1] !== '0.0.0.0') found.add(`${match[1]}/${match[2] ?? '32'}`);
  }
  return [...found];
}
