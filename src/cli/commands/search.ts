import type { SearchResult } from '../../api/images.ts';
import { encodeFilters } from '../../client/core.ts';
import { filtersOf, formatList } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

const HEADERS = { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' };
const WIDTH = 45;

/** `galley search`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const results = await client.json<SearchResult[]>('GET', '/images/search', {
    query: {
      term: args.positionals[0],
      limit: args.number('limit') || undefined,
      filters: encodeFilters(filtersOf(args.list('filter'))),
    },
  });
  const rows = results.map((one) => {
    const text = one.description.replace(/\s+/g, ' ');
    return {
      Name: one.name,
      Description: !args.bool('no-trunc') && text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text,
      StarCount: String(one.star_count),
      IsOfficial: one.is_official ? '[OK]' : '',
    };
  });
  const columns = ['Name', 'Description', 'StarCount', 'IsOfficial'];
  context.out(formatList({ headers: HEADERS, columns, rows, format: args.string('format') }));
  return 0;
}
