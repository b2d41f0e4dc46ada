import { encodeFilters } from '../../client/core.ts';
import { humanSize } from '../../format/units.ts';
import { filtersOf } from '../lists.ts';
import { confirm } from '../prompt.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley volume prune`: asks first, unless --force. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const filters = filtersOf(args.list('filter'));
  if (args.bool('all')) filters['all'] = ['true'];
  const what = args.bool('all') ? 'all local volumes' : 'anonymous local volumes';
  const question = `WARNING! This will remove ${what} not used by at least one container.\nAre you sure you want to continue?`;
  if (!args.bool('force') && !(await confirm(question))) return 0;
  const client = await context.client();
  const answer = await client.json<{ VolumesDeleted: string[] | null; SpaceReclaimed: number }>(
    'POST',
    '/volumes/prune',
    {
      query: { filters: encodeFilters(filters) },
    },
  );
  const gone = answer.VolumesDeleted ?? [];
  if (gone.length > 0) context.out(`Deleted Volumes:\n${gone.map((name) => `${name}\n`).join('')}\n`);
  context.out(`Total reclaimed space: ${humanSize(answer.SpaceReclaimed)}\n`);
  return 0;
}
