import { EngineRequestError } from '../../client/failure.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

/** `galley system fsck`: a line for each fault and exit 1, or one line that says there is none. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  let faults: string[];
  try {
    const answer = await client.json<{ Faults: string[] }>('GET', '/galley/v1/fsck', {
      query: { deep: args.bool('deep') || undefined },
    });
    faults = answer.Faults;
  } catch (error) {
    if (error instanceof EngineRequestError && error.status === 404)
      throw new Error(`the engine at ${client.host} is no galleyd: only galleyd checks its images`);
    throw error;
  }
  for (const fault of faults) context.out(`${fault}\n`);
  context.err(faults.length > 0 ? `${faults.length} faults: pull or load the images anew\n` : 'nothing is wrong\n');
  return faults.length > 0 ? 1 : 0;
}
