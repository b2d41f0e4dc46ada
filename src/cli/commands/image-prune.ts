import type { ImageDeleteItem } from '../../api/images.ts';
import { encodeFilters } from '../../client/core.ts';
import { humanSize } from '../../format/units.ts';
import { filtersOf } from '../lists.ts';
import { confirm } from '../prompt.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley image prune`: asks first, unless --force. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const filters = filtersOf(args.list('filter'));
  const all = args.bool('all');
  filters['dangling'] = [all ? 'false' : 'true'];
  const what = all ? 'all images without at least one container associated to them' : 'all dangling images';
  const question = `WARNING! This will remove ${what}.\nAre you sure you want to continue?`;
  if (!args.bool('force') && !(await confirm(question))) return 0;
  const client = await context.client();
  const answer = await client.json<{ ImagesDeleted: ImageDeleteItem[] | null; SpaceReclaimed: number }>(
    'POST',
    '/images/prune',
    { query: { filters: encodeFilters(filters) } },
  );
  const gone = answer.ImagesDeleted ?? [];
  const lines = gone.map((item) => ('Untagged' in item ? `untagged: ${item.Untagged}` : `deleted: ${item.Deleted}`));
  if (lines.length > 0) context.out(`Deleted Images:\n${lines.join('\n')}\n\n`);
  context.out(`Total reclaimed space: ${humanSize(answer.SpaceReclaimed)}\n`);
  return 0;
}
