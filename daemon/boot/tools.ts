import { z } from 'zod';
import { readAsset } from '../system/assets.ts';
import { lookUpTool } from '../system/find-tool.ts';
import { run } from '../system/spawn.ts';
import { SettingsError } from './settings.ts';

/** assets/host-packages.json: what galleyd cannot work without, and the packages that bring it. */
const hostPackages = z.object({
  required: z.array(z.string()),
  managers: z.record(z.string(), z.object({ names: z.record(z.string(), z.string()), byHand: z.string() })),
});

/**
 * @param has finds a program on this host
 * @throws SettingsError naming every missing tool and the command that installs them here.
 */
export function checkTools(has: (tool: string) => boolean = (tool) => lookUpTool(tool) !== undefined): void {
  const { required, managers } = hostPackages.parse(JSON.parse(readAsset('host-packages.json')));
  const missing = required.filter((tool) => !has(tool));
  if (missing.length === 0) return;
  const known = Object.entries(managers);
  const { names, byHand } = (known.find(([manager]) => has(manager)) ?? known[0])?.[1] ?? { names: {}, byHand: '' };
  const packages = missing.map((tool) => names[tool] ?? tool).join(' ');
  throw new SettingsError(
    `this host lacks ${missing.join(', ')}: run npm start in a clone of galley, or install them (${byHand} ${packages})`,
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
