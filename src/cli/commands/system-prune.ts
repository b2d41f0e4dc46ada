import { humanSize } from '../../format/units.ts';
import { filtersOf } from '../lists.ts';
import { confirm } from '../prompt.ts';
import { type PruneKind, prune } from '../pruning.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley system prune`: stopped containers, unused networks, dangling images, with --volumes anonymous volumes. Asks first. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const all = args.bool('all');
  const volumes = args.bool('volumes');
  const filters = filtersOf(args.list('filter'));
  const lines = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
  ];
  const question = `WARNING! This will remove:\n${lines.map((line) => `  - ${line}\n`).join('')}\nAre you sure you want to continue?`;
  if (!args.bool('force') && !(await confirm(question))) return 0;
  const client = await context.client();
  const kinds: PruneKind[] = ['container', 'network', ...(volumes ? (['volume'] as const) : []), 'image'];
  let total = 0;
  for (const kind of kinds) {
    const own: Record<string, string[]> = { ...filters, ...(kind === 'image' ? { dangling: [String(!all)] } : {}) };
    // A volume has no age that an engine knows.
    if (kind === 'volume') delete own['until'];
    const { text, bytes } = await prune(client, kind, own);
    context.out(text);
    total += bytes;
  }
  context.out(`Total reclaimed space: ${humanSize(total)}\n`);
  return 0;
}
