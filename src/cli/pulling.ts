import { isatty } from 'node:tty';
import { credentialsFor } from '../client/credentials.ts';
import type { RawEngineClient } from '../client/engine.ts';
import { err } from './output.ts';
import { type ProgressScreen, ProgressView } from './progress.ts';
import type { CliContext } from './types.ts';

export interface PullChoices {
  platform?: string;
  allTags?: boolean;
  quiet?: boolean;
}

/** stderr as the place of progress: data on stdout stays clean. */
function screen(): ProgressScreen {
  const columns = isatty(2) ? process.stderr.getWindowSize()[0] || 80 : undefined;
  return { write: err, columns };
}

/** Pulls with the credentials of the docker config and shows progress on stderr. SIGINT cancels it on the engine too. */
export async function pullImage(
  context: CliContext,
  client: RawEngineClient,
  reference: string,
  choices: PullChoices,
): Promise<void> {
  const auth = await credentialsFor(reference, {
    env: context.env,
    ...(context.globals.config === undefined ? {} : { configDir: context.globals.config }),
  });
  const view = choices.quiet ? undefined : new ProgressView(screen());
  const messages = client.pull(reference, {
    ...(choices.platform ? { platform: choices.platform } : {}),
    ...(choices.allTags ? { allTags: true } : {}),
    ...(auth ? { auth } : {}),
  });
  for await (const message of messages) view?.show(message);
}
