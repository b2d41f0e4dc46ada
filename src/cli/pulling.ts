import { isatty } from 'node:tty';
import type { ProgressMessage } from '../api/images.ts';
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
  const messages = client.pull(reference, {
    ...(choices.platform ? { platform: choices.platform } : {}),
    ...(choices.allTags ? { allTags: true } : {}),
    ...(auth ? { auth } : {}),
  });
  await showProgress(messages, choices.quiet ?? false);
}

/** Draws a transfer on stderr to its end; `stream` gets the lines that are its result (what a load gave). */
export async function showProgress(
  messages: AsyncIterable<ProgressMessage>,
  quiet: boolean,
  stream?: (line: string) => void,
): Promise<void> {
  const view = quiet ? undefined : new ProgressView(screen());
  for await (const message of messages) {
    if (message.stream !== undefined && stream) stream(message.stream);
    else if (message.aux === undefined) view?.show(message);
  }
}
