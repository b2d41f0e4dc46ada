import { humanSize } from '../../format/units.ts';
import { filtersOf } from '../lists.ts';
import { confirm } from '../prompt.ts';
import { type PruneKind, prune } from '../pruning.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** What goes, in docker's words. */
function victims(kind: PruneKind, all: boolean): string {
  if (kind === 'container') return 'all stopped containers';
  if (kind === 'network') return 'all custom networks not used by at least one container';
  if (kind === 'volume') return `${all ? 'all' : 'anonymous'} local volumes not used by at least one container`;
  return all ? 'all images without at least one container associated to them' : 'all dangling images';
}

/** `galley container|network|volume|image prune`: asks first, unless --force. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const kind = args.command.name.split(' ')[0] as PruneKind;
  const all = (kind === 'volume' || kind === 'image') && args.bool('all');
  const filters = filtersOf(args.list('filter'));
  if (kind === 'volume' && all) filters['all'] = ['true'];
  if (kind === 'image') filters['dangling'] = [String(!all)];
  const question = `WARNING! This will remove ${victims(kind, all)}.\nAre you sure you want to continue?`;
  if (!args.bool('force') && !(await confirm(question))) return 0;
  const { text, bytes } = await prune(await context.client(), kind, filters);
  context.out(text);
  // Networks take no space.
  if (kind !== 'network') context.out(`Total reclaimed space: ${humanSize(bytes)}\n`);
  return 0;
}
