import { humanDuration } from '../../api/durations.ts';
import { goTime, humanSize } from '../../format/units.ts';
import { listText, type Row } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

const HEADERS = {
  ID: 'IMAGE',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
};
const WIDTH = 45;

/** `galley history`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const steps = await client.getImage(args.positionals[0] as string).history();
  const trunc = !args.bool('no-trunc');
  const human = args.bool('human');
  const now = Date.now();
  const rows = steps.map((step): Row => {
    const by = step.CreatedBy.replaceAll('\t', ' ');
    const at = new Date(step.Created * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
    return {
      ID: trunc ? step.Id.replace(/^sha256:/, '').slice(0, step.Id.startsWith('<') ? undefined : 12) : step.Id,
      CreatedSince: !human ? at : step.Created > 0 ? `${humanDuration(now - step.Created * 1000)} ago` : 'N/A',
      CreatedAt: human ? goTime(step.Created) : at,
      CreatedBy: trunc && by.length > WIDTH ? `${by.slice(0, WIDTH - 1)}…` : by,
      Size: human ? humanSize(step.Size, 3) : String(step.Size),
      Comment: step.Comment,
    };
  });
  const columns = ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'];
  const listing = { headers: HEADERS, columns, rows, format: args.string('format') };
  context.out(listText(listing, args.bool('quiet'), 'ID'));
  return 0;
}
