import { lookUpTool } from '../system/find-tool.ts';
import { run } from '../system/spawn.ts';
import { SettingsError } from './settings.ts';

/** What galleyd cannot work without, and the package that brings it. */
const NEEDED: readonly (readonly [tool: string, packageName: string])[] = [
  ['runc', 'runc'],
  ['conmon', 'conmon'],
  ['nft', 'nftables'],
  ['ip', 'iproute2'],
];

/** @throws SettingsError naming every missing tool and the command that installs them. */
export function checkTools(): void {
  const missing = NEEDED.filter(([tool]) => lookUpTool(tool) === undefined);
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name).join(' ');
  throw new SettingsError(
    `this host lacks ${missing.map(([tool]) => tool).join(', ')}: run \`npm run setup\`, or install them (apt-get install ${packages})`,
  );
}

async function firstLine(tool: string): Promise<string> {
  const { stdout } = await run(tool, ['--version'], { allowFailure: true, timeoutMs: 5000 });
  return /(\d+\.\d+\S*)/.exec(stdout.split('\n', 1)[0] ?? '')?.[1] ?? '';
}

export async function toolVersions(): Promise<{
  runtimes: Record<string, { path: string; version: string }>;
  conmonVersion: string;
}> {
  const runtimes: Record<string, { path: string; version: string }> = {};
  for (const name of ['runc', 'crun']) {
    const found = lookUpTool(name);
    if (found) runtimes[name] = { path: found, version: await firstLine(found) };
  }
  return { runtimes, conmonVersion: await firstLine(lookUpTool('conmon') ?? 'conmon') };
}
