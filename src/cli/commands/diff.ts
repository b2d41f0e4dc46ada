import type { CliContext, ParsedArgs } from '../types.ts';

const KINDS = ['C', 'A', 'D'];

/** `galley diff`: what a container changed (C), added (A) and deleted (D) against its image. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const path = `/containers/${encodeURIComponent(args.positionals[0] as string)}/changes`;
  const changes = await client.json<{ Path: string; Kind: number }[] | null>('GET', path);
  context.out((changes ?? []).map(({ Path, Kind }) => `${KINDS[Kind] ?? '?'} ${Path}\n`).join(''));
  return 0;
}
