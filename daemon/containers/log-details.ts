import type { ContainerConfig, StringMap } from '../../src/api/index.ts';

const list = (text: string | undefined) => (text ?? '').split(',').filter(Boolean);

/** What `--log-opt labels=… env=…` attaches to every line, as `docker logs --details` shows it. */
export function logDetails(config: ContainerConfig, options: StringMap | null | undefined): string {
  const found: string[] = [];
  for (const label of list(options?.['labels'])) {
    const value = config.Labels?.[label];
    if (value !== undefined) found.push(`${label}=${value}`);
  }
  for (const name of list(options?.['env']))
    for (const entry of config.Env ?? []) if (entry.startsWith(`${name}=`)) found.push(entry);
  return found.sort().join(',');
}
