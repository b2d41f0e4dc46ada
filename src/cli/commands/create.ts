import type { CreateContainerResponse } from '../../api/containers.ts';
import { familiarString, parseReference, tagNameOnly } from '../../api/references.ts';
import type { RawEngineClient } from '../../client/engine.ts';
import { statusOf } from '../../client/failure.ts';
import { ExitError, errorText } from '../errors.ts';
import { pullImage } from '../pulling.ts';
import { type CreateBody, createBody } from '../run/body.ts';
import { fileFailure } from '../run/values.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

const PULL_POLICIES = new Set(['always', 'missing', 'never']);

/** The body of what the flags ask for. @throws ExitError 125 with Docker's words for values that cannot be. */
export function bodyOf(args: ParsedArgs, detach: boolean, env: NodeJS.ProcessEnv): CreateBody {
  try {
    const policy = args.string('pull');
    if (!PULL_POLICIES.has(policy))
      throw new Error(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`);
    return createBody(args, detach, env);
  } catch (error) {
    throw refusal(args, error, 125);
  }
}

/** Docker prints a mistake of `run` behind the program's name, with a way out. */
export function refusal(args: ParsedArgs, error: unknown, code: number): ExitError {
  return new ExitError(
    code,
    `galley: ${errorText(error)}\n\nRun 'galley ${args.command.name} --help' for more information`,
  );
}

function idFile(path: string): { write(id: string): void } | undefined {
  if (path === '') return undefined;
  const fs = process.getBuiltinModule('node:fs');
  if (fs.existsSync(path)) {
    throw new Error(`container ID file found, make sure the other container isn't running or delete ${path}`);
  }
  // Opened before the container exists: a folder that cannot be written must not leave a container behind.
  let fd: number;
  try {
    fd = fs.openSync(path, 'wx', 0o644);
  } catch (error) {
    throw new Error(`failed to create the container ID file: ${fileFailure(path, error)}`);
  }
  return {
    write: (id) => {
      fs.writeSync(fd, id);
      fs.closeSync(fd);
    },
  };
}

/** Creates the container of `run` and `create`; pulls the image when the engine lacks it (404), as --pull says. */
export async function createContainer(
  context: CliContext,
  client: RawEngineClient,
  args: ParsedArgs,
  body: CreateBody,
): Promise<CreateContainerResponse> {
  const policy = args.string('pull');
  for (const line of warnings(args)) context.err(`WARNING: ${line}\n`);
  const platform = args.string('platform');
  const pull = () => pullImage(context, client, body.Image, { platform, quiet: args.bool('quiet') });
  const create = () =>
    client.createContainer(body as Parameters<RawEngineClient['createContainer']>[0], {
      name: args.string('name'),
      platform,
    });
  const file = idFile(args.string('cidfile'));
  try {
    checkReference(body.Image);
    if (policy === 'always') await pull();
    let response: CreateContainerResponse;
    try {
      response = await create();
    } catch (error) {
      if (statusOf(error) !== 404 || policy !== 'missing' || !/no such image/i.test((error as Error).message))
        throw error;
      if (!args.bool('quiet'))
        context.err(`Unable to find image '${familiarString(tagNameOnly(parseReference(body.Image)))}' locally\n`);
      await pull();
      response = await create();
    }
    for (const warning of response.Warnings ?? []) context.err(`WARNING: ${warning}\n`);
    file?.write(response.Id);
    return response;
  } catch (error) {
    if (file) process.getBuiltinModule('node:fs').rmSync(args.string('cidfile'), { force: true });
    throw error;
  }
}

/** An image is named by a reference or by an id. @throws Error in Docker's words, before an engine is asked. */
function checkReference(image: string): void {
  if (!/^(sha256:)?[0-9a-f]{64}$/.test(image)) parseReference(image);
}

/** What Docker warns of before it creates. */
function warnings(args: ParsedArgs): string[] {
  const lines: string[] = [];
  if (args.bool('oom-kill-disable') && args.string('memory') === '')
    lines.push("Disabling the OOM killer on containers without setting a '-m/--memory' limit may be dangerous.");
  const local = args.list('dns').find((server) => /^127\.|^::1$/.test(server));
  if (local) lines.push(`Localhost DNS (${local}) may fail in containers.`);
  return lines;
}

/** `galley create`: prints the id. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const body = bodyOf(args, false, context.env);
  const { Id } = await createContainer(context, await context.client(), args, body);
  context.out(`${Id}\n`);
  return 0;
}
